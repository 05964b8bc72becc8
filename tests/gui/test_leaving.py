from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from loragui.gui.memory import Memory
from loragui.gui.session import Session
from loragui.gui.watcher import RunWatcher
from loragui.gui.window import Window
from loragui.jobs import client
from loragui.jobs.folder import STOPPED, RunFolder
from loragui.jobs.plan import Command, Plan
from loragui.jobs.plan import Step as RunStep
from tests.gui.asking import answer, press

SLEEP = (sys.executable, "-c", "import time; print('at work', flush=True); time.sleep(600)")


@pytest.fixture
def window(opened: Session) -> Iterator[Window]:
    made = Window(opened, Memory(opened.workspace))
    made.show()
    yield made
    made.hide()
    made.deleteLater()


@pytest.fixture(params=["train", "engine-build"])
def run(request: pytest.FixtureRequest, opened: Session, qtbot: QtBot) -> Iterator[RunWatcher]:
    """Work that goes on: a training, or something else."""
    folder = RunFolder(opened.workspace.jobs / "work")
    watcher = opened.watch(folder)
    step = RunStep(id="s", title="Working", command=Command(argv=SLEEP))
    watcher.start(Plan(kind=str(request.param), title=f"The {request.param}", steps=(step,)))
    qtbot.waitUntil(lambda: list(watcher.log) == ["at work"] and watcher.plan is not None, timeout=20_000)
    yield watcher
    if folder.is_running():
        client.request_stop(folder)
        list(client.follow(folder))


def test_without_work_it_just_closes(window: Window) -> None:
    assert window.close()


def test_keeping_is_the_default_and_costs_nothing(window: Window, run: RunWatcher, qtbot: QtBot) -> None:
    seen: list[str] = []
    answer(lambda dialog: qtbot.keyClick(dialog, Qt.Key.Key_Return), seen)
    assert window.close()
    assert run.folder.is_running()
    assert not run.stopping
    assert any("Costs nothing" in text for text in seen)
    assert any(run.plan.title in text for text in seen if run.plan)


def test_esc_leaves_window_and_work_as_they_are(window: Window, run: RunWatcher, qtbot: QtBot) -> None:
    answer(lambda dialog: qtbot.keyClick(dialog, Qt.Key.Key_Escape), [])
    assert not window.close()
    assert window.isVisible()
    assert run.folder.is_running()


def test_stopping_now_says_what_it_costs(window: Window, run: RunWatcher, qtbot: QtBot) -> None:
    seen: list[str] = []
    with qtbot.waitSignal(run.ended, timeout=20_000):
        answer(press("Stop now"), seen)
        assert window.close()
    assert run.state == STOPPED
    training = run.plan is not None and run.plan.kind == "train"
    cost = "since the last checkpoint is lost" if training else "must be done again"
    assert any(cost in text for text in seen)


def test_a_training_can_stop_where_nothing_is_lost(window: Window, run: RunWatcher, qtbot: QtBot) -> None:
    seen: list[str] = []
    training = run.plan is not None and run.plan.kind == "train"
    answer(press("Stop after the next checkpoint" if training else "Cancel"), seen)
    assert window.close() is training
    assert ("Stop after the next checkpoint" in seen) is training
    if training:
        qtbot.waitUntil(lambda: run.folder.cancel_file.is_file())
        assert run.folder.cancel_file.read_text() == "after-save"


def test_esc_in_the_window_does_nothing(window: Window, run: RunWatcher, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.isVisible()
    assert run.folder.is_running()
