"""The loss of a training, for ten iterations and for a million."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.ma  # np.unique would import it while the window draws (25 ms); this module is read beside it
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from loragui import units
from loragui.gui import ticks
from loragui.gui.plot.base import Plot
from loragui.training.series import LossSeries, decimate

REST = 1000
"""Milliseconds between two drawings when points keep coming."""
MARK = 9
"""Pixels of a checkpoint's mark, and of the room for half of one at either end."""
FEWEST = 5
"""Points to which one can zoom in."""
SMOOTHER = 4
"""Pixels per two points of a smoothed curve: it has no peaks to lose, and its segments are drawn antialiased."""
TIME = "time"


@dataclass(frozen=True, kw_only=True)
class Pointed:
    """The point nearest to the mouse. ``time`` is in seconds of work; ``loss`` and ``smooth`` may be NaN."""

    iteration: int
    time: float
    loss: float
    smooth: float


class LossPlot(Plot):
    """The loss of a training, pale, and its moving average, with checkpoints and earlier trainings.

    The wheel zooms, dragging zooms into what is marked, dragging the axis moves, a double click shows all.
    """

    pointed = Signal(object)
    """A ``Pointed``, or None when the mouse has left."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, ticks.COUNT, ticks.NUMBER)
        self.setAccessibleName(self.tr("Loss curve"))
        self.setAccessibleDescription(self.tr("Plus and minus zoom, the arrow keys move, 0 shows everything."))
        self.zoom: tuple[float, float] | None = None
        """The part of the axis that the person looks at; None follows all of it."""
        self._series = LossSeries()
        self._overlays: tuple[tuple[str, LossSeries], ...] = ()
        self._by_time = False
        self._others: list[Any] = []
        self._raw, self._smooth = self._curve(), self._curve()
        self._marks, self._head = (self.add(pg.ScatterPlotItem(size=size, pxMode=True)) for size in (MARK, MARK - 3))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._due)
        self._waiting = False
        self.box.setMouseEnabled(x=True, y=False)
        self.box.setMouseMode(pg.ViewBox.RectMode)
        self.box.sigRangeChangedManually.connect(self._zoomed)
        self.paint_plot()

    def show_series(self, series: LossSeries) -> None:
        """Draw this curve, which may have grown; soon, and not while it cannot be seen. Another one is shown whole."""
        if series is not self._series:
            self.zoom = None
        self._series = series
        self._soon()

    def set_axis(self, axis: str) -> None:
        """Draw over ``iteration`` or over ``time``."""
        self._by_time = axis == TIME
        self.bottom.kind = ticks.TIME if self._by_time else ticks.COUNT
        self._name_axis()
        self.reset_zoom()

    def set_overlays(self, overlays: Sequence[tuple[str, LossSeries]]) -> None:
        """Draw the smoothed curves of earlier trainings too, each with its name."""
        self._overlays = tuple(overlays)
        self.draw()

    def reset_zoom(self) -> None:
        """Show all of it again, and follow what comes."""
        self.zoom = None
        self.draw()

    def draw(self) -> None:
        """Draw now what is there."""
        self._waiting = False
        low, high = self.zoom or self._whole()
        buckets = max(100, self.view.width())
        x = self._x(self._series)
        raw = decimate(x, self._series.loss, low, high, buckets)
        smooth = decimate(x, self._series.smooth, low, high, buckets // SMOOTHER)
        self._raw.setData(*raw, connect="finite")
        self._smooth.setData(*smooth, connect="finite")
        last = np.isfinite(self._series.smooth[-1:])
        self._head.setData(x[-1:][last], self._series.smooth[-1:][last])  # also shows where one point is no line yet
        self._draw_marks(low, high, buckets)
        curves = [raw[1], smooth[1], *self._draw_others(low, high, buckets)]
        room = (high - low) * MARK / max(1, self.box.width())
        self.box.setRange(xRange=(low - room, high + room), yRange=_extent(curves), padding=0, disableAutoRange=True)

    def _curve(self) -> Any:
        curve = self.add(pg.PlotCurveItem(antialias=True))
        curve.setSegmentedLineMode("on")
        return curve

    def _x(self, series: LossSeries) -> Any:
        return series.times if self._by_time else series.iterations

    def _whole(self) -> tuple[float, float]:
        ends = [self._x(one) for one in (self._series, *(series for _, series in self._overlays)) if len(one)]
        if not ends:
            return 0.0, 1.0
        low, high = min(float(x[0]) for x in ends), max(float(x[-1]) for x in ends)
        return low, max(high, low + 1)

    def _draw_marks(self, low: float, high: float, buckets: int) -> None:
        series = self._series
        where = np.searchsorted(series.iterations, np.array(series.checkpoints, dtype=np.int64))
        where = where[where < len(series)]
        x, y = self._x(series)[where].astype(float), series.smooth[where]
        seen = (x >= low) & (x <= high)
        x, y = x[seen & np.isfinite(y)], y[seen & np.isfinite(y)]
        pixels = np.floor((x - low) * buckets / max(high - low, 1e-9) / MARK)
        _, first = np.unique(pixels, return_index=True)  # marks that would lie on each other are drawn once
        self._marks.setData(x[first], y[first])

    def _draw_others(self, low: float, high: float, buckets: int) -> list[Any]:
        while len(self._others) < len(self._overlays):
            self._others.append(self._curve())
        entries = [(self.tr("loss of each iteration"), self.colors.raw), (self.tr("smoothed"), self.colors.smooth)]
        if self._series.checkpoints:
            entries.append((self.tr("checkpoint"), self.colors.mark))
        drawn = []
        for number, item in enumerate(self._others):
            item.setVisible(number < len(self._overlays))
            if number < len(self._overlays):
                title, series = self._overlays[number]
                color = self.colors.overlays[number % len(self.colors.overlays)]
                points = decimate(self._x(series), series.smooth, low, high, buckets // SMOOTHER)
                item.setPen(pg.mkPen(color, width=1))
                item.setData(*points, connect="finite")
                drawn.append(points[1])
                entries.append((title, color))
        self.name_colors(entries)
        return drawn

    def paint_plot(self) -> None:
        """Give curves and marks their colours."""
        super().paint_plot()
        self._name_axis()
        self._raw.setPen(pg.mkPen(self.colors.raw, width=1))
        self._smooth.setPen(pg.mkPen(self.colors.smooth, width=2))
        self._marks.setPen(pg.mkPen(self.colors.background, width=1))
        self._head.setPen(None)
        self._head.setBrush(pg.mkBrush(self.colors.smooth))
        self._marks.setBrush(pg.mkBrush(self.colors.mark))

    def _name_axis(self) -> None:
        self.name_axis(self.tr("Time of work") if self._by_time else self.tr("Iteration"))

    def _soon(self) -> None:
        self._waiting = True
        if not self._timer.isActive() and self.isVisible():
            self._timer.start(0)

    def _due(self) -> None:
        """Draw if there is something new; then rest, so that fast points cost no more than slow ones."""
        if self._waiting and self.isVisible():
            self.draw()
            self._timer.start(REST)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Catch up."""
        super().showEvent(event)
        self._soon()

    def _zoomed(self, *_changed: object) -> None:
        (low, high), _ = self.box.viewRange()
        room = (high - low) * MARK / (max(1, self.box.width()) + 2 * MARK)
        self.look_at(low + room, high - room)

    def look_at(self, low: float, high: float) -> None:
        """Zoom to this part of the axis, within what there is; all of it follows again what comes."""
        first, last = self._whole()
        fewest = (last - first) * min(1, FEWEST / max(1, len(self._series)))
        width = min(max(high - low, fewest), last - first)
        low = min(max((low + high - width) / 2, first), last - width)
        self.zoom = (low, low + width) if width < last - first else None
        self.draw()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Zoom and move without a mouse."""
        low, high = self.zoom or self._whole()
        middle, half = (low + high) / 2, (high - low) / 2
        match event.key():
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.look_at(middle - half / 2, middle + half / 2)
            case Qt.Key.Key_Minus:
                self.look_at(middle - half * 2, middle + half * 2)
            case Qt.Key.Key_0:
                self.reset_zoom()
            case Qt.Key.Key_Left | Qt.Key.Key_Right as key if self.zoom is not None:
                step = half / 2 * (1 if key == Qt.Key.Key_Right else -1)
                self.look_at(low + step, high + step)
            case _:
                super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """A double click shows all."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.reset_zoom()
        return super().eventFilter(watched, event)

    def point_at(self, x: float | None) -> None:
        """Say which iteration is nearest to ``x``, and its loss."""
        series = self._series
        if x is None or not len(series):
            self.cross.hide()
            self.say("")
            self.pointed.emit(None)
            return
        xs = self._x(series)
        at = min(int(np.searchsorted(xs, x)), len(series) - 1)
        if at and x - xs[at - 1] < xs[at] - x:
            at -= 1
        found = Pointed(
            iteration=int(series.iterations[at]), time=float(series.times[at]),
            loss=float(series.loss[at]), smooth=float(series.smooth[at]),
        )  # fmt: skip
        self.cross.setPos(float(xs[at]))
        self.cross.show()
        said = self.tr("Iteration {iteration}: loss {loss}, smoothed {smooth}, after {time}")
        self.say(
            said.format(
                iteration=f"{found.iteration:,}",
                loss=_number(found.loss),
                smooth=_number(found.smooth),
                time=units.duration(found.time),
            )
        )
        self.pointed.emit(found)


def _extent(curves: Sequence[Any]) -> tuple[float, float]:
    """The least and the greatest finite value of all curves and some room, never equal."""
    whole = np.concatenate([curve[np.isfinite(curve)] for curve in curves]) if curves else np.empty(0)
    if not len(whole):
        return 0.0, 1.0
    low, high = float(whole.min()), float(whole.max())
    room = (high - low) / 20 or 0.5
    return low - room, high + room


def _number(loss: float) -> str:
    return "–" if np.isnan(loss) else f"{loss:.3f}"
