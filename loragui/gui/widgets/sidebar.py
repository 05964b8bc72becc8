"""The list of places at the left: each with its mark, its name and one line about its state."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from loragui.gui import theme
from loragui.gui.theme import GAP
from loragui.gui.widgets.basic import label, set_text

OPEN, DONE, RUNNING, ATTENTION, LOCKED = "open", "done", "running", "attention", "locked"
WIDTH = 216


@dataclass(frozen=True, kw_only=True)
class Entry:
    """How one place is shown. ``note`` is the short line below its name, ``reason`` the whole of it for who asks."""

    title: str
    state: str = OPEN
    note: str = ""
    reason: str = ""


class Mark(QWidget):
    """A round mark for a state, painted, so that it is sharp at every scale and in every font."""

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(24, 24)
        self._number, self._state = number, OPEN

    def show_state(self, state: str) -> None:
        """Paint another state."""
        if state != self._state:
            self._state = state
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw a disc in the state's colour with its sign."""
        now = theme.colors()
        back, front = {
            DONE: (now.good, now.card),
            RUNNING: (now.accent, now.on_accent),
            ATTENTION: (now.warn, now.card),
            LOCKED: (now.line, now.quiet),
        }.get(self._state, (now.card, now.text))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(back))
        painter.setPen(QPen(QColor(now.quiet if self._state == OPEN else back), 1.2))
        painter.drawEllipse(QRectF(2, 2, 20, 20))
        painter.setPen(QPen(QColor(front), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        self._sign(painter, QColor(front))
        painter.end()

    def _sign(self, painter: QPainter, front: QColor) -> None:
        match self._state:
            case "done":
                painter.drawPolyline(QPolygonF([QPointF(7.5, 12.5), QPointF(10.7, 15.5), QPointF(16.5, 8.8)]))
            case "running":
                painter.setBrush(front)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.drawPolygon(QPolygonF([QPointF(9.6, 7.6), QPointF(16.4, 12), QPointF(9.6, 16.4)]))
            case "attention":
                painter.drawLine(QPointF(12, 7.2), QPointF(12, 13))
                painter.drawPoint(QPointF(12, 16.6))
            case "locked":
                painter.setPen(QPen(front, 1.6))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawArc(QRectF(9.2, 6.6, 5.6, 7), 0, 180 * 16)
                painter.fillRect(QRectF(8, 11, 8, 6), front)
            case _ if self._number == 0:
                painter.setPen(QPen(front, 1.6))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawPolyline(QPolygonF([QPointF(6.8, 12.2), QPointF(12, 7.4), QPointF(17.2, 12.2)]))
                painter.drawPolyline(
                    QPolygonF([QPointF(8.6, 11.6), QPointF(8.6, 16.4), QPointF(15.4, 16.4), QPointF(15.4, 11.6)])
                )
            case _:
                font = painter.font()
                font.setPixelSize(11)
                painter.setFont(font)
                painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, str(self._number))


class StepButton(QPushButton):
    """One place: mark, name, note; ``number`` 0 is the start. A locked one says why and cannot be pressed."""

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("step")
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setShortcut(QKeySequence(f"Alt+{number}"))
        self._mark = Mark(number)
        self._title, self._note = QLabel(), label(role="quiet", wrap=True)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._title)
        words.addWidget(self._note)
        box = QHBoxLayout(self)
        box.setContentsMargins(GAP, GAP, GAP, GAP)
        box.setSpacing(GAP)
        box.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        box.addLayout(words, 1)
        for part in (self._mark, self._title, self._note):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_entry(self, entry: Entry) -> None:
        """Show name, state and note."""
        set_text(self._title, entry.title)
        set_text(self._note, entry.note)
        self._note.setVisible(bool(entry.note))
        self._mark.show_state(entry.state)
        self.setEnabled(entry.state != LOCKED)
        self.setAccessibleName(entry.title)
        self.setAccessibleDescription(entry.reason or entry.note)
        self.setToolTip(entry.reason)
        self.updateGeometry()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As high as its words need at the sidebar's width."""
        width = self.width() if self.width() > 0 else WIDTH - 2 * GAP
        words = self.layout()
        return QSize(WIDTH - 2 * GAP, max(44, words.heightForWidth(width) if words is not None else 0))


class Sidebar(QFrame):
    """All places in their order."""

    chosen = Signal(int)
    """The number (from 0) of the place that was pressed."""

    def __init__(self, count: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sidebar")
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(self.tr("Steps"))
        self._group = QButtonGroup(self)
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(GAP, GAP, GAP, GAP)
        self.box.setSpacing(2)
        self.project = label(role="heading", wrap=True)
        self.project.setContentsMargins(GAP, GAP, GAP, GAP)
        self.box.addWidget(self.project)
        self.buttons = [StepButton(number) for number in range(count)]
        for number, made in enumerate(self.buttons):
            self._group.addButton(made, number)
            self.box.addWidget(made)
        self.box.addStretch(1)
        self._group.idClicked.connect(self.chosen)

    def show_entries(self, entries: tuple[Entry, ...], current: int) -> None:
        """Show the places' states and which one is open."""
        for made, entry in zip(self.buttons, entries, strict=True):
            made.show_entry(entry)
        self.buttons[current].setChecked(True)
