from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from loragui import acts, demo, machine
from loragui import project as projects
from loragui.data.demo import load_demo
from loragui.errors import Problem
from loragui.jobs.events import RunEnded, RunStarted
from loragui.machine import Machine
from loragui.paths import Workspace
from loragui.steps import Gate, Step
from tests import paper
from tests.result import finished

DONE = dict.fromkeys(Step, Gate())


@pytest.fixture(scope="module")
def pc() -> Machine:
    return machine.look(Path.cwd())


@pytest.fixture
def opened(tmp_path: Path) -> acts.Open:
    return paper.project(tmp_path)


def asked(opened: acts.Open, state: str) -> None:
    folder = acts.ask(opened, acts.candidates(opened, with_lora=False), "The lamp", tokens=4, seed=1)
    finished.tell(folder, RunStarted(title="Trying"), RunEnded(state=state))


def test_the_project_is_what_the_demonstration_says(pc: Machine, tmp_path: Path) -> None:
    eight = dataclasses.replace(pc, physical_cores=8)
    example, engine = load_demo(), tmp_path / "engines" / "e"
    engine.mkdir(parents=True)
    made = demo.project(example, eight, tmp_path / "projects" / "demo", engine=engine, model=None)
    assert made.engine is not None
    assert made.engine.resolve(tmp_path / "projects" / "demo") == engine
    assert made.base_model is None
    assert [file.resolve(tmp_path) for file in made.data.files] == list(example.files)
    assert (made.data.template, made.data.seed) == (example.template, example.seed)
    chosen = dataclasses.asdict(made.hyperparameters)
    assert {name: chosen[name] for name in example.training} == dict(example.training)
    assert chosen["threads"] == example.training.get("threads", 7)
    assert (chosen["context_size"], chosen["save_every"]) == (example.context_size, demo.SAVE_EVERY)


def test_it_is_made_once_and_then_left_as_it_is(pc: Machine, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = demo.ensure(workspace, pc)
    made = projects.load(folder)
    assert folder == workspace.projects / demo.FOLDER
    assert made.name == demo.NAME
    assert all(file.resolve(folder).exists() for file in made.data.files)
    projects.save(folder, dataclasses.replace(made, name="Mine now"))
    assert demo.ensure(workspace, pc) == folder
    assert projects.load(folder).name == "Mine now"


@pytest.mark.parametrize("step", Step)
def test_the_first_step_that_is_not_done_comes_next(opened: acts.Open, step: Step) -> None:
    gates = {**DONE, step: Gate(missing=(Problem(message="It is missing."),))}
    assert demo.next_step(opened.folder, gates) is step


def test_advice_holds_nothing_up(opened: acts.Open) -> None:
    gates = {**DONE, Step.DATA: Gate(missing=(Problem(message="Few samples.", blocking=False),))}
    assert demo.next_step(opened.folder, gates) is Step.RESULT


def test_it_is_over_when_the_newest_merge_was_compared(opened: acts.Open) -> None:
    training = finished.training(opened)
    finished.merge(opened, training)
    assert demo.next_step(opened.folder, DONE) is Step.RESULT
    asked(opened, "failed")
    assert demo.next_step(opened.folder, DONE) is Step.RESULT
    asked(opened, "done")
    assert demo.next_step(opened.folder, DONE) is None
    asked(opened, "stopped")
    assert demo.next_step(opened.folder, DONE) is None, "it was compared before"
    finished.merge(opened, training)
    assert demo.next_step(opened.folder, DONE) is Step.RESULT, "not yet what is newer"
