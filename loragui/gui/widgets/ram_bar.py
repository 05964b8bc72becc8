"""RAM as a bar: what the work holds, what everything else holds, what is free; the numbers stand below as text."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from loragui import units
from loragui.gui import theme

HEIGHT = 16


class RamBar(QWidget):
    """A horizontal bar of a PC's RAM. Bytes in, colours of the theme out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._own, self._other, self._total = 0.0, 0.0, 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("RAM"))

    def show_ram(self, *, own: float, other: float, total: float) -> None:
        """Show how many bytes of ``total`` the work itself and everything else hold."""
        if (own, other, total) == (self._own, self._other, self._total):
            return
        self._own, self._other, self._total = own, other, total
        self.setAccessibleDescription(self.sentence())
        self.setToolTip(self.sentence())
        self.update()

    def sentence(self) -> str:
        """The numbers in words."""
        return self.tr("{own} for this work, {other} for everything else, of {total}").format(
            own=units.size(self._own), other=units.size(self._other), total=units.size(self._total)
        )

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As wide as there is room, and low."""
        return QSize(200, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the two parts from the left; red when little is free."""
        now = theme.colors()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(0, 0, self.width(), HEIGHT)
        shape = QPainterPath()
        shape.addRoundedRect(whole, 5, 5)
        painter.setClipPath(shape)
        painter.fillRect(whole, QColor(now.line))
        if self._total > 0:
            tight = self._own + self._other > 0.95 * self._total
            own = whole.width() * min(1.0, self._own / self._total)
            other = whole.width() * min(1.0, self._other / self._total)
            painter.fillRect(QRectF(0, 0, own, HEIGHT), QColor(now.bad if tight else now.accent))
            painter.fillRect(QRectF(own, 0, other, HEIGHT), QColor(now.quiet))
        painter.end()
