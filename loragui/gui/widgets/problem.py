"""A problem as a person meets it: what happened, what to do, a button that does it, and a copy for a helper."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from loragui.errors import Problem
from loragui.gui.theme import GAP, SPACE
from loragui.gui.widgets.basic import SELECTABLE, Details, button, label, row, set_level

BAD, ADVICE = "bad", "advice"


class ProblemBox(QFrame):
    """Hidden until a problem is shown. ``level`` follows from whether the problem blocks."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("problem")
        self.problem: Problem | None = None
        self._remedy: Callable[[], object] | None = None
        self._message, self._hint = label(role="message", wrap=True), label(wrap=True)
        for part in (self._message, self._hint):
            part.setTextInteractionFlags(SELECTABLE)
        self.remedy = button(self.tr("&Try again"), self._act)
        self.copy = button(self.tr("&Copy"), self._copy, about=self.tr("Copy the problem, for someone who helps you"))
        self._details = Details(self.tr("De&tails"))
        self._more = label(role="fixed", wrap=True)
        self._more.setTextInteractionFlags(SELECTABLE)
        self._details.box.addWidget(self._more)
        box = QVBoxLayout(self)
        box.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        box.setSpacing(GAP)
        box.addWidget(self._message)
        box.addWidget(self._hint)
        box.addWidget(self._details)
        box.addLayout(row(self.remedy, self.copy, 1))
        self.hide()

    def show_problem(
        self, problem: Problem | None, remedy: Callable[[], object] | None = None, remedy_text: str = ""
    ) -> None:
        """Show ``problem`` with an optional button; None hides the box."""
        self._remedy = remedy
        self.remedy.setVisible(remedy is not None)
        self.remedy.setText(remedy_text or self.tr("&Try again"))
        if problem == self.problem:
            self.setVisible(problem is not None)
            return
        self.problem = problem
        self.setVisible(problem is not None)
        if problem is None:
            return
        set_level(self, BAD if problem.blocking else ADVICE)
        self._message.setText(problem.message)
        self._hint.setText(problem.hint)
        self._hint.setVisible(bool(problem.hint))
        self._more.setText(problem.details)
        self._details.setVisible(bool(problem.details))
        self.setAccessibleName(self.tr("Problem") if problem.blocking else self.tr("Advice"))
        self.setAccessibleDescription(str(problem))

    def _act(self) -> None:
        if self._remedy is not None:
            self._remedy()

    def _copy(self) -> None:
        if self.problem is not None:
            QGuiApplication.clipboard().setText(as_text(self.problem))


class ProblemList(QWidget):
    """Several problems below each other, each once."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(GAP)
        self._boxes: list[ProblemBox] = []

    def show_problems(self, problems: tuple[Problem, ...]) -> None:
        """Show these and no others."""
        while len(self._boxes) < len(problems):
            made = ProblemBox()
            self._boxes.append(made)
            self._box.addWidget(made)
        for number, box in enumerate(self._boxes):
            box.show_problem(problems[number] if number < len(problems) else None)
        self.setVisible(bool(problems))


def as_text(problem: Problem) -> str:
    """The whole problem as text to be sent to someone."""
    code = f"[{problem.code}]" if problem.code else ""
    return "\n".join(part for part in (problem.message, problem.hint, problem.details, code) if part)
