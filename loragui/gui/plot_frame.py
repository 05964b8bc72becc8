"""What stands around a plot: above, what its colours are; below, what its axis counts and the mouse points at."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from loragui.errors import AppError
from loragui.gui.plot_colors import PlotColors, plot_colors
from loragui.gui.theme import GAP, LIGHT_COLORS


class PlotFrame(QWidget):
    """A frame around ``view`` in colours of its own: what draws the plot knows nothing of palettes."""

    def __init__(self, view: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.colors = plot_colors(LIGHT_COLORS)
        self.legend, self.below, self.readout = QLabel(), QLabel(), QLabel()
        self.legend.setWordWrap(True)
        footer = QHBoxLayout()
        footer.addWidget(self.below)
        footer.addStretch(1)
        footer.addWidget(self.readout)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(0)
        layout.addWidget(self.legend)
        layout.addWidget(view, 1)
        layout.addLayout(footer)
        for part in (view, *view.findChildren(QWidget)):
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys come to us
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """What suits a page."""
        return QSize(720, 340)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Still readable."""
        return QSize(320, 200)

    def apply_colors(self, colors: PlotColors) -> None:
        """Show everything in these colours."""
        self.colors = colors
        self.paint_plot()
        self.draw()
        self.update()

    def save_png(self, path: Path) -> None:
        """Write the plot as it is shown, without the line of the focus. AppError when it cannot be written."""
        self.draw()
        if not self.grab(self.rect().adjusted(2, 2, -2, -2)).save(str(path), "PNG"):
            message = self.tr("{file} could not be written.").format(file=path.name)
            raise AppError(message, self.tr("Choose another folder, or free some disk space."), code="not-written")

    def draw(self) -> None:
        """Draw the plot now, whether it can be seen or not."""
        raise NotImplementedError

    def paint_plot(self) -> None:
        """Give the parts of the plot their colours."""
        raise NotImplementedError

    def name_colors(self, entries: Sequence[tuple[str, str]]) -> None:
        """Say which colour stands for what."""
        spots = (f'<span style="color:{color}">■</span>&nbsp;{escape(name)}' for name, color in entries)
        self.legend.setText(self._html(" &nbsp; ".join(spots)))

    def name_axis(self, text: str) -> None:
        """Say what the marks below the plot count."""
        self.below.setText(self._html(escape(text)))

    def say(self, text: str) -> None:
        """Say what the mouse points at."""
        self.readout.setText(self._html(escape(text)))

    def _html(self, text: str) -> str:
        return f'<span style="color:{self.colors.foreground}">{text}</span>'

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Fill the ground and show the focus."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(self.colors.background))
        if self.hasFocus():
            painter.setPen(QPen(QColor(self.colors.smooth), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()
