from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from loragui import acts, machine, steps
from loragui import project as projects
from loragui.data.job import format_job, prepare_plan
from loragui.engine import catalogue, installed
from loragui.engine.installed import Engine
from loragui.paths import resource_path
from loragui.project import DataChoice, FileRef, Hyperparameters, Project
from loragui.steps import Step
from tests import tiny


@pytest.fixture
def opened(tmp_path: Path) -> acts.Open:
    """A project with an engine on paper, a tiny model and the demo's training text."""
    folder = projects.create(tmp_path / "projects", "Demo")
    place = tmp_path / "engines" / "paper"
    place.mkdir(parents=True)
    programs = {name: name for name in ("finetune", "main", "quantize", "export-lora")}
    for name in programs:
        (place / name).touch()
    pin = catalogue.pins()[0]
    installed.save(
        Engine(
            name="paper", folder=place, pin=pin.id, commit=pin.commit, recipe="gcc", built="2026-11-25", size=1,
            programs=programs, flags=dict.fromkeys(programs, ()), environment={},
        )
    )  # fmt: skip
    tiny.write(tmp_path / "base.gguf", tiny.Tiny())
    project = Project(
        name="Demo",
        engine=FileRef.of(place, folder),
        base_model=FileRef.of(tmp_path / "base.gguf", folder),
        data=DataChoice(files=(FileRef.of(resource_path("demo"), folder),)),
        hyperparameters=Hyperparameters(context_size=512),
    )
    projects.save(folder, project)
    plan = prepare_plan(
        [resource_path("demo")], out=folder / "data", base_model=tmp_path / "base.gguf", context_size=512
    )
    format_job(plan.facts, lambda _event: None)
    return acts.open_project(folder)


@pytest.fixture(scope="module")
def pc() -> machine.Machine:
    return machine.look(Path.cwd())


def codes(step: Step, opened: acts.Open, pc: machine.Machine) -> list[str]:
    return [problem.code for problem in steps.problems(step, opened, pc)]


def without(opened: acts.Open, **changes: object) -> acts.Open:
    return dataclasses.replace(opened, project=dataclasses.replace(opened.project, **changes))  # type: ignore[arg-type]


def test_a_finished_preparation_opens_the_training(opened: acts.Open, pc: machine.Machine) -> None:
    assert codes(Step.TRAIN, opened, pc) == []
    assert codes(Step.RESULT, opened, pc) == ["no-training"]


def test_an_empty_project_opens_the_first_step_only(opened: acts.Open, pc: machine.Machine) -> None:
    empty = without(opened, engine=None, base_model=None)
    assert codes(Step.ENGINE, empty, pc) == []
    assert codes(Step.MODEL, empty, pc) == ["no-engine"]
    assert "no-model" in codes(Step.DATA, empty, pc)


def test_text_made_for_another_context_locks_the_training(opened: acts.Open, pc: machine.Machine) -> None:
    changed = without(opened, hyperparameters=Hyperparameters(context_size=128))
    assert "data-outdated" in codes(Step.TRAIN, changed, pc)


def test_wrong_settings_and_a_small_pc_lock_the_training(opened: acts.Open, pc: machine.Machine) -> None:
    assert codes(Step.TRAIN, without(opened, hyperparameters=Hyperparameters(context_size=512, rank=0)), pc)
    small = dataclasses.replace(pc, ram_total_bytes=1 << 20, ram_available_bytes=1 << 20)
    assert "ram-too-small" in codes(Step.TRAIN, opened, small)


def test_a_model_that_needs_a_copy_is_told(opened: acts.Open, pc: machine.Machine, tmp_path: Path) -> None:
    tiny.write(tmp_path / "base.gguf", tiny.Tiny(kv_heads=2))
    assert codes(Step.DATA, opened, pc)
