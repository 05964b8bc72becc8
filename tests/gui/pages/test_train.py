from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox
from pytestqt.qtbot import QtBot

from loragui import acts
from loragui.engine.installed import Engine
from loragui.errors import Problem
from loragui.gui.page import Page
from loragui.gui.pages.train import TrainPage
from loragui.gui.session import Session
from loragui.jobs import client
from loragui.jobs.events import Metric, Note, RunEnded, RunStarted, Saved
from loragui.jobs.folder import DONE, RUNNING, STOPPED, RunFolder
from loragui.project import FileRef, Hyperparameters
from loragui.steps import Step
from loragui.training.checkpoints import checkpoint_path
from tests import paper, tiny
from tests.gui.pages.reading import texts
from tests.result import finished
from tests.training.files import write_checkpoint

Settle = Callable[[Session], None]


@pytest.fixture
def page_of(show: Callable[[Page], None]) -> Callable[[Session], TrainPage]:
    def make(session: Session) -> TrainPage:
        made = TrainPage(session)
        show(made)
        return made

    return make


def stopped(opened: acts.Open, saved: int = 20) -> RunFolder:
    folder = acts.train(opened)
    finished.tell(folder, RunStarted(title="Training", attempt=1))
    for number in range(1, saved + 4):
        finished.tell(folder, Metric(iteration=number, total=256, loss=3 - number / 20, seconds=2.0, eta=60.0))
    finished.tell(folder, Saved(path=f"checkpoint-{saved}.gguf", iteration=saved), Note(text="Saved and checked."))
    finished.tell(folder, RunEnded(state=STOPPED, seconds=60))
    write_checkpoint(checkpoint_path(folder.path, saved), saved)
    return folder


def project(session: Session) -> acts.Open:
    assert session.store.opened is not None
    return session.store.opened


def test_before_the_first_training(opened: Session, page_of: Callable[[Session], TrainPage]) -> None:
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert (act.text, act.enabled) == ("Start training", True)
    assert "About" in act.why
    assert "It takes about" in texts(page)
    assert not page.status.isVisible()


def test_a_locked_step_says_why(opened: Session, page_of: Callable[[Session], TrainPage], settle: Settle) -> None:
    opened.store.edit_settings(context_size=64)
    settle(opened)
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert not act.enabled
    assert "512" in act.why
    assert "512" in texts(page)


def test_a_stopped_training_is_offered_to_go_on(opened: Session, page_of: Callable[[Session], TrainPage]) -> None:
    stopped(project(opened))
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert act.text == "Resume training"
    assert "20" in act.why
    shown = texts(page)
    assert "Iteration 23 of 256, loss 1.850" in shown
    assert "Saved and checked." in shown
    assert "go on from iteration 20" in shown
    assert page.status.resume.isVisible()
    assert not page.status.stop.isVisible()


def test_the_curve_its_axis_and_its_table(
    opened: Session, page_of: Callable[[Session], TrainPage], qtbot: QtBot, settle: Settle, tmp_path: Path
) -> None:
    stopped(project(opened))
    page = page_of(opened)
    qtbot.waitUntil(lambda: page.curve.plot is not None)
    assert page.curve.series is not None
    assert list(page.curve.series.iterations) == list(range(1, 24))
    assert page.curve.series.checkpoints == [20]
    qtbot.keyClick(page.curve.axis, Qt.Key.Key_Down)
    assert page.curve.axis.currentData() == "time"
    page.curve.save_table(tmp_path / "loss.csv")
    page.curve.save_picture(tmp_path / "loss.png")
    settle(opened)
    with (tmp_path / "loss.csv").open(newline="", encoding="utf-8-sig") as source:
        rows = list(csv.reader(source))
    assert len(rows) == 24
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_a_table_that_cannot_be_written_is_told(
    opened: Session, page_of: Callable[[Session], TrainPage], settle: Settle, tmp_path: Path
) -> None:
    stopped(project(opened))
    page = page_of(opened)
    page.curve.save_table(tmp_path / "no" / "loss.csv")
    settle(opened)
    assert page.curve.problem.isVisible()


def test_a_failure_is_shown_with_its_remedy(opened: Session, page_of: Callable[[Session], TrainPage]) -> None:
    folder = stopped(project(opened))
    problem = Problem(message="The disk is full.", hint="Free some space, then resume.", code="disk-full")
    finished.tell(folder, RunStarted(title="Training", attempt=2), RunEnded(state="failed", problem=problem))
    page = page_of(opened)
    assert page.status.problem.problem == problem
    assert page.status.problem.isVisible()
    assert page.status.resume.isVisible()


