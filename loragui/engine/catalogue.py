"""``resources/engines.toml``: which engines can be built (pins), and how (recipes), as checked values.

A mistake in the file is a mistake of ours, so it shows at once and by name, not in the middle of a build.
"""

from __future__ import annotations

import platform
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from loragui.errors import AppError
from loragui.jobs.packages import Package
from loragui.paths import resource_path

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A revision of llama.cpp with known behaviour.

    ``archive`` is the source package's file name, ``folder`` where llama.cpp lies in it, ``flags`` what the
    adapter passes to each program, ``accepts`` what it can train (see ``model/accepts.py``). Sizes in bytes.
    """

    id: str
    family: str
    name: str
    commit: str
    why: str
    source: str
    date: str
    package: Package
    archive: str
    folder: str
    download_bytes: int
    unpacked_bytes: int
    targets: tuple[str, ...]
    make_commands: int
    flags: Mapping[str, tuple[str, ...]]
    accepts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class System:
    """What the toolchain has to know about a system; ``link`` and ``ship`` lie in scipy-openblas32."""

    cmake: str
    platform_id: str
    processor: str
    format: str
    target: str
    cpu: str
    link: str
    ship: tuple[str, ...]
    suffix: str
    options: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A way to build. ``needs`` names programs that must be on the machine; ``seconds`` the build takes on 2
    cores.

    ``environment`` is what the finished programs need when they run. ``work_bytes`` is the build folder's
    size.
    """

    id: str
    name: str
    why: str
    source: str
    date: str
    systems: tuple[str, ...]
    environment: Mapping[str, str]
    needs: tuple[str, ...]
    seconds: float
    download_bytes: int
    unpacked_bytes: int
    work_bytes: int
    packages: tuple[Package, ...]
    system: Mapping[str, System]


def this_system() -> str:
    """This computer as the recipes name it, for example ``linux-x86_64``."""
    return f"{sys.platform}-{platform.machine()}"


@cache
def _catalogue() -> tuple[tuple[Pin, ...], tuple[Recipe, ...]]:
    return parse(resource_path("engines.toml"))


def pins() -> tuple[Pin, ...]:
    """All known revisions, the recommended one first."""
    return _catalogue()[0]


def recipes() -> tuple[Recipe, ...]:
    """All ways to build, the recommended one first."""
    return _catalogue()[1]


def pin(name: str) -> Pin:
    """The revision with that id. AppError when it is unknown."""
    for entry in pins():
        if entry.id == name:
            return entry
    raise _unknown("engine revision", name, [entry.id for entry in pins()])


def recipe(name: str) -> Recipe:
    """The recipe with that id. AppError when it is unknown."""
    for entry in recipes():
        if entry.id == name:
            return entry
    raise _unknown("way to build an engine", name, [entry.id for entry in recipes()])


def _unknown(kind: str, name: str, known: list[str]) -> AppError:
    return AppError(f"There is no {kind} called {name}.", f"Choose one of: {', '.join(known)}.", code="no-such")


def parse(path: Path) -> tuple[tuple[Pin, ...], tuple[Recipe, ...]]:
    """Read and check a catalogue. AppError that names what is wrong in it."""
    try:
        with path.open("rb") as source:
            facts = tomllib.load(source)
        return tuple(_pin(row) for row in facts["pin"]), tuple(_recipe(row) for row in facts["recipe"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AppError(
            f"The list of engines ({path.name}) is damaged.",
            "Install loragui again.",
            details=repr(error),
            code="catalogue-damaged",
        ) from error


def _pin(row: Mapping[str, Any]) -> Pin:
    flags = {str(name): tuple(map(str, known)) for name, known in row["flags"].items()}
    targets = tuple(map(str, row["targets"]))
    if set(flags) != set(targets):
        raise ValueError(f"{row['id']}: flags are given for {sorted(flags)}, targets are {sorted(targets)}")
    return Pin(
        **_texts(row, "id", "family", "name", "commit", "why", "source", "date", "archive", "folder"),
        **_numbers(row, "download_bytes", "unpacked_bytes", "make_commands"),
        package=_package(row["package"]),
        targets=targets,
        flags=flags,
        accepts=dict(row["accepts"]),
    )


def _recipe(row: Mapping[str, Any]) -> Recipe:
    return Recipe(
        **_texts(row, "id", "name", "why", "source", "date"),
        **_numbers(row, "download_bytes", "unpacked_bytes", "work_bytes"),
        seconds=float(row["seconds"]),
        systems=tuple(map(str, row["systems"])),
        environment={str(name): str(value) for name, value in row["environment"].items()},
        needs=tuple(map(str, row["needs"])),
        packages=tuple(_package(entry) for entry in row.get("package", ())),
        system={str(name): _system(entry) for name, entry in row.get("system", {}).items()},
    )


def _system(row: Mapping[str, Any]) -> System:
    return System(
        **_texts(row, "cmake", "platform_id", "processor", "format", "target", "cpu", "link", "suffix"),
        ship=tuple(map(str, row["ship"])),
        options=tuple(map(str, row["options"])),
    )


def _package(row: Mapping[str, Any]) -> Package:
    package = Package.from_json(row)
    if not package.sha256 or not all(_SHA256.fullmatch(value) for value in package.sha256):
        raise ValueError(f"{package.name}: every package needs its sha256")
    return package


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
