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
_COMMIT = re.compile(r"[0-9a-f]{40}")
KINDS = ("zig", "cmake", "make")
"""Builders: CMake with zig from packages, CMake with a compiler of the PC, llama.cpp's own Makefile."""
LIBRARIES = ("none", "openblas", "cublas", "clblast", "hipblas")


@dataclass(frozen=True, kw_only=True)
class Repository:
    """Where git gets llama.cpp, and what of its tree is left out: not needed, or not in the source package."""

    url: str
    skip: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A revision of llama.cpp with known behaviour.

    ``archive`` is the source package's file name, ``folder`` where llama.cpp lies in it, ``tree`` the digest of the
    files that are built (``sources.tree_digest``), ``flags`` what the adapter passes to each program, ``accepts``
    what it can train (see ``model/accepts.py``), ``losses`` what the self-test computes. Sizes in bytes.
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
    tree: str
    download_bytes: int
    unpacked_bytes: int
    targets: tuple[str, ...]
    make_commands: int
    losses: tuple[float, ...]
    flags: Mapping[str, tuple[str, ...]]
    accepts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """What zig's toolchain file has to know about a system; ``link`` lies in scipy-openblas32."""

    cmake: str
    platform_id: str
    processor: str
    format: str
    target: str
    cpu: str
    link: str


@dataclass(frozen=True, kw_only=True)
class Way:
    """A recipe on one system.

    ``needs`` are ids of ``resources/tools.toml``. ``options`` go to CMake or make, ``variables`` into the build's
    environment, ``ship`` are files that belong beside the programs; all three may hold ``{tool}`` for the folder
    of a found tool (or ``{tool.part}`` for one of its parts) and ``{packages}``. ``path`` are folders put before PATH.
    ``made`` is the folder of the finished programs, ``suffix`` what their names end in.
    """

    needs: tuple[str, ...]
    generator: str
    options: tuple[str, ...]
    variables: Mapping[str, str]
    path: tuple[str, ...]
    ship: tuple[str, ...]
    made: str
    suffix: str
    toolchain: Toolchain | None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A way to build. ``pins`` are the revisions that it can build, the recommended one first.

    ``library`` is what multiplies matrices, ``gpu`` the maker of the card that it needs ("any", "" for none).
    ``environment`` is what the finished programs need when they run. ``proof`` is what configuring must print, since
    llama.cpp goes on silently without an accelerator that it did not find. ``tried`` says that we built it.
    ``seconds`` are of 2 cores, ``work_bytes`` the build folder's size, ``job_bytes`` the RAM of one compiler.
    """

    id: str
    name: str
    why: str
    pin_why: str
    source: str
    date: str
    kind: str
    pins: tuple[str, ...]
    library: str
    gpu: str
    tried: bool
    proof: str
    environment: Mapping[str, str]
    seconds: float
    download_bytes: int
    unpacked_bytes: int
    work_bytes: int
    job_bytes: int
    packages: tuple[Package, ...]
    on: Mapping[str, Way]

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems it works on."""
        return tuple(self.on)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Everything in the file."""

    repository: Repository
    pins: tuple[Pin, ...]
    recipes: tuple[Recipe, ...]


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
    for entry in recipes():
        if entry.id == name:
            return entry
    raise _unknown("way to build an engine", name, [entry.id for entry in recipes()])


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
    known = {entry.id for entry in found.pins}
    for entry in found.recipes:
        if not entry.pins or not set(entry.pins) <= known:
            raise ValueError(f"{entry.id}: pins {entry.pins}, known are {sorted(known)}")
        if entry.kind not in KINDS or entry.library not in LIBRARIES:
            raise ValueError(f"{entry.id}: kind {entry.kind}, library {entry.library}")
        if any((entry.kind == "zig") != (way.toolchain is not None) for way in entry.on.values()):
            raise ValueError(f"{entry.id}: a toolchain is for zig, and zig needs one")


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
        **_texts(row, "id", "name", "why", "pin_why", "source", "date", "kind", "library", "gpu", "proof"),
        **_numbers(row, "download_bytes", "unpacked_bytes", "work_bytes", "job_bytes"),
        pins=_words(row, "pins"),
        tried=bool(row["tried"]),
        seconds=float(row["seconds"]),
        environment=_table(row, "environment"),
        packages=tuple(packages[name] for name in row["packages"]),
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
    return tuple(map(str, row.get(name, ())))


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
