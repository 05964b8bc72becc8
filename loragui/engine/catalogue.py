"""``resources/engines.toml``: which engines can be built (pins), and how (recipes), as checked values.

A mistake in the file is a mistake of ours, so it shows at once and by name, not in the middle of a build.
"""

from __future__ import annotations

import platform
import re
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from loragui.engine.entries import Catalogue, Pin, Recipe, Repository, Revisions, Toolchain, Way
from loragui.errors import AppError
from loragui.jobs.packages import Package
from loragui.paths import resource_path

__all__ = [
    "Catalogue",
    "Pin",
    "Recipe",
    "Repository",
    "Revisions",
    "Toolchain",
    "Way",
    "catalogue",
    "parse",
    "this_system",
]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
KINDS = ("zig", "cmake", "make")
"""Builders: CMake with zig from packages, CMake with a compiler of the PC, llama.cpp's own Makefile."""
LIBRARIES = ("none", "openblas", "cublas", "clblast", "hipblas")


def this_system() -> str:
    """This computer as the recipes name it, for example ``linux-x86_64``."""
    return f"{sys.platform}-{platform.machine()}"


@cache
def catalogue() -> Catalogue:
    """The list of engines that came with this version."""
    return parse(resource_path("engines.toml"))


def pins() -> tuple[Pin, ...]:
    """All known revisions, the recommended one first."""
    return catalogue().pins


def recipes() -> tuple[Recipe, ...]:
    """All ways to build, the one that needs least first."""
    return catalogue().recipes


def pin(name: str) -> Pin:
    """The revision with that id. AppError when it is unknown."""
    for entry in pins():
        if entry.id == name:
            return entry
    raise _unknown("engine revision", name, [entry.id for entry in pins()])


def recipe(name: str) -> Recipe:
    """The recipe with that id. AppError when it is unknown."""
    found = known_recipe(name)
    if found is None:
        raise _unknown("way to build an engine", name, [entry.id for entry in recipes()])
    return found


def known_recipe(name: str) -> Recipe | None:
    """The recipe with that id; None when this list has none, as for an engine of another list."""
    return next((entry for entry in recipes() if entry.id == name), None)


def revisions(number: int) -> Revisions:
    """What is known of llama.cpp's revision ``number`` (2321 for b2321). AppError for one that cannot be."""
    for entry in catalogue().revisions:
        if entry.first <= number <= entry.last:
            return entry
    raise AppError(f"There is no llama.cpp b{number}.", "Look at the number in its file's name.", code="no-such")


def _unknown(kind: str, name: str, known: list[str]) -> AppError:
    return AppError(f"There is no {kind} called {name}.", f"Choose one of: {', '.join(known)}.", code="no-such")


def parse(path: Path) -> Catalogue:
    """Read and check a catalogue. AppError that names what is wrong in it."""
    try:
        with path.open("rb") as source:
            facts = tomllib.load(source)
        packages = {str(row["name"]): _package(row) for row in facts["package"]}
        found = Catalogue(
            repository=Repository(url=str(facts["repository"]["url"]), skip=_words(facts["repository"], "skip")),
            revisions=tuple(_revisions(row) for row in facts["revision"]),
            pins=tuple(_pin(row) for row in facts["pin"]),
            recipes=tuple(_recipe(row, packages) for row in facts["recipe"]),
        )
        _check(found)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AppError(
            f"The list of engines ({path.name}) is damaged.",
            "Install loragui again.",
            details=repr(error),
            code="catalogue-damaged",
        ) from error
    return found


