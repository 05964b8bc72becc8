from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from loragui import project as projects
from loragui.errors import Problem
from loragui.gui.memory import Memory
from loragui.gui.pages.start import StartPage
from loragui.gui.session import Session
from loragui.gui.widgets.new_project import NewProject
from loragui.jobs.events import Metric, RunEnded, RunStarted
from tests import paper
from tests.result.finished import tell

Settle = Callable[[Session], None]
PageOf = Callable[[Session], StartPage]


@pytest.fixture
def page_of(qtbot: QtBot, settle: Settle) -> PageOf:
    def make(session: Session) -> StartPage:
        made = StartPage(session)
        qtbot.addWidget(made)
        made.resize(744, 560)
        made.set_memory(Memory(session.workspace))
        made.show()
        settle(session)
        return made

    return make


def texts(page: StartPage) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def test_the_first_start(session: Session, page_of: PageOf) -> None:
    page = page_of(session)
    assert "None yet." in texts(page)
    assert str(session.workspace.root) in texts(page)
    act = page.act()
    assert act is not None
    assert act.text == "New project …"


def test_projects_show_how_they_stand_and_why(session: Session, page_of: PageOf, qtbot: QtBot, settle: Settle) -> None:
    from loragui import acts

    opened = paper.project(session.workspace.root)
    full = Problem(message="The disk is full.", hint="Free some space.")
    folder = acts.train(opened)
    tell(folder, RunStarted(title="T"), Metric(iteration=7, total=40, loss=2.0), RunEnded(state="failed", problem=full))
    projects.create(session.workspace.projects, "Other")
    page = page_of(session)
    shown = texts(page)
    assert "Failed" in shown
    assert "The disk is full. Free some space." in shown
    assert "Not trained yet" in shown
    name = next(b for b in page.findChildren(QPushButton) if b.text() == "Demo")
    with qtbot.waitSignal(page.open_project) as opening:
        qtbot.mouseClick(name, Qt.MouseButton.LeftButton)
    assert opening.args == [opened.folder]


def test_a_new_project_is_made_with_the_keyboard(
    session: Session, page_of: PageOf, qtbot: QtBot, settle: Settle
) -> None:
    page = page_of(session)
    qtbot.mouseClick(page.new, Qt.MouseButton.LeftButton)
    dialog = page.findChild(NewProject)
    assert dialog is not None
    settle(session)
    assert not dialog.confirm.isEnabled()
    qtbot.keyClicks(dialog.name, "Mein ")
    dialog.name.insert("“Lämpchen”")  # as pasted: Qt's test keys know no such letters
    with qtbot.waitSignal(page.open_project, timeout=20_000) as opening:
        qtbot.keyClick(dialog.name, Qt.Key.Key_Return)
    assert opening.args is not None
    assert projects.load(opening.args[0]).name == "Mein “Lämpchen”"
    assert opening.args[0].name == "mein-lampchen"


def test_a_bad_workspace_is_told_before_anything_is_put_there(
    session: Session, page_of: PageOf, qtbot: QtBot, settle: Settle, tmp_path: Path
) -> None:
    page = page_of(session)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with qtbot.assertNotEmitted(page.workspace_wanted):
        page.workspace.choose(tmp_path / "file")
        settle(session)
    assert page.workspace.findChildren(QLabel)
    with qtbot.waitSignal(page.workspace_wanted, timeout=20_000) as wanted:
        page.workspace.choose(tmp_path / "good")
    assert wanted.args == [tmp_path / "good"]


def test_a_folder_without_a_project_is_refused(session: Session, page_of: PageOf, tmp_path: Path) -> None:
    page = page_of(session)
    page.open_folder(tmp_path)
    assert page.problem.isVisible()
    assert "project.json" in texts(page)


def test_the_demo_is_one_press(session: Session, page_of: PageOf, qtbot: QtBot) -> None:
    page = page_of(session)
    with qtbot.waitSignal(page.demo_wanted):
        qtbot.mouseClick(page.demo, Qt.MouseButton.LeftButton)


def test_an_ampersand_in_a_name_is_shown(session: Session, page_of: PageOf) -> None:
    projects.create(session.workspace.projects, "Mia & Orla")
    page = page_of(session)
    assert "Mia && Orla" in [made.text() for made in page.findChildren(QPushButton)]
    act = page.act()
    assert act is not None
    assert act.text == "Open “Mia && Orla”"
