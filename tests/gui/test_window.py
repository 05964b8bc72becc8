from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from loragui import project as projects
from loragui.errors import Problem
from loragui.gui.memory import Memory
from loragui.gui.session import Session
from loragui.gui.widgets.problem import ProblemBox
from loragui.gui.window import PLACES, Window
from loragui.jobs import client
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan
from loragui.jobs.plan import Step as RunStep
from loragui.steps import Step
from tests.result import finished

Settle = Callable[[Session], None]
Open = Callable[[Session], Window]


@pytest.fixture
def open_window(qtbot: QtBot) -> Iterator[Open]:
    made: list[Window] = []

    def run(session: Session) -> Window:
        window = Window(session, Memory(session.workspace))
        made.append(window)
        window.show()
        qtbot.waitUntil(window.isActiveWindow)
        return window

    yield run
    for window in made:
        window.hide()
        window.deleteLater()


def notes(window: Window) -> list[str]:
    return [made.accessibleDescription() for made in window.sidebar.buttons]


def test_without_a_project_only_the_start_is_open(session: Session, open_window: Open) -> None:
    window = open_window(session)
    assert window.place is None
    assert [made.isEnabled() for made in window.sidebar.buttons] == [True] + 6 * [False]
    assert set(notes(window)[1:]) == {"Open a project first"}
    assert not window.back.isVisible()


def test_locked_places_say_why(opened: Session, open_window: Open, settle: Settle) -> None:
    window = open_window(opened)
    opened.store.edit(engine=None)
    settle(opened)
    assert "No engine is chosen yet." in notes(window)[2]
    labels = [label.text() for label in window.sidebar.buttons[6].findChildren(QLabel)]
    assert "First: Engine" in labels
    assert not window.sidebar.buttons[6].isEnabled()


def test_back_and_the_keys(opened: Session, open_window: Open, qtbot: QtBot) -> None:
    window = open_window(opened)
    for number in range(6):
        qtbot.keyClick(window, Qt.Key(Qt.Key.Key_0.value + number), Qt.KeyboardModifier.AltModifier)
        qtbot.waitUntil(lambda wanted=PLACES[number]: window.place is wanted)  # type: ignore[misc]
    qtbot.mouseClick(window.back, Qt.MouseButton.LeftButton)
    assert window.place is Step.SETTINGS
    qtbot.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert window.place is Step.DATA
    qtbot.mouseClick(window.sidebar.buttons[1], Qt.MouseButton.LeftButton)
    assert window.place is Step.ENGINE


def test_the_main_button_is_named_after_its_act_and_has_a_key(
    opened: Session, open_window: Open, qtbot: QtBot, settle: Settle
) -> None:
    window = open_window(opened)
    window.show_place(Step.ENGINE)
    settle(opened)
    assert window.main.text() == "Continue to the base model"
    qtbot.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert window.place is Step.MODEL


def test_finished_steps_can_be_revisited(opened: Session, open_window: Open, settle: Settle) -> None:
    project = opened.store.opened
    assert project is not None
    finished.merge(project, finished.training(project))
    opened.refresh_gates()
    settle(opened)
    window = open_window(opened)
    assert all(made.isEnabled() for made in window.sidebar.buttons)
    assert notes(window)[1:] == 6 * ["Done"]


def test_undo_by_key(opened: Session, open_window: Open, qtbot: QtBot) -> None:
    window = open_window(opened)
    before = opened.store.project
    opened.store.edit_settings(rank=99)
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert opened.store.project == before


def test_opening_a_project_seeks_its_next_step(
    opened: Session, open_window: Open, settle: Settle, qtbot: QtBot
) -> None:
    project = opened.store.opened
    assert project is not None
    window = open_window(opened)
    window.open_project(project.folder)
    qtbot.waitUntil(lambda: window.place is Step.TRAIN)
    window.show_place(Step.MODEL)
    page = window.pages[Step.MODEL]
    window.open_project(projects.create(opened.workspace.projects, "Other"))
    assert page not in window.pages.values(), "pages of the project before do not leak into this one"
    settle(opened)
    assert window.place is Step.ENGINE
    assert window.windowTitle().startswith("Other")


