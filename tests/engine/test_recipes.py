from __future__ import annotations

import json
from pathlib import Path

import pytest

from loragui.engine import catalogue, recipes
from loragui.errors import AppError
from loragui.jobs.plan import Plan
from loragui.paths import Workspace, resource_path

PIN = catalogue.pin("b2896")
WHEELS, GCC = catalogue.recipe("wheels"), catalogue.recipe("gcc")
LINUX, WINDOWS = "linux-x86_64", "win32-AMD64"


def steps(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]


def test_everything_is_fetched_and_built_on_a_fresh_machine(tmp_path: Path) -> None:
    plan = recipes.build_plan(WHEELS, PIN, Workspace(tmp_path), system=LINUX)
    assert steps(plan) == ["download", "tools", "unpack", "helper", "configure", "compile", "install"]
    assert plan.facts["engine"] == str(tmp_path / "engines" / "b2896-wheels")
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_what_the_cache_holds_is_not_fetched_again(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    fresh = recipes.build_plan(WHEELS, PIN, workspace, system=LINUX)
    (workspace.cache / "packages").mkdir(parents=True)
    (workspace.cache / "packages" / PIN.archive).write_bytes(b"x")
    install = json.loads(next(step for step in fresh.steps if step.id == "tools").command.argv[-1])
    Path(install["into"]).mkdir(parents=True)
    again = recipes.build_plan(WHEELS, PIN, workspace, system=LINUX)
    assert steps(again) == ["unpack", "helper", "configure", "compile", "install"]
    assert again.steps == fresh.steps[2:]


def test_the_wheels_recipe_runs_only_programs_from_its_packages(tmp_path: Path) -> None:
    plan = recipes.build_plan(WHEELS, PIN, Workspace(tmp_path), system=LINUX, jobs=3)
    tools = next((tmp_path / "cache").glob("tools/*"), None)
    assert tools is None  # nothing is made by planning
    by_id = {step.id: step.command for step in plan.steps}
    helper, configure, ninja = by_id["helper"].argv, by_id["configure"].argv, by_id["compile"].argv
    assert helper[0].endswith("/ziglang/zig")
    assert helper[1:3] == ("cc", "-target")
    assert configure[0].endswith("/cmake/data/bin/cmake")
    assert configure[1:7] == ("-S", "source", "-B", "build", "-G", "Ninja")
    assert f"-DCMAKE_TOOLCHAIN_FILE={resource_path('engine', 'zig.cmake')}" in configure
    assert ninja[1:] == ("-C", "build", "-j", "3", "finetune", "export-lora", "main", "quantize")
    for command in (by_id["helper"], by_id["configure"], by_id["compile"]):
        assert command.cwd.startswith(str(tmp_path / "cache" / "builds"))
        assert command.reader == "ninja"
        assert command.env["CC"] is None
        assert command.env["LORAGUI_SYSTEM"] == "Linux"
        assert command.env["NINJA_STATUS"] == "[%f/%t] "


def test_the_toolchain_file_gets_every_variable_that_it_asks_for(tmp_path: Path) -> None:
    text = resource_path("engine", "zig.cmake").read_text(encoding="utf-8")
    asked = {part.split("}")[0] for part in text.split("$ENV{")[1:]}
    for system in WHEELS.systems:
        plan = recipes.build_plan(WHEELS, PIN, Workspace(tmp_path), system=system)
        env = next(step for step in plan.steps if step.id == "configure").command.env
        assert asked <= set(env)


def test_windows_gets_its_own_names(tmp_path: Path) -> None:
    plan = recipes.build_plan(WHEELS, PIN, Workspace(tmp_path), system=WINDOWS)
    by_id = {step.id: step.command for step in plan.steps}
    assert by_id["compile"].argv[0].endswith("/bin/ninja.exe")
    assert "-DLLAMA_WIN_VER=0x602" in by_id["configure"].argv
    install = json.loads(by_id["install"].argv[-1])
    assert install["programs"]["finetune"] == "finetune.exe"
    assert [Path(file).name for file in install["libraries"]] == ["libscipy_openblas.dll"]


def test_the_gcc_recipe(tmp_path: Path) -> None:
    plan = recipes.build_plan(GCC, PIN, Workspace(tmp_path), system=LINUX, jobs=2)
    assert steps(plan) == ["download", "unpack", "helper", "compile", "install"]
    by_id = {step.id: step.command for step in plan.steps}
    assert by_id["compile"].argv == (
        "make", "-C", "source", "-j2", "LDFLAGS=unbuffer.o", "finetune", "export-lora", "main", "quantize",
    )  # fmt: skip
    assert by_id["compile"].reader == "make"
    assert by_id["compile"].env["LLAMA_CUBLAS"] is None
    assert json.loads(by_id["install"].argv[-1])["libraries"] == []


def test_another_place_or_setting_gets_another_build_folder(tmp_path: Path) -> None:
    def work(recipe: catalogue.Recipe, root: Path) -> str:
        return recipes.build_plan(recipe, PIN, Workspace(root), system=LINUX).steps[-2].command.cwd

    first = work(WHEELS, tmp_path / "a")
    assert first == work(WHEELS, tmp_path / "a")
    assert Path(first).name != Path(work(WHEELS, tmp_path / "b")).name
    assert Path(first).name != Path(work(GCC, tmp_path / "a")).name


def test_another_system_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(AppError) as caught:
        recipes.build_plan(GCC, PIN, Workspace(tmp_path), system=WINDOWS)
    assert caught.value.problem.code == "other-system"
    assert recipes.problems(WHEELS, system=LINUX) == ()


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    (problem,) = recipes.problems(GCC, system=LINUX)
    assert problem.code == "program-missing"
    assert "cc, c++, make" in problem.message
    assert recipes.problems(WHEELS, system=LINUX) == ()


def test_the_disk_needed_is_said() -> None:
    assert 700e6 < recipes.disk_needed(WHEELS, PIN) < 1e9
    assert 100e6 < recipes.disk_needed(GCC, PIN) < 300e6
