from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from loragui import acquire, machine, steps
from loragui.engine import catalogue, installed, recipes, tuning
from loragui.engine.ready import READY
from loragui.engine.recipes import engine_name
from loragui.engine.sources import FOLDER, Source
from loragui.engine.tools import Found
from loragui.engine.tuning import Tuning
from loragui.errors import AppError, Problem
from loragui.jobs import events
from loragui.jobs.events import RunEnded, RunStarted
from loragui.jobs.folder import DONE, FAILED
from loragui.jobs.plan import Plan
from loragui.model import catalogue as models
from loragui.model.inspect import inspect
from loragui.model.judge import Accepts, judge
from loragui.paths import Workspace, resource_path
from loragui.project import FileRef, Hyperparameters
from loragui.steps import Step
from tests import paper
from tests.model import models as kinds

PIN = catalogue.pins()[0]
ACCEPTS = Accepts.of(PIN.accepts)
FREE = catalogue.recipe("wheels")
"""The recipe that needs nothing."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def built(workspace: Workspace, name: str) -> Path:
    """An engine on paper of that name."""
    paper.project(workspace.root)
    engine = installed.load(workspace.engines / "paper")
    place = engine.folder.rename(workspace.engines / name)
    installed.save(dataclasses.replace(engine, name=name, folder=place))
    return place


def test_an_engine_is_built_where_it_is_looked_for(workspace: Workspace) -> None:
    work = acquire.engine_work(FREE, workspace, found={})
    name = engine_name(PIN, FREE)
    assert work.makes == workspace.engines / name
    assert work.folder.path == acquire.engine_folder(name, workspace).path == workspace.jobs / f"engine-{name}"
    assert steps.step_of(work.plan.kind) is Step.ENGINE
    assert acquire.built(FREE, workspace) is None
    place = built(workspace, name)
    found = acquire.built(FREE, workspace)
    assert found is not None
    assert found.folder == place
    (place / "finetune").unlink()
    assert acquire.built(FREE, workspace) is None, "it is damaged"
    assert not any(workspace.jobs.glob("*")), "nothing was begun"


@pytest.mark.skipif(sys.platform != "linux", reason="the compiler of Linux")
def test_the_wanted_revision_and_source(workspace: Workspace) -> None:
    gcc, older = catalogue.recipe("gcc"), catalogue.pin("b1298")
    found = {name: Found(path=f"/usr/bin/{name}") for name in ("gcc", "gxx", "make")}
    work = acquire.engine_work(gcc, workspace, found=found, pin=older)
    assert work.makes == workspace.engines / "b1298-gcc"
    mine = acquire.engine_work(gcc, workspace, found=found, pin=older, source=Source(kind=FOLDER, place="/mine"))
    assert mine.folder.path == work.folder.path
    assert mine.plan.steps[0].id == "copy"
    assert acquire.engine_work(gcc, workspace, found=found, pin=older, anew=True).plan != work.plan


def test_what_this_pc_cannot_build_is_refused(workspace: Workspace) -> None:
    other = dataclasses.replace(FREE, on={"solaris-sparc": FREE.on["linux-x86_64"]})
    with pytest.raises(AppError, match="not available for this kind of computer") as refused:
        acquire.engine_work(other, workspace, found={})
    assert refused.value.problem.code == "other-system"
    needy = dataclasses.replace(next(iter(FREE.on.values())), needs=("vulkan",))
    missing = dataclasses.replace(FREE, on={catalogue.this_system(): needy})
    with pytest.raises(AppError, match="Vulkan loader") as refused:
        acquire.engine_work(missing, workspace, found={"vulkan": None})
    assert refused.value.problem.code == "tool-missing"


def jobs(plan: Plan) -> str:
    """How many compilers the plan runs at once."""
    (argv,) = (step.command.argv for step in plan.steps if step.id == "compile")
    return argv[argv.index("-j") + 1]


@pytest.mark.parametrize(("code", "fewer"), [("compiler-memory", True), ("disk-full", False), ("", False)])
def test_a_build_that_ran_out_of_memory_goes_on_with_one_compiler(
    code: str, fewer: bool, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "ram", lambda: (64 << 30, 64 << 30))
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    before = acquire.engine_work(FREE, workspace, found={})
    assert jobs(before.plan) == "6"
    before.folder.save_plan(before.plan)
    problem = Problem(message="x", code=code) if code else None
    ended = RunStarted(title="x"), RunEnded(state=FAILED if code else DONE, problem=problem)
    before.folder.events_file.write_text("".join(events.to_line(event, 1.0) + "\n" for event in ended))
    after = acquire.engine_work(FREE, workspace, found={})
    assert jobs(after.plan) == ("1" if fewer else "6")
    work = [plan.steps[-2].command.cwd for plan in (before.plan, after.plan)]
    assert work[0] == work[1], "what is compiled is kept"


def test_a_failure_of_that_code_is_in_the_list() -> None:
    text = resource_path("failures.toml").read_text(encoding="utf-8")
    assert f'"{acquire.COMPILER_MEMORY}"' in text


def test_what_could_replace_an_engine(workspace: Workspace) -> None:
    engine = installed.load(built(workspace, "mine"))
    gcc = catalogue.recipe("gcc")
    assert acquire.newer(engine) is None, "it is of the recommended revision"
    older = dataclasses.replace(engine, pin="b1298")
    assert acquire.newer(older) == (gcc, PIN)
    forgotten = dataclasses.replace(engine, pin="b1000")
    assert acquire.newer(forgotten) == (gcc, PIN)
    assert acquire.newer(dataclasses.replace(older, recipe="cuda", pin="b2321")) is None, "the newest for a card"
    assert acquire.newer(dataclasses.replace(older, recipe="gone")) is None
    assert acquire.newer(dataclasses.replace(older, recipe=READY)) is None


def test_what_an_engine_can_train(workspace: Workspace) -> None:
    assert acquire.accepts_of(None, workspace.root) == PIN.accepts
    place = built(workspace, "mine")
    installed.save(dataclasses.replace(installed.load(place), accepts={"gqa": True}))
    chosen = FileRef.of(place, workspace.root)
    assert acquire.accepts_of(chosen, workspace.root) == {"gqa": True}
    place.rename(place.with_name("gone"))
    with pytest.raises(AppError):
        acquire.accepts_of(chosen, workspace.root)


@pytest.mark.parametrize("entry", models.recommended(), ids=lambda entry: entry.id)
def test_a_recommended_model_is_downloaded_to_the_workspace(workspace: Workspace, entry: models.Recommended) -> None:
    work = acquire.model_work(entry, workspace)
    assert work.makes.parent == workspace.models
    assert work.folder.path == workspace.jobs / f"fetch-{entry.id}"
    assert steps.step_of(work.plan.kind) is Step.MODEL


def test_a_copy_stands_beside_its_source(workspace: Workspace, tmp_path: Path) -> None:
    source = kinds.write(tmp_path / "Some Model ä.gguf", kinds.Tiny())
    before = source.read_bytes()
    work = acquire.copy_work(source, judge(inspect(source), ACCEPTS), workspace)
    assert work.makes.parent == workspace.models
    assert work.makes != source
    assert work.folder.path.parent == workspace.jobs
    assert work.folder.path.name.isascii()
    assert steps.step_of(work.plan.kind) is Step.MODEL
    assert source.read_bytes() == before


def test_no_copy_of_what_needs_none_or_cannot_be_helped(workspace: Workspace, tmp_path: Path) -> None:
    fine = kinds.write(tmp_path / "fine.gguf", kinds.Tiny(kv_heads=4, tied=False, pre="starcoder"))
    with pytest.raises(AppError, match="can be trained as it is") as error:
        acquire.copy_work(fine, judge(inspect(fine), ACCEPTS), workspace)
    assert error.value.problem.code == "no-copy-needed"
    hopeless = kinds.write(tmp_path / "hopeless.gguf", kinds.Tiny(tied=False, pre="tekken"))
    verdict = judge(inspect(hopeless), ACCEPTS)
    assert verdict.reasons[0].code == "gqa", "a copy would mend this one"
    with pytest.raises(AppError) as error:
        acquire.copy_work(hopeless, verdict, workspace)
    assert error.value.problem.code == "pre-tokenizer-unknown"


@pytest.mark.parametrize(("threads", "expected"), [(Hyperparameters().threads, 1), (3, 1), (7, 7)])
def test_an_engine_brings_its_measured_threads_unless_others_were_chosen(
    tmp_path: Path, threads: int, expected: int
) -> None:
    """3 is what is recommended for a PC of four cores."""
    pc = replace(machine.look(tmp_path), physical_cores=4, logical_cores=4)
    engine = tmp_path / "engines" / "e"
    engine.mkdir(parents=True)
    found = Tuning(
        date="2026-11-25", cpu=pc.cpu_name, cores=4, threads=1, blas_threads=4, seconds_default=0.3, seconds_best=0.2
    )
    tuning.save(engine, found)
    settings = Hyperparameters(threads=threads, rank=5)
    chosen = acquire.engine_choice(engine, tmp_path / "projects" / "p", settings, pc)
    assert chosen == {
        "engine": FileRef.of(engine, tmp_path / "projects" / "p"),
        "hyperparameters": replace(settings, threads=expected),
    }
    assert acquire.engine_choice(engine, tmp_path, settings, None)["hyperparameters"] == settings


def test_a_build_begins_only_where_the_disk_has_room(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, pin = catalogue.recipe("wheels"), catalogue.pin("b2896")
    room = shutil.disk_usage(workspace.root)
    needed = recipes.disk_needed(recipe, pin)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: room._replace(free=needed - 1))
    with pytest.raises(AppError, match="Building the engine needs") as refused:
        acquire.engine_work(recipe, workspace, found={})
    assert refused.value.problem.code == "disk-full"
    archive = workspace.cache / "packages" / pin.archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(b"x")
    assert acquire.engine_work(recipe, workspace, found={}).plan.steps, "what is there already takes no more room"
