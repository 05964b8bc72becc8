"""Answers to the questions that the window asks in a dialog."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from loragui.gui.widgets.dialogs import Question

LOOK_MS = 20


def answer(act: Callable[[Question], None], seen: list[str] | None = None) -> None:
    """Meet the next question when it comes; what it says goes to ``seen``. To be called just before it is asked."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, Question) or not dialog.isVisible():
            QTimer.singleShot(LOOK_MS, look)
            return
        if seen is not None:
            seen.extend(label.text() for label in dialog.findChildren(QLabel))
            seen.extend(_plain(button) for button in dialog.findChildren(QPushButton))
        act(dialog)

    QTimer.singleShot(LOOK_MS, look)


def press(text: str) -> Callable[[Question], None]:
    """Press the button with that text."""

    def act(dialog: Question) -> None:
        next(button for button in dialog.findChildren(QPushButton) if _plain(button) == text).click()

    return act


def _plain(button: QPushButton) -> str:
    return button.text().replace("&", "")
