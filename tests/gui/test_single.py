from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pytestqt.qtbot import QtBot

from loragui.gui.single import Single
from loragui.paths import Workspace

CHILD = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from loragui.gui.single import Single
from loragui.paths import Workspace
app = QCoreApplication([])
single = Single(Workspace(Path(sys.argv[1])))
print("first" if single.first else "second", flush=True)
if single.first:
    app.exec()
else:
    single.tell(Path(sys.argv[2]) if len(sys.argv) > 2 else None)
"""


def start(*words: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *map(str, words)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )


def said(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def test_a_second_start_hands_over_its_project(workspace: Workspace, qtbot: QtBot, tmp_path: Path) -> None:
    single = Single(workspace)
    assert single.first
    project = tmp_path / "My “project” ü"
    with qtbot.waitSignal(single.asked, timeout=20_000) as asked:
        child = start(workspace.root, project)
    assert asked.args == [project]
    assert said(child) == "second"
    child.communicate()
    with qtbot.waitSignal(single.asked, timeout=20_000) as asked:
        child = start(workspace.root)
    assert asked.args == [None]
    child.communicate()
    single.release()


def test_a_killed_window_frees_its_workspace(workspace: Workspace, qapp: object) -> None:
    child = start(workspace.root)
    assert said(child) == "first"
    assert not Single(workspace).first
    child.kill()
    child.communicate()
    single = Single(workspace)
    assert single.first
    single.release()


def test_two_workspaces_do_not_meet(workspace: Workspace, qapp: object, tmp_path: Path) -> None:
    one, other = Single(workspace), Single(Workspace(tmp_path / "other"))
    assert one.first
    assert other.first
    one.release()
    again = Single(workspace)
    assert again.first
    for single in (again, other):
        single.release()