def test_a_done_training_leads_on_and_changed_choices_are_told(
    opened: Session, page_of: Callable[[Session], TrainPage], qtbot: QtBot, settle: Settle
) -> None:
    finished.training(project(opened))
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert act.run is not None
    with qtbot.waitSignal(page.go) as gone:
        act.run()
    assert gone.args == [Step.RESULT]
    assert not page.status.advice.isVisible()
    opened.store.edit_settings(rank=4)
    settle(opened)
    page.refresh()
    settle(opened)
    assert page.status.advice.isVisible()


def test_earlier_trainings_are_drawn_when_marked(
    opened: Session, page_of: Callable[[Session], TrainPage], qtbot: QtBot, settle: Settle
) -> None:
    finished.training(project(opened))
    stopped(project(opened))
    page = page_of(opened)
    (box,) = page.runs.findChildren(QCheckBox)
    assert "Training 0001, 12 of 12 iterations, loss 2.500" in box.text()
    qtbot.keyClick(box, Qt.Key.Key_Space)
    settle(opened)
    assert set(page.curve.overlays) == {"Training 0001"}
    qtbot.keyClick(box, Qt.Key.Key_Space)
    settle(opened)
    assert not page.curve.overlays


def test_what_cannot_be_started_is_told(
    opened: Session, page_of: Callable[[Session], TrainPage], settle: Settle
) -> None:
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert act.run is not None
    (project(opened).data / "train.txt").unlink()
    act.run()
    settle(opened)
    assert page.problem.isVisible()
    assert "Training data" in page.problem.problem.hint if page.problem.problem else False


@pytest.fixture
def live(session: Session, engine: Engine, settle: Settle) -> Session:
    """A project that trains a tiny model with the real engine in seconds."""
    opened = paper.project(session.workspace.root)
    base = tiny.write(session.workspace.root / "larger.gguf", tiny.Tiny(embedding=128, feed_forward=256))
    session.store.open(opened.folder)
    session.store.edit(
        engine=FileRef.of(engine.folder, opened.folder),
        base_model=FileRef.of(base, opened.folder),
        hyperparameters=Hyperparameters(
            context_size=paper.CONTEXT, iterations=100_000, rank=4, alpha=4, threads=1, save_every=4
        ),
    )
    paper.text(project(session))
    session.refresh_gates()
    settle(session)
    return session


@pytest.mark.real
def test_start_pause_and_resume_for_real(
    live: Session, page_of: Callable[[Session], TrainPage], qtbot: QtBot, settle: Settle
) -> None:
    page = page_of(live)
    act = page.act()
    assert act is not None
    assert act.run is not None
    act.run()
    qtbot.waitUntil(lambda: page.status.saved >= 4, timeout=60_000)
    run = page.run
    assert run is not None
    assert run.state == RUNNING
    assert page.act() is not None
    assert "Pause waits for the next checkpoint" in texts(page)
    qtbot.waitUntil(lambda: page.curve.series is not None and len(page.curve.series) > 3, timeout=10_000)
    qtbot.waitUntil(lambda: page.status.ram.isVisible() and "for this work" in page.status.ram.sentence())
    with qtbot.waitSignal(live.run_ended, timeout=60_000):
        qtbot.mouseClick(page.status.pause, Qt.MouseButton.LeftButton)
    settle(live)
    qtbot.waitUntil(lambda: page.seen.standing is not None and page.seen.standing.can_resume, timeout=10_000)
    standing = page.seen.standing
    assert standing is not None
    assert standing.saved % 4 == 0
    assert "Paused" in page.status.state.text()
    with qtbot.waitSignal(run.fresh, timeout=60_000):
        qtbot.mouseClick(page.status.resume, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.status.saved > standing.saved, timeout=60_000)
    with qtbot.waitSignal(live.run_ended, timeout=60_000):
        qtbot.mouseClick(page.status.stop, Qt.MouseButton.LeftButton)
    assert run.state == STOPPED
    assert not run.folder.is_running()
    assert page.curve.series is not None
    numbers = list(page.curve.series.iterations)
    assert numbers == sorted(set(numbers))


@pytest.mark.real
def test_a_training_that_was_started_elsewhere_is_shown(
    live: Session, page_of: Callable[[Session], TrainPage], qtbot: QtBot
) -> None:
    opened = project(live)
    short = dataclasses.replace(opened.project.hyperparameters, iterations=8)
    opened = dataclasses.replace(opened, project=dataclasses.replace(opened.project, hyperparameters=short))
    folder = acts.train(opened)
    client.start(folder)
    page = page_of(live)
    qtbot.waitUntil(lambda: page.run is not None and page.run.state == DONE, timeout=60_000)
    qtbot.waitUntil(lambda: "Iteration 8 of 8" in texts(page))
