from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from loragui import acts
from loragui.errors import Problem
from loragui.jobs.events import Metric, RunEnded, RunStarted
from loragui.jobs.folder import RunFolder
from loragui.training.checkpoints import checkpoint_path
from loragui.training.standing import lost_by_stopping, standing, wait_for_save
from tests import paper
from tests.result.finished import tell
from tests.training.files import write_checkpoint


@pytest.fixture
def opened(tmp_path: Path) -> acts.Open:
    return paper.project(tmp_path)


def begun(opened: acts.Open, *, saved: int, state: str, problem: Problem | None = None) -> RunFolder:
    folder = acts.train(opened)
    total = opened.project.hyperparameters.iterations
    tell(folder, RunStarted(title="Training", attempt=1), Metric(iteration=saved + 3, total=total, loss=1.5))
    tell(folder, RunEnded(state=state, problem=problem))
    if saved:
        write_checkpoint(checkpoint_path(folder.path, saved), saved)
    return folder


def test_nothing_trained_yet(opened: acts.Open) -> None:
    assert acts.training_standing(opened) is None


def test_a_stopped_training_goes_on_from_its_checkpoint(opened: acts.Open) -> None:
    folder = begun(opened, saved=20, state="stopped")
    found = acts.training_standing(opened)
    assert found is not None
    assert (found.can_resume, found.saved, found.changed) == (True, 20, False)
    assert found.summary.iteration == 23
    plan = acts.resume(opened, folder).load_plan()
    assert "checkpoint-20.gguf" in plan.steps[0].command.argv


def test_a_training_that_ran_away_does_not_go_on(opened: acts.Open) -> None:
    nan = Problem(message="The loss is not a number.", code="nan")
    found = standing(begun(opened, saved=20, state="failed", problem=nan))
    assert not found.can_resume
    assert standing(begun(opened, saved=0, state="failed", problem=Problem(message="x", code="disk-full"))).can_resume


def test_a_complete_one_has_nothing_left(opened: acts.Open) -> None:
    total = opened.project.hyperparameters.iterations
    assert not standing(begun(opened, saved=total, state="done")).can_resume


def test_other_choices_are_told(opened: acts.Open) -> None:
    begun(opened, saved=20, state="stopped")
    settings = dataclasses.replace(opened.project.hyperparameters, rank=4)
    other = dataclasses.replace(opened, project=dataclasses.replace(opened.project, hyperparameters=settings))
    found = acts.training_standing(other)
    assert found is not None
    assert found.changed
    (opened.data / "train.txt").write_text("other", encoding="utf-8")
    found = acts.training_standing(opened)
    assert found is not None
    assert found.changed


def test_what_stopping_costs() -> None:
    assert lost_by_stopping(27, 20, 2.0) == (7, 14.0)
    assert lost_by_stopping(20, 20, None) == (0, 0.0)
    assert wait_for_save(27, 10, 2.0) == 6.0
    assert wait_for_save(30, 10, 2.0) == 20.0
    assert wait_for_save(30, 0, 2.0) == wait_for_save(30, 10, None) == 0.0
