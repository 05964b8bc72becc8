"""Where packages are unpacked, and that nothing is downloaded twice."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from loragui.engine import catalogue, toolbox
from loragui.engine.recipes.base import Build
from loragui.paths import Workspace

WITH_CMAKE = [recipe for recipe in catalogue.recipes() if any(package.name == "cmake" for package in recipe.packages)]


def place(name: str, workspace: Workspace) -> Path:
    recipe = catalogue.recipe(name)
    pin = catalogue.pin(recipe.pins[0])
    on = next(iter(recipe.on))
    return Build(recipe=recipe, pin=pin, workspace=workspace, name="x", system=on, host=on, jobs=1).packages


def test_the_least_is_downloaded(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    program, (step,) = toolbox.unpacker(workspace)
    args = json.loads(step.command.argv[-1])
    assert [package["name"] for package in args["packages"]] == ["cmake", "ninja"]
    assert Path(args["into"]) == place("clblast", workspace)
    suffix = ".exe" if sys.platform == "win32" else ""
    assert program == place("clblast", workspace) / "cmake" / "data" / "bin" / f"cmake{suffix}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("recipe", [recipe.id for recipe in WITH_CMAKE])
def test_what_any_build_has_brought_is_used(tmp_path: Path, recipe: str) -> None:
    workspace = Workspace(tmp_path)
    there = place(recipe, workspace)
    there.mkdir(parents=True)
    program, steps = toolbox.unpacker(workspace)
    assert steps == ()
    assert there in program.parents
