"""What stands around a plot: a line that names its colours and says what the mouse points at; the picture."""

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
        self.legend, self.readout = QLabel(), QLabel()
        self.legend.setWordWrap(True)
        header = QHBoxLayout()
        header.addWidget(self.legend, 1)
        header.addWidget(self.readout)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.addLayout(header)
        layout.addWidget(view, 1)
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
        """Write the plot as it is shown. AppError when it cannot be written."""
        self.draw()
        if not self.grab().save(str(path), "PNG"):
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
