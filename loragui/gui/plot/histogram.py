"""How many samples have which length."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtWidgets import QWidget

from loragui.gui import ticks
from loragui.gui.plot.base import Plot


class HistogramPlot(Plot):
    """How many samples have which length, against the longest that fits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, ticks.COUNT, ticks.COUNT)
        self.setAccessibleName(self.tr("Lengths of the samples"))
        self._edges: tuple[float, ...] = ()
        self._counts: tuple[float, ...] = ()
        self._limit, self._label = 0.0, ""
        self._bars = self.add(pg.BarGraphItem(x0=[], x1=[], height=[]))
        self._line = self.add(pg.InfiniteLine(angle=90))
        self.paint_plot()

    def show_histogram(self, edges: Sequence[float], counts: Sequence[float], limit: float, label: str) -> None:
        """Show ``counts`` between neighbouring ``edges`` (tokens), and a line named ``label`` at ``limit``."""
        self._edges, self._counts = tuple(edges), tuple(counts)
        self._limit, self._label = float(limit), label
        self.draw()

    def draw(self) -> None:
        """Draw now what is there."""
        most = max(self._counts, default=1.0) or 1.0
        last = max(self._limit, self._edges[-1] if self._edges else 1.0, 1.0)
        self._bars.setOpts(x0=self._edges[:-1], x1=self._edges[1:], height=self._counts)
        self._line.setPos(self._limit)
        self.box.setRange(xRange=(0, last * 1.01), yRange=(0, most * 1.05), padding=0, disableAutoRange=True)
        self.name_colors([(self.tr("samples of this length"), self.colors.smooth), (self._label, self.colors.mark)])
        self.name_axis(self.tr("Tokens"))

    def paint_plot(self) -> None:
        """Give bars and line their colours."""
        super().paint_plot()
        self._bars.setOpts(brush=pg.mkBrush(self.colors.smooth), pen=pg.mkPen(self.colors.background, width=1))
        self._line.setPen(pg.mkPen(self.colors.mark, width=2))

    def point_at(self, x: float | None) -> None:
        """Say how many samples are as long as ``x``."""
        at = -1 if x is None else bisect_right(self._edges, x) - 1
        if x is None or not 0 <= at < len(self._counts):
            self.say("")
            self.cross.hide()
            return
        self.cross.setPos(x)
        self.cross.show()
        said = self.tr("{low} to {high} tokens: {count} samples")
        low, high = f"{self._edges[at]:.0f}", f"{self._edges[at + 1]:.0f}"
        self.say(said.format(low=low, high=high, count=f"{self._counts[at]:,.0f}"))