def _check(found: Catalogue) -> None:
    for ids in ([entry.id for entry in found.pins], [entry.id for entry in found.recipes]):
        if len(set(ids)) < len(ids):
            raise ValueError(f"two of them are called {max(ids, key=ids.count)}")
    known = {entry.id for entry in found.pins}
    for some, after in pairwise(found.revisions):
        if some.last + 1 != after.first or not {some.like, after.like} <= {"", *known}:
            raise ValueError(f"revisions {some.first} to {some.last}: the next is {after.first}, like {some.like!r}")
    for entry in found.recipes:
        if not entry.pins or not set(entry.pins) <= known:
            raise ValueError(f"{entry.id}: pins {entry.pins}, known are {sorted(known)}")
        if entry.kind not in KINDS or entry.library not in LIBRARIES:
            raise ValueError(f"{entry.id}: kind {entry.kind}, library {entry.library}")
        if any((entry.kind == "zig") != (way.toolchain is not None) for way in entry.on.values()):
            raise ValueError(f"{entry.id}: a toolchain is for zig, and zig needs one")


def _revisions(row: Mapping[str, Any]) -> Revisions:
    return Revisions(**_numbers(row, "first", "last"), **_texts(row, "like", "why"))


def _pin(row: Mapping[str, Any]) -> Pin:
    flags = {str(name): tuple(map(str, known)) for name, known in row["flags"].items()}
    targets = _words(row, "targets")
    if set(flags) != set(targets):
        raise ValueError(f"{row['id']}: flags are given for {sorted(flags)}, targets are {sorted(targets)}")
    if not _COMMIT.fullmatch(row["commit"]) or not _SHA256.fullmatch(row["tree"]):
        raise ValueError(f"{row['id']}: commit or tree is not written in full")
    return Pin(
        **_texts(row, "id", "family", "name", "commit", "why", "source", "date", "archive", "folder", "tree"),
        **_numbers(row, "download_bytes", "unpacked_bytes", "make_commands"),
        package=_package(row["package"]),
        targets=targets,
        losses=tuple(map(float, row["losses"])),
        flags=flags,
        accepts=dict(row["accepts"]),
    )


def _recipe(row: Mapping[str, Any], packages: Mapping[str, Package]) -> Recipe:
    return Recipe(
        **_texts(row, "id", "name", "why", "pin_why", "source", "date", "kind", "library", "gpu"),
        **_numbers(row, "download_bytes", "unpacked_bytes", "work_bytes", "job_bytes"),
        pins=_words(row, "pins"),
        tried=bool(row["tried"]),
        seconds=float(row["seconds"]),
        environment=_table(row, "environment"),
        packages=tuple(packages[name] for name in _words(row, "packages")),
        on={str(name): _way(entry) for name, entry in row["on"].items()},
    )


def _way(row: Mapping[str, Any]) -> Way:
    toolchain = row.get("toolchain")
    names = ("cmake", "platform_id", "processor", "format", "target", "cpu", "link")
    return Way(
        **_texts(row, "generator", "made", "suffix"),
        needs=_words(row, "needs"),
        options=_words(row, "options"),
        variables=_table(row, "variables"),
        path=_words(row, "path"),
        ship=_words(row, "ship"),
        toolchain=Toolchain(**_texts(toolchain, *names)) if toolchain else None,
    )


def _package(row: Mapping[str, Any]) -> Package:
    package = Package.from_json(row)
    if not package.sha256 or not all(_SHA256.fullmatch(value) for value in package.sha256):
        raise ValueError(f"{package.name}: every package needs its sha256")
    return package


def _words(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = row.get(name, [])
    if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
        raise TypeError(f"{name}: a list of texts is expected, not {value!r}")
    return tuple(value)


def _table(row: Mapping[str, Any], name: str) -> dict[str, str]:
    return {str(key): str(value) for key, value in row.get(name, {}).items()}


def _texts(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        if not isinstance(row[name], str):
            raise TypeError(f"{name}: a text is expected, not {row[name]!r}")
    return {name: row[name] for name in names}


def _numbers(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        if not isinstance(row[name], int) or row[name] < 0:
            raise TypeError(f"{name}: a number is expected, not {row[name]!r}")
    return {name: row[name] for name in names}