def test_pages_of_a_project_that_was_left_are_gone(
    opened: Session, open_window: Open, qtbot: QtBot, settle: Settle
) -> None:
    window = open_window(opened)
    for step in Step:
        window.show_place(step)
        settle(opened)
    pages = {place: weakref.ref(page) for place, page in window.pages.items() if place is not None}
    window.open_project(projects.create(opened.workspace.projects, "Other"))
    settle(opened)

    def left() -> list[Step]:
        gc.collect()
        return [place for place, page in pages.items() if page() is not None and page() not in window.pages.values()]

    qtbot.waitUntil(lambda: left() == [], timeout=10_000)


def test_a_project_that_cannot_be_opened_changes_nothing(
    opened: Session, open_window: Open, tmp_path: Path, qtbot: QtBot
) -> None:
    window = open_window(opened)
    before = opened.store.opened
    window.open_project(tmp_path)
    assert opened.store.opened is before
    assert window._problems is not None
    window._problems.accept()


def test_each_problem_is_shown_once_and_can_be_copied(opened: Session, open_window: Open, qtbot: QtBot) -> None:
    window = open_window(opened)
    problem = Problem(message="It broke.", hint="Mend it.", details="line 7", code="broken")
    window.show_problem(problem)
    window.show_problem(problem)
    opened.trouble.emit(Problem(message="Another."))
    dialog = window._problems
    assert dialog is not None
    boxes = dialog.findChildren(ProblemBox)
    assert sorted(box.problem.message for box in boxes if box.problem) == ["Another.", "It broke."]
    box = next(box for box in boxes if box.problem == problem)
    qtbot.mouseClick(box.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "It broke.\nMend it.\nline 7\n[broken]"
    next(b for b in dialog.findChildren(QPushButton) if b.text() == "C&lose").click()
    window.show_problem(problem)
    assert window._problems is not dialog, "told again when it happens again"
    assert window._problems is not None
    window._problems.accept()


def test_place_and_size_are_remembered(opened: Session, open_window: Open, settle: Settle) -> None:
    window = open_window(opened)
    window.resize(1000, 700)
    window.show_place(Step.SETTINGS)
    assert window.close()
    other = Session(opened.workspace)
    other.look_at_machine()
    again = open_window(other)
    again.restore(None)
    settle(other)
    assert again.place is Step.SETTINGS
    assert other.store.opened is not None
    assert again.memory.geometry == window.saveGeometry()
    assert (again.minimumWidth(), again.minimumHeight()) == (960, 640)
    other.finish()


def test_colours_are_chosen_and_remembered(opened: Session, open_window: Open) -> None:
    window = open_window(opened)
    actions = {action.text(): action for action in window.options.menu().actions()}
    actions["Colours: &dark"].trigger()
    assert window.memory.scheme == "dark"
    assert window.palette().window().color().lightness() < 128
    actions["Colours: &light"].trigger()
    assert window.palette().window().color().lightness() > 128


def test_a_project_that_was_asked_for_is_not_left_for_work_elsewhere(
    opened: Session, open_window: Open, settle: Settle, qtbot: QtBot
) -> None:
    other = projects.create(opened.workspace.projects, "Other")
    command = Command(argv=(sys.executable, "-c", "import time; time.sleep(600)"))
    folder = RunFolder(other / "runs" / "0001")
    folder.save_plan(Plan(kind="train", title="T", steps=(RunStep(id="s", title="s", command=command),)))
    client.start(folder)
    assert opened.store.opened is not None
    asked = opened.store.opened.folder
    window = open_window(opened)
    window.restore(asked)
    settle(opened)
    qtbot.waitUntil(lambda: len(opened.running()) == 1)
    assert opened.store.opened.folder == asked
    window.restore(None)
    qtbot.waitUntil(lambda: opened.store.opened is not None and opened.store.opened.folder == other)
    assert window.place is Step.TRAIN
    client.request_stop(folder)
    list(client.follow(folder))
    settle(opened)
