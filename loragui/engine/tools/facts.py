"""``resources/tools.toml``: which programs of others a build may need, and how each is got, as checked values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from loragui.errors import AppError
from loragui.paths import resource_path

SYSTEMS = "win32", "linux"
KINDS = "zip", "7z"
_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"\d+(\.\d+)*|")


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """An archive that we download and unpack. ``bytes`` of the archive, ``unpacked_bytes`` about what comes out."""

    version: str
    url: str
    sha256: str
    bytes: int
    unpacked_bytes: int
    kind: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One external program, and the ways to get it.

    ``purpose`` says what it is needed for, ``size_bytes`` is about what it takes on the disk. A version is good from
    ``minimum`` on and ``below`` another (``below_why`` says why). ``winget`` is an id, with a version and the words
    for its installer. An archive from ``page`` that a person brings is unpacked if ``proof`` lies in it; a tool without
    a ``proof`` cannot be brought.
    """

    id: str
    name: str
    purpose: str
    size_bytes: int
    minimum: str
    below: str
    below_why: str
    systems: tuple[str, ...]
    page: str
    winget: str
    winget_version: str
    winget_override: str
    debian: tuple[str, ...]
    proof: str
    fetch: Fetch | None


@cache
def tools() -> tuple[Tool, ...]:
    """All known tools."""
    return parse(resource_path("tools.toml"))


def tool(name: str) -> Tool:
    """The tool with that id. AppError when it is unknown."""
    for entry in tools():
        if entry.id == name:
            return entry
    known = ", ".join(entry.id for entry in tools())
    raise AppError(f"There is no tool called {name}.", f"Choose one of: {known}.", code="no-such")


def parse(path: Path) -> tuple[Tool, ...]:
    """Read and check a list of tools. AppError that names what is wrong in it."""
    try:
        with path.open("rb") as source:
            found = tuple(_tool(row) for row in tomllib.load(source)["tool"])
        _check(len({entry.id for entry in found}) == len(found), "two tools have the same id")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise AppError(
            f"The list of tools ({path.name}) is damaged.",
            "Install loragui again.",
            details=repr(error),
            code="catalogue-damaged",
        ) from error
    return found


def _tool(row: Mapping[str, Any]) -> Tool:
    texts = {name: _text(row, name) for name in ("id", "name", "purpose", "page")}
    more = ("minimum", "below", "below_why", "winget", "winget_version", "winget_override", "proof")
    optional = {name: _text({name: "", **row}, name) for name in more}
    _check(_ID.fullmatch(texts["id"]), f"{texts['id']!r} is not an id")
    _check(texts["page"].startswith("https://"), f"{texts['id']}: the page must be https")
    for name in ("minimum", "below"):
        _check(_VERSION.fullmatch(optional[name]), f"{texts['id']}: {name} is not a version")
    systems = _words(row, "systems")
    _check(systems and set(systems) <= set(SYSTEMS), f"{texts['id']}: systems are of {SYSTEMS}")
    return Tool(
        **texts,
        **optional,
        size_bytes=_count(row, "size_bytes"),
        systems=systems,
        debian=_words(row, "debian"),
        fetch=_fetch(row["fetch"]) if "fetch" in row else None,
    )


def _fetch(row: Mapping[str, Any]) -> Fetch:
    texts = {name: _text(row, name) for name in ("version", "url", "sha256", "kind", "source")}
    _check(_SHA256.fullmatch(texts["sha256"]), f"{texts['url']}: a sha256 is expected")
    _check(texts["kind"] in KINDS, f"{texts['url']}: kind is one of {KINDS}")
    _check(texts["url"].startswith("https://"), f"{texts['url']}: must be https")
    return Fetch(**texts, bytes=_count(row, "bytes"), unpacked_bytes=_count(row, "unpacked_bytes"))


def _check(fine: object, what: str) -> None:
    if not fine:
        raise ValueError(what)


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise TypeError(f"{name}: a text is expected, not {value!r}")
    return value


def _words(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = row.get(name, [])
    if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
        raise TypeError(f"{name}: a list of texts is expected, not {value!r}")
    return tuple(value)


def _count(row: Mapping[str, Any], name: str) -> int:
    value = row[name]
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise TypeError(f"{name}: a number is expected, not {value!r}")
    return value
