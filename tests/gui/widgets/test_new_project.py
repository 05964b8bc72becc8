from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from loragui import project as projects
from loragui.gui.session import Session
from loragui.gui.widgets.new_project import NewProject, WorkspaceBox
from loragui.paths import Workspace
from tests.gui.widgets.cuts import cut

Settle = Callable[[Session], None]


@pytest.fixture
def dialog(session: Session, qtbot: QtBot, settle: Settle) -> NewProject:
    made = NewProject(session)
    qtbot.addWidget(made)
    made.open()
    qtbot.waitUntil(made.isActiveWindow)
    settle(session)
    return made


def texts(widget: QWidget) -> str:
    return "\n".join(part.text() for part in widget.findChildren(QLabel) if part.isVisible())


def test_a_name_is_needed_and_the_cursor_is_there(dialog: NewProject, qtbot: QtBot) -> None:
    assert dialog.focusWidget() is dialog.name
    assert str(dialog.session.workspace.projects) in texts(dialog)
    for name, enough in (("", False), ("   ", False), ("x", True)):
        dialog.name.setText(name)
        assert dialog.confirm.isEnabled() is enough


def test_the_same_name_twice_makes_two_projects(session: Session, qtbot: QtBot, settle: Settle) -> None:
    made: list[Path] = []
    for _ in range(2):
        dialog = NewProject(session)
        qtbot.addWidget(dialog)
        dialog.made.connect(made.append)
        dialog.open()
        settle(session)
        dialog.name.setText(" Orla ")
        qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
        settle(session)
        assert not dialog.isVisible()
    assert len(set(made)) == 2
    assert [projects.load(folder).name for folder in made] == ["Orla", "Orla"]


def test_what_cannot_be_made_is_told_and_can_be_tried_again(
    dialog: NewProject, session: Session, qtbot: QtBot, settle: Settle
) -> None:
    session.workspace.root.mkdir()
    session.workspace.projects.write_text("a file is in the way", encoding="utf-8")
    dialog.name.setText("Orla")
    qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    settle(session)
    assert dialog.problem.isVisible()
    qtbot.waitUntil(lambda: cut(dialog) == [])
    assert dialog.confirm.isEnabled()
    session.workspace.projects.unlink()
    with qtbot.waitSignal(dialog.made, timeout=20_000):
        qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)


def test_esc_makes_nothing(dialog: NewProject, session: Session, qtbot: QtBot) -> None:
    dialog.name.setText("Orla")
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert not session.workspace.projects.exists()


def test_a_workspace_that_will_not_do_blocks_the_button(
    session: Session, qtbot: QtBot, settle: Settle, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    session.workspace = Workspace(tmp_path / "file" / "w")
    dialog = NewProject(session)
    qtbot.addWidget(dialog)
    dialog.open()
    dialog.name.setText("Orla")
    settle(session)
    assert not dialog.confirm.isEnabled()
    assert dialog.problems.isVisible()
    qtbot.waitUntil(lambda: cut(dialog) == [])


def test_the_workspace_says_its_place_and_room(session: Session, qtbot: QtBot, settle: Settle) -> None:
    box = WorkspaceBox(session)
    qtbot.addWidget(box)
    box.show()
    settle(session)
    assert str(session.workspace.root) in texts(box)
    assert "free on this disk" in texts(box)
    assert box.problems == ()
