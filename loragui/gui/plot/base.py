"""What both plots share: axes with plain marks, a box without menus, a line where the mouse points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF
from PySide6.QtWidgets import QWidget

from loragui.gui import ticks
from loragui.gui.plot_frame import PlotFrame
from loragui.gui.theme import GAP

MARGIN = 28
"""Pixels at the right end, where half of the last mark's text needs room."""


class Axis(pg.AxisItem):  # type: ignore[misc]
    """An axis with the marks of ``ticks`` and one level of grid lines. ``room`` is what a mark needs, in pixels."""

    def __init__(self, orientation: str, room: int, kind: str) -> None:
        super().__init__(orientation)
        self.kind = kind
        self._room = room
        self.enableAutoSIPrefix(enable=False)
        self.setStyle(tickAlpha=255)
        self.setGrid(255)

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Room for the whole text of a mark at the very end."""
        return QRectF(super().boundingRect()).adjusted(-MARGIN, -GAP, MARGIN, GAP)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N802 - pyqtgraph's name
        """Where marks stand; one level of them."""
        distance = ticks.spacing(high - low, round(size / self._room), self.kind)
        return [(distance, ticks.values(low, high, distance))]

    def tickStrings(self, values: Sequence[float], _scale: float, distance: float) -> list[str]:  # noqa: N802 - pyqtgraph's name
        """What they say."""
        return [ticks.text(value, distance, self.kind) for value in values]


class Plot(PlotFrame):
    """What both plots share: two axes, a box between them, a line where the mouse points."""

    def __init__(self, parent: QWidget | None, bottom: str, left: str) -> None:
        self.bottom, self.left = Axis("bottom", 110, bottom), Axis("left", 30, left)
        axes = {"bottom": self.bottom, "left": self.left}
        self.view = pg.PlotWidget(axisItems=axes, enableMenu=False)  # its menus take 20 ms to make
        super().__init__(self.view, parent)
        self.box = self.view.getViewBox()
        self.view.setFrameShape(pg.PlotWidget.Shape.NoFrame)
        self.view.setMenuEnabled(False)
        self.view.hideButtons()
        self.view.viewport().installEventFilter(self)
        self.view.scene().sigMouseMoved.connect(self._hover)
        for axis in (self.bottom, self.left):
            axis.setZValue(-1)  # the grid lies below the curves
        self.view.getPlotItem().layout.setContentsMargins(0, GAP, MARGIN, 0)
        self.box.disableAutoRange()
        self.box.setMouseEnabled(x=False, y=False)
        self.cross = self.add(pg.InfiniteLine(angle=90))
        self.cross.setZValue(1)
        self.cross.hide()

    def add(self, item: Any) -> Any:
        """Put a part into the plot."""
        self.view.addItem(item, ignoreBounds=True)
        return item

    def paint_plot(self) -> None:
        """Give ground, axes and grid their colours."""
        self.view.setBackground(self.colors.background)
        self.cross.setPen(self.colors.foreground)
        self.box.rbScaleBox.setPen(pg.mkPen(self.colors.smooth, width=1))
        self.box.rbScaleBox.setBrush(pg.mkBrush(self.colors.smooth + "30"))
        for axis in (self.bottom, self.left):
            axis.setPen(self.colors.grid)
            axis.setTickPen(self.colors.grid)
            axis.setTextPen(self.colors.foreground)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Forget the mouse when it leaves."""
        if event.type() == QEvent.Type.Leave:
            self.point_at(None)
        return super().eventFilter(watched, event)

    def _hover(self, position: QPointF) -> None:
        if self.box.sceneBoundingRect().contains(position):
            self.point_at(self.box.mapSceneToView(position).x())

    def point_at(self, x: float | None) -> None:
        """Say what is at ``x``; None: the mouse is elsewhere."""
        raise NotImplementedError
