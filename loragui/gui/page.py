"""The base of every page: title, sentence, a column of cards that scrolls, and one main act for the window's bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from loragui.gui.background import Latest
from loragui.gui.session import Session
from loragui.gui.theme import MARGIN, SPACE
from loragui.gui.widgets.basic import label
from loragui.steps import Step


@dataclass(frozen=True, kw_only=True)
class Act:
    """What the main button does now. ``why`` stands beside it: what will happen, or why it cannot be pressed."""

    text: str
    run: Callable[[], None] | None = None
    why: str = ""

    @property
    def enabled(self) -> bool:
        """Whether the button can be pressed."""
        return self.run is not None


class Page(QWidget):
    """One place of the window. A page shows the session's values and edits the store; it decides nothing."""

    act_changed = Signal()
    """``act()`` may give something else now."""
    go = Signal(object)
    """The page wants the window to go to a ``Step``, or to the start (None)."""
    open_project = Signal(object)
    """The page wants the window to open the project in this folder (a ``Path``)."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.session = session
        self.latest = Latest(session.reader, self)
        """For reading what the page shows: an answer never comes after that to a newer question."""
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setAccessibleName(self.tr("Page content"))
        content = QWidget()
        content.setObjectName("content")
        self.body = QVBoxLayout(content)
        self.body.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self.body.setSpacing(SPACE)
        self._scroll.setWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._scroll)

    def heading(self, title: str, lead: str) -> QLabel:
        """Put the title and the sentence below it at the top of the page; returns the sentence's label."""
        self.setAccessibleName(title)
        self.setAccessibleDescription(lead)
        self.body.addWidget(label(title, role="title"))
        sentence = label(lead, role="quiet", wrap=True)
        self.body.addWidget(sentence)
        return sentence

    def act(self) -> Act | None:
        """The main act now; None hides the button."""
        return None

    def enter(self) -> None:
        """The page is shown (again)."""

    def next_act(self, step: Step, text: str) -> Act:
        """The act of a page whose own work is done: go on to ``step``."""
        return Act(text=text, run=lambda: self.go.emit(step))
