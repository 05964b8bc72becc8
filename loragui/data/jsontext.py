"""JSON as people's files have it: one parse function that fails in exactly one way."""

from __future__ import annotations

import json
from typing import Any

_DECODER = json.JSONDecoder(strict=False)


class NotJson(ValueError):  # noqa: N818 - reads as what it says where it is caught
    """The text is not JSON. The message says where, in a few words."""


def parse(text: str) -> Any:
    """The value of ``text``; control characters inside strings are accepted. NotJson for everything else."""
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        what = error.msg.lower().removesuffix(" at")
        raise NotJson(f"{what} at {line}column {error.colno}") from error
    except RecursionError as error:
        raise NotJson("it is nested too deeply") from error
    except ValueError as error:
        raise NotJson("it holds a number that is too long") from error


def text_of(value: Any) -> str:
    """A field as text: numbers are written out, lists of texts joined; everything else is empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n".join(value)
    return ""
