"""Every recipe that can be built on Linux, built for real, and the Windows programs of packages tried under Wine."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from loragui.engine import catalogue, recipes
from loragui.engine.installed import Engine
from loragui.engine.selftest import compare, selftest
from loragui.jobs.events import Event
from loragui.jobs.plan import Plan
from loragui.paths import Workspace
from tests.conftest import carried_out, engine_by
from tests.engine.conftest import program

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="these recipes are built on 64-bit Linux"
)
HERE = [recipe.id for recipe in catalogue.recipes() if recipe.tried and "linux-x86_64" in recipe.on]
NEEDLESS = ("cuda", "rocm")


@pytest.mark.real
@pytest.mark.parametrize("recipe_id", HERE)
def test_every_recipe_computes_the_same(recipe_id: str, shared_workspace: Workspace) -> None:
    """The same seed gives the same losses to four digits, whatever compiled and multiplied."""
    engine = engine_by(recipe_id, shared_workspace)
    expected = catalogue.pin(engine.pin).losses
    assert len(expected) >= 3
    assert engine.losses[:3] == pytest.approx(expected[:3], rel=1e-4)
    assert engine.library == catalogue.recipe(recipe_id).library


@pytest.mark.real
def test_both_revisions_compute_the_same() -> None:
    """What engine.md says of b2321 and b2896; their losses were measured, here they are only held side by side."""
    assert catalogue.pin("b2321").losses == pytest.approx(catalogue.pin("b2896").losses, rel=1e-6)


@pytest.mark.real
@pytest.mark.parametrize(
    ("recipe_id", "library"), [("gcc-openblas", "libopenblas"), ("clblast", "libclblast"), ("wheels", "scipy_openblas")]
)
def test_the_accelerator_is_really_in_the_program(recipe_id: str, library: str, shared_workspace: Workspace) -> None:
    engine = engine_by(recipe_id, shared_workspace)
    assert library.encode() in engine.program("finetune").read_bytes()


# -- Windows, under Wine -----------------------------------------------------------------------------------------------

WINE = shutil.which("wine") or shutil.which("wine64")
ENVIRONMENT = {
    "WINEDEBUG": "-all",
    "WINEDLLOVERRIDES": "wbemprox=;mscoree,mshtml=;mscms=n",
    "DISPLAY": "",
}


@pytest.fixture(scope="session")
def windows_programs(shared_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four programs and OpenBLAS, cross-built from the recipe of packages; the build folder is kept."""
    recipe = catalogue.recipe("wheels")
    plan = recipes.build_plan(
        recipe, catalogue.pins()[0], shared_workspace, name="windows", system="win32-AMD64", host="linux-x86_64"
    )
    *steps, install = plan.steps
    assert install.id == "install"
    carried_out(shared_workspace, "windows", Plan(kind=plan.kind, title=plan.title, steps=tuple(steps)))
    place = tmp_path_factory.mktemp("windows")
    work = Path(steps[-1].command.cwd)
    build = recipes.Build(
        recipe=recipe, pin=catalogue.pins()[0], workspace=shared_workspace, name="windows", system="win32-AMD64",
        host="linux-x86_64", jobs=os.cpu_count() or 1,
    )  # fmt: skip
    for made in (*(work / "build/bin").glob("*.exe"), *(Path(build.filled(file)) for file in build.way.ship)):
        shutil.copy2(made, place)
    return place


@pytest.fixture(scope="session")
def wine_prefix(shared_workspace: Workspace) -> dict[str, str]:
    """Wine with a Windows of its own."""
    return {**ENVIRONMENT, "WINEPREFIX": str(shared_workspace.root / "wine")}


@pytest.mark.wine
@pytest.mark.skipif(WINE is None, reason="Wine is not installed")
def test_the_windows_programs_train_under_wine(
    windows_programs: Path, wine_prefix: dict[str, str], engine: Engine, tmp_path: Path
) -> None:
    """The self-test, as on a person's PC, and the same losses as on Linux."""
    assert WINE is not None
    starters = tmp_path / "starters"
    for name in engine.programs:
        exe = windows_programs / f"{name}.exe"
        assert exe.is_file()
        program(starters / name, f"import os, sys\nos.execv({WINE!r}, [{WINE!r}, {str(exe)!r}, *sys.argv[1:]])")
    windows = replace(engine, folder=starters, environment={**engine.environment, **wine_prefix})
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    said: list[Event] = []
    done = selftest(windows, scratch, said.append)
    assert compare(done, catalogue.pins()[0].losses, tolerance=1e-4) is None
    assert done.losses == pytest.approx(engine.losses, rel=1e-3)
