from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from loragui.errors import Problem
from loragui.gui.widgets.basic import Details
from loragui.gui.widgets.dialogs import Choice, ProblemDialog, Question, ask
from tests.gui.asking import answer, press
from tests.gui.widgets.cuts import cut

CHOICES = (
    Choice(id="keep", text="&Keep", about="Costs nothing."),
    Choice(id="stop", text="&Stop", about="Loses work."),
)


@pytest.fixture
def parent(qtbot: QtBot, styled: QApplication) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    return made


def key(qtbot: QtBot, code: Qt.Key) -> Callable[[Question], None]:
    return lambda dialog: qtbot.keyClick(dialog, code)


def alt(qtbot: QtBot, code: Qt.Key) -> Callable[[Question], None]:
    return lambda dialog: qtbot.keyClick(dialog, code, Qt.KeyboardModifier.AltModifier)


def test_each_way_to_answer(parent: QWidget, qtbot: QtBot) -> None:
    for act, wanted in (
        (press("Keep"), "keep"),
        (press("Stop"), "stop"),
        (key(qtbot, Qt.Key.Key_Return), "keep"),
        (alt(qtbot, Qt.Key.Key_S), "stop"),
        (key(qtbot, Qt.Key.Key_Escape), ""),
        (press("Cancel"), ""),
        (QDialog.close, ""),
    ):
        answer(act)
        assert ask(parent, "Title", "Text?", CHOICES) == wanted
    qtbot.waitUntil(lambda: parent.findChildren(Question) == [])


def test_every_choice_says_what_it_costs(parent: QWidget, qtbot: QtBot) -> None:
    question = Question("Title", "What shall happen?", CHOICES, parent)
    shown = [made.text() for made in question.findChildren(QLabel)]
    assert {"Title", "What shall happen?", "Costs nothing.", "Loses work."} <= set(shown)
    first, second, _cancel = question.findChildren(QPushButton)
    assert (first.isDefault(), second.isDefault()) == (True, False)
    assert [made.accessibleDescription() for made in (first, second)] == ["Costs nothing.", "Loses work."]


def test_problems_come_below_each_other_each_once(parent: QWidget, qtbot: QtBot) -> None:
    dialog = ProblemDialog(parent)
    for message in ("One.", "Two.", "One."):
        dialog.add(Problem(message=message))
    dialog.show()
    shown = sorted((made for made in dialog.findChildren(QLabel) if made.isVisible()), key=lambda made: top(made))
    assert [made.text() for made in shown] == ["One.", "Two."]
    with qtbot.waitSignal(dialog.finished):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: parent.findChildren(ProblemDialog) == [])


def top(made: QLabel) -> int:
    return made.mapTo(made.window(), made.rect().topLeft()).y()


def test_nothing_is_cut_when_more_comes_while_it_is_open(parent: QWidget, qtbot: QtBot) -> None:
    dialog = ProblemDialog(parent)
    qtbot.addWidget(dialog)
    dialog.add(Problem(message="Short.", details="\n".join(f"line {number}" for number in range(60))))
    dialog.show()
    for number in range(3):
        dialog.add(Problem(message=f"{number} goes on and on. " * 12, hint="Do this and that. " * 12))
    for details in dialog.findChildren(Details):
        details.toggle.setChecked(True)
    qtbot.waitUntil(lambda: cut(dialog) == [])
    assert dialog.height() < 640, "it scrolls"
