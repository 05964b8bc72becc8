"""The smallest parts: labels, buttons, cards, a table of facts, a badge, a place to unfold."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from loragui.gui.theme import GAP, SPACE

NARROWEST = 80
"""Logical pixels to which a wrapped label may shrink."""
SELECTABLE = Qt.TextInteractionFlag.TextSelectableByMouse


class WrappedLabel(QLabel):
    """A label whose lines wrap, and which never asks for less height than its text needs at its width."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        # No override of minimumSizeHint: layouts ask for it so often that each detour into Python would be felt.
        self.setMinimumSize(NARROWEST, self.fontMetrics().height())


def label(text: str = "", *, role: str = "", wrap: bool = False) -> QLabel:
    """A label of plain text; ``role`` is one of style.qss (title, heading, quiet, number, fixed, message)."""
    made = WrappedLabel(text) if wrap else QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    return made


def name_of(field: QWidget, text: str) -> QLabel:
    """The label that names ``field``; its mnemonic puts the focus there."""
    made = QLabel(text)
    made.setBuddy(field)
    made.setContentsMargins(0, 0, 6, 0)  # some fonts draw their last letter over the width that they tell
    return made


def button(text: str, act: Callable[[], object], *, name: str = "", about: str = "") -> QPushButton:
    """A button; ``name`` is its look in style.qss (main, flat), ``about`` says more than its text."""
    made = QPushButton(text)
    made.setAutoDefault(False)
    if name:
        made.setObjectName(name)
    if about:
        made.setToolTip(about)
        made.setAccessibleDescription(about)
    made.clicked.connect(lambda _checked=False: act())
    return made


def set_level(widget: QWidget, level: str) -> None:
    """Change the ``level`` that style.qss paints by, also the parts inside."""
    if widget.property("level") != level:
        widget.setProperty("level", level)
        for part in (widget, *widget.findChildren(QWidget)):
            restyle(part)


def restyle(widget: QWidget) -> None:
    """Let a changed property show."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


class Card(QFrame):
    """A framed part of a page with an optional heading; ``box`` takes its content."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        self.box.setSpacing(GAP)
        self.title = label(title, role="heading", wrap=True)
        self.box.addWidget(self.title)
        self.title.setVisible(bool(title))

    def set_title(self, title: str) -> None:
        """Change the heading."""
        self.title.setText(title)
        self.title.setVisible(bool(title))


class Badge(QLabel):
    """A short word on a coloured ground: ``level`` good, warn, bad or empty."""

    def __init__(self, text: str = "", level: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setObjectName("badge")
        self.setProperty("level", level)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)

    def show_word(self, text: str, level: str) -> None:
        """Change word and colour; an empty word hides it."""
        self.setText(text)
        self.setVisible(bool(text))
        set_level(self, level)


class Facts(QWidget):
    """Rows of a name and what it is. Texts can be selected and copied."""

    def __init__(self, rows: Iterable[tuple[str, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACE)
        self._grid.setVerticalSpacing(GAP // 2)
        self._grid.setColumnStretch(1, 1)
        self._rows: tuple[tuple[str, str], ...] = ()
        self.show_rows(rows)

    def show_rows(self, rows: Iterable[tuple[str, str]]) -> None:
        """Show these rows instead; what stays the same stays untouched."""
        rows = tuple(rows)
        if rows == self._rows:
            return
        if [name for name, _ in rows] == [name for name, _ in self._rows]:
            for number, (_, text) in enumerate(rows):
                self._text(number).setText(text)
        else:
            self._rebuild(rows)
        self._rows = rows

    def _text(self, number: int) -> QLabel:
        item = self._grid.itemAtPosition(number, 1)
        found = item.widget() if item is not None else None
        assert isinstance(found, QLabel)  # noqa: S101
        return found

    def _rebuild(self, rows: tuple[tuple[str, str], ...]) -> None:
        clear(self._grid)
        for number, (name, text) in enumerate(rows):
            left, right = label(name, role="quiet"), label(text, wrap=True)
            left.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            right.setTextInteractionFlags(SELECTABLE)
            right.setAccessibleName(name)
            self._grid.addWidget(left, number, 0)
            self._grid.addWidget(right, number, 1)


class Details(QWidget):
    """A button that unfolds what not everybody needs; ``box`` takes it."""

    first_unfolded = Signal()
    """Fill ``box`` now: for what takes long to make and few people look at."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.toggle = QPushButton(text)
        self.toggle.setObjectName("flat")
        self.toggle.setCheckable(True)
        self.toggle.setAutoDefault(False)
        self.content = QWidget()
        self.box = QVBoxLayout(self.content)
        self.box.setContentsMargins(0, GAP, 0, 0)
        self.box.setSpacing(GAP)
        self.content.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.toggle, 0, Qt.AlignmentFlag.AlignLeft)
        outer.addWidget(self.content)
        self._text = text
        self._unfolded_before = False
        self._show(unfolded=False)
        self.toggle.toggled.connect(lambda checked: self._show(unfolded=checked))

    def rename(self, text: str) -> None:
        """Change the button's text."""
        self._text = text
        self._show(unfolded=self.toggle.isChecked())

    def _show(self, *, unfolded: bool) -> None:
        if unfolded and not self._unfolded_before:
            self._unfolded_before = True
            self.first_unfolded.emit()
        self.toggle.setText(("▾ " if unfolded else "▸ ") + self._text)
        self.toggle.setAccessibleName(self._text.replace("&", ""))  # without the sign
        self.content.setVisible(unfolded)


def rule() -> QFrame:
    """A thin line between parts of a card."""
    made = QFrame()
    made.setObjectName("rule")
    return made


def row(*widgets: QWidget | int, spacing: int = GAP) -> QHBoxLayout:
    """Widgets side by side; a number is a stretch."""
    box = QHBoxLayout()
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(spacing)
    for widget in widgets:
        if isinstance(widget, int):
            box.addStretch(widget)
        else:
            box.addWidget(widget)
    return box


def clear(layout: QLayout) -> None:
    """Remove and delete everything in ``layout``."""
    while (item := layout.takeAt(0)) is not None:
        inner, widget = item.layout(), item.widget()
        if inner is not None:
            clear(inner)
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def literal(text: str) -> str:
    """A person's own text for a button, where a lone “&” would mark the key of the next letter."""
    return text.replace("&", "&&")


def set_text(widget: QLabel | QAbstractButton, text: str) -> None:
    """Set a text only when it is another: no repaint, no chatter of screen readers."""
    if widget.text() != text:
        widget.setText(text)
