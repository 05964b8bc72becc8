from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from loragui.errors import Problem
from loragui.gui.widgets.problem import ProblemBox, ProblemList, as_text

FULL = Problem(message="The disk is full.", hint="Free some space.", details="errno 28", code="disk-full")
ADVICE = Problem(message="Few samples.", blocking=False)


@pytest.fixture
def box(qtbot: QtBot) -> ProblemBox:
    made = ProblemBox()
    qtbot.addWidget(made)
    return made


def texts(widget: QWidget) -> list[str]:
    return [part.text() for part in widget.findChildren(QLabel) if part.isVisible()]


def test_it_says_what_happened_and_what_to_do(box: ProblemBox, qtbot: QtBot) -> None:
    assert not box.isVisible()
    box.show_problem(FULL)
    assert texts(box) == ["The disk is full.", "Free some space."]
    assert not box.remedy.isVisible()
    assert (box.accessibleName(), box.accessibleDescription()) == ("Problem", str(FULL))
    box._details.toggle.click()
    assert "errno 28" in texts(box)
    qtbot.mouseClick(box.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "The disk is full.\nFree some space.\nerrno 28\n[disk-full]"
    box.show_problem(None)
    assert not box.isVisible()


def test_advice_looks_otherwise_and_shows_no_empty_parts(box: ProblemBox) -> None:
    box.show_problem(FULL)
    assert box.property("level") == "bad"
    box.show_problem(ADVICE)
    assert box.property("level") == "advice"
    assert texts(box) == ["Few samples."]
    assert not box._details.isVisible()
    assert box.accessibleName() == "Advice"
    assert as_text(ADVICE) == "Few samples."


def test_the_remedy_is_the_latest_one(box: ProblemBox, qtbot: QtBot) -> None:
    done: list[str] = []
    box.show_problem(FULL, lambda: done.append("first"))
    assert box.remedy.text() == "&Try again"
    box.show_problem(FULL, lambda: done.append("second"), "&Mend it")
    assert box.remedy.text() == "&Mend it"
    qtbot.mouseClick(box.remedy, Qt.MouseButton.LeftButton)
    assert done == ["second"]
    box.show_problem(FULL)
    assert not box.remedy.isVisible()


def test_it_comes_back_when_the_same_happens_again(box: ProblemBox) -> None:
    box.show_problem(FULL)
    box.show_problem(None)
    box.show_problem(FULL)
    assert box.isVisible()
    assert texts(box) == ["The disk is full.", "Free some space."]


def test_a_list_shows_these_and_no_others(qtbot: QtBot) -> None:
    made = ProblemList()
    qtbot.addWidget(made)
    made.show()
    made.show_problems((FULL, ADVICE))
    assert texts(made) == ["The disk is full.", "Free some space.", "Few samples."]
    made.show_problems((ADVICE,))
    assert texts(made) == ["Few samples."]
    made.show_problems(())
    assert not made.isVisible()
