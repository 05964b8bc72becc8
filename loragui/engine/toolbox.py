"""The unpacked packages that run here, each set once in the workspace: for builds, and to unpack what Python cannot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from loragui.engine import catalogue
from loragui.jobs.packages import Package, install_command
from loragui.jobs.plan import Step
from loragui.paths import Workspace
from loragui.units import size

CMAKE = "cmake/data/bin/cmake"
"""Where CMake's program lies in its package, without Windows' suffix."""


def digest(text: str) -> str:
    """A short name for ``text`` that no other has."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def folder(kind: str, packages: Sequence[Package], workspace: Workspace) -> Path:
    """Where these packages are unpacked for builders of that kind."""
    pinned = "\n".join(package.requirement for package in packages)
    return workspace.cache / "tools" / f"{kind}-{digest(pinned)}"


def unpacker(workspace: Workspace) -> tuple[Path, tuple[Step, ...]]:
    """CMake's program, which unpacks too, and the steps that bring it: none when a build has brought it already."""
    recipes = [recipe for recipe in catalogue.recipes() if any(package.name == "cmake" for package in recipe.packages)]
    recipes.sort(key=lambda recipe: recipe.download_bytes)
    places = [folder(recipe.kind, recipe.packages, workspace) for recipe in recipes]
    there = next((place for place in places if place.is_dir()), None)
    place, recipe = there or places[0], recipes[0]
    program = place / (f"{CMAKE}.exe" if catalogue.this_system().startswith("win32") else CMAKE)
    if there:
        return program, ()
    title = f"Downloading the unpacker ({size(recipe.download_bytes)})"
    return program, (Step(id="unpacker", title=title, command=install_command(recipe.packages, place), weight=2),)
