"""Reading the TOML files of this room: damage and newer schemas are told by the file's name."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from loragui.errors import AppError

Read = TypeVar("Read")


def load(path: Path, schema: int, parse: Callable[[Mapping[str, Any]], Read]) -> Read:
    """What ``parse`` makes of the file. AppError when it is damaged, or its schema is newer than ``schema``."""
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
        if value["schema"] > schema:
            raise AppError.newer(path)
        return parse(value)
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise AppError(
            f"{path.name} cannot be used: {reason}.",
            "If you changed it, correct it; if it came with loragui, install loragui again.",
            details=repr(error),
            code="resource-damaged",
        ) from error


def text(row: Mapping[str, Any], name: str) -> str:
    """The text called ``name``. ValueError when there is none or it is something else."""
    value = row[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text, not {value!r}")
    return value.strip()
