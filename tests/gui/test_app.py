from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from loragui.gui import app
from loragui.gui.app import Program
from loragui.gui.single import Single
from loragui.gui.window import Window
from loragui.paths import Workspace, default_workspace
from loragui.steps import Step
from tests import paper


@pytest.fixture
def program(workspace: Workspace, styled: object) -> Iterator[Program]:
    made = Program(workspace)
    made.open(workspace, None)
    yield made
    made.finish()
    assert made.window is not None
    made.window.hide()
    made.window.deleteLater()
    made.deleteLater()


def window_of(program: Program) -> Window:
    assert program.window is not None
    return program.window


def idle(program: Program, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window_of(program).session.busy, timeout=20_000)


def test_a_second_start_brings_the_window_to_its_project(program: Program, workspace: Workspace, qtbot: QtBot) -> None:
    opened = paper.project(workspace.root)
    assert not Single(workspace).first
    program.single.asked.emit(opened.folder)
    qtbot.waitUntil(lambda: window_of(program).place is Step.TRAIN, timeout=20_000)
    assert window_of(program).isVisible()


def test_another_workspace_gets_another_window(
    program: Program, workspace: Workspace, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LORAGUI_WORKSPACE")
    before = window_of(program)
    idle(program, qtbot)
    before.workspace_wanted.emit(tmp_path / "other")
    now = window_of(program)
    assert now is not before
    assert now.session.workspace.root == tmp_path / "other"
    assert default_workspace() == tmp_path / "other"
    freed = Single(workspace)
    assert freed.first, "the old workspace is free again"
    freed.release()
    idle(program, qtbot)


def test_a_workspace_that_is_open_elsewhere_is_left_to_its_window(
    program: Program, tmp_path: Path, qtbot: QtBot
) -> None:
    other = Single(Workspace(tmp_path / "other"))
    before = window_of(program)
    with qtbot.waitSignal(other.asked):
        before.workspace_wanted.emit(tmp_path / "other")
    assert window_of(program) is before
    other.release()


def test_a_mistake_of_ours_is_shown_once_and_can_be_copied(
    program: Program, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    net = app._Net(program)
    net.caught(RuntimeError, RuntimeError("a bug"), None)
    dialog = window_of(program)._problems
    assert dialog is not None
    (problem,) = dialog._shown
    assert "Work in the background is not affected" in problem.message
    assert "a bug" in problem.details
    assert "a bug" in capsys.readouterr().err
    dialog.accept()


PROGRAM = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
import loragui.__main__ as program
app = QApplication(sys.argv[:1])
QTimer.singleShot(300, QApplication.closeAllWindows)
sys.exit(program.main())
"""


def test_the_program_starts_shows_and_ends(workspace: Workspace) -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", PROGRAM, "--workspace", str(workspace.root)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


WAITING = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
import loragui.__main__ as program
app = QApplication(sys.argv[:1])
QTimer.singleShot(0, lambda: print("open", flush=True))
QTimer.singleShot(30_000, lambda: app.exit(9))
sys.exit(program.main())
"""


@pytest.mark.skipif(os.name == "nt", reason="no such signal there")
def test_ctrl_c_in_the_terminal_closes_the_window(workspace: Workspace) -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", WAITING, "--workspace", str(workspace.root)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "open"
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
    assert child.returncode == 0, said
    assert "Traceback" not in said
