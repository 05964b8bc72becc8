"""What stands in ``resources/engines.toml``, as frozen values. ``catalogue.py`` reads and checks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loragui.jobs.packages import Package


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
    of a found tool (or ``{tool.part}`` for one of its parts) and ``{packages}``. ``path`` are folders put before PATH
    for the build, and for the finished programs when they use a card.
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
    ``environment`` is what the finished programs need when they run. ``tried`` says that we built it.
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
class Revisions:
    """What the revisions ``first`` to ``last`` do: the same as the pin ``like``, or nothing good when that is empty."""

    first: int
    last: int
    like: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Everything in the file."""

    repository: Repository
    revisions: tuple[Revisions, ...]
    pins: tuple[Pin, ...]
    recipes: tuple[Recipe, ...]
