"""Plain questions: a sentence, and choices that each say what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtWidgets import QDialog, QFrame, QScrollArea, QVBoxLayout, QWidget

from loragui.errors import Problem
from loragui.gui.theme import GAP, SPACE
from loragui.gui.widgets.basic import Card, button, label, row
from loragui.gui.widgets.problem import ProblemBox

PROBLEM_WIDTH, TALLEST = 560, 440
"""Logical pixels of the dialog with problems, and of what it shows without scrolling."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One answer. ``id`` is what ``ask`` returns; ``about`` says what it does and costs."""

    id: str
    text: str
    about: str = ""


class Question(QDialog):
    """Asks for one of several choices. Esc and closing it answer with nothing, so nothing happens."""

    def __init__(self, title: str, text: str, choices: Sequence[Choice], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.answer = ""
        self.setMinimumWidth(460)
        box = QVBoxLayout(self)
        box.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        box.setSpacing(SPACE)
        box.addWidget(label(title, role="heading", wrap=True))
        box.addWidget(label(text, wrap=True))
        for number, choice in enumerate(choices):
            card = Card()
            made = button(choice.text, partial(self._choose, choice.id), name="" if number else "main")
            made.setDefault(number == 0)
            made.setAccessibleDescription(choice.about)
            card.box.addWidget(made)
            card.box.addWidget(label(choice.about, role="quiet", wrap=True))
            box.addWidget(card)
        box.addLayout(row(1, button(self.tr("Ca&ncel"), self.reject)))

    def _choose(self, chosen: str) -> None:
        self.answer = chosen
        self.accept()


def ask(parent: QWidget, title: str, text: str, choices: Sequence[Choice]) -> str:
    """The id of the choice; empty when the person wants none of them."""
    question = Question(title, text, choices, parent)
    question.exec()
    answer = question.answer
    question.deleteLater()
    return answer


class ProblemDialog(QDialog):
    """Shows problems that belong to no page. New ones are added to it while it is open; long ones scroll."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Something went wrong"))
        self.setMinimumWidth(PROBLEM_WIDTH)
        self.setSizeGripEnabled(True)
        content = QWidget()
        content.setObjectName("content")
        self._box = QVBoxLayout(content)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(GAP)
        self._box.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setAccessibleName(self.tr("Problems"))
        self._scroll.setWidget(content)
        close = button(self.tr("C&lose"), self.accept, name="main")
        close.setDefault(True)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        outer.setSpacing(SPACE)
        outer.addWidget(self._scroll, 1)
        outer.addLayout(row(1, close))
        self._shown: list[Problem] = []

    def add(self, problem: Problem) -> None:
        """Show one more problem, unless it is shown already."""
        if problem in self._shown:
            return
        self._shown.append(problem)
        made = ProblemBox()
        self._box.insertWidget(len(self._shown) - 1, made)
        made.show_problem(problem)
        needed = self._box.heightForWidth(PROBLEM_WIDTH - 2 * SPACE)
        self._scroll.setMinimumHeight(min(TALLEST, needed))

    def done(self, result: int) -> None:
        """Forget what was shown when it is closed."""
        self.deleteLater()
        super().done(result)
