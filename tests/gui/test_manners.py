from __future__ import annotations

import sys

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from loragui.errors import Problem
from loragui.gui import taskbar
from loragui.gui.manners import Manners, icon
from loragui.gui.session import Session
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan
from loragui.jobs.plan import Step as RunStep


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """What the taskbar was told."""
    told: list[float | None] = []
    monkeypatch.setattr(taskbar, "show_progress", lambda _window, fraction: told.append(fraction))
    return told


@pytest.fixture
def manners(session: Session, qtbot: QtBot) -> Manners:
    window = QWidget()
    qtbot.addWidget(window)
    return Manners(window, session)


def test_the_taskbar_follows_the_work(
    session: Session, manners: Manners, shown: list[float | None], qtbot: QtBot
) -> None:
    run = session.watch(RunFolder(session.workspace.jobs / "x"))
    command = Command(argv=(sys.executable, "-c", "print('x')"))
    run.start(Plan(kind="t", title="Building", steps=(RunStep(id="s", title="s", command=command),)))
    manners._show_progress()
    with qtbot.waitSignal(session.run_ended, timeout=20_000):
        pass
    assert shown[0] == 0.0
    assert shown[-1] is None
    assert manners.words(run) == ("Building", "Done.")
    run.state, run.problem = "failed", Problem(message="The disk is full.", hint="Free some space.")
    assert manners.words(run) == ("Building", "The disk is full. Free some space.")


def test_what_docks_are_told() -> None:
    message = taskbar.dock_message(0.25)
    assert (message.path(), message.member()) == ("/loragui", "Update")
    assert message.arguments()[0] == "application://loragui.desktop"
    assert message.arguments()[1] == {"progress": 0.25, "progress-visible": True}
    assert taskbar.dock_message(None).arguments()[1]["progress-visible"] is False


def test_there_is_a_picture(qapp: object) -> None:
    assert not icon().pixmap(32, 32).isNull()
