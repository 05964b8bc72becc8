"""The loss curve with its controls: axis, zoom, pictures and tables of it, earlier trainings to compare with."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QVBoxLayout, QWidget

from loragui.errors import AppError, Problem
from loragui.gui import theme
from loragui.gui.background import PAINT_FIRST_MS
from loragui.gui.plot_colors import plot_colors
from loragui.gui.session import Session
from loragui.gui.widgets.basic import Card, button, label, name_of, row
from loragui.gui.widgets.problem import ProblemBox
from loragui.jobs.folder import RunFolder

if TYPE_CHECKING:  # numpy and pyqtgraph are loaded when there is something to draw
    from loragui.gui.plot import LossPlot
    from loragui.training.feed import Feed
    from loragui.training.series import LossSeries

READ_MS = 1000


class TrainCurve(Card):
    """Follows the events of one training while it is shown, and draws its loss."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        self.plot: LossPlot | None = None
        super().__init__("", parent)
        self.set_title(self.tr("How well it learns"))
        self.session = session
        self.series: LossSeries | None = None
        self._feed: Feed | None = None
        self._folder: RunFolder | None = None
        self.overlays: dict[str, LossSeries] = {}
        self._reading = False
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(READ_MS)
        self._timer.timeout.connect(self.refresh)
        self._show_controls()

    def _build(self) -> None:
        self.axis = QComboBox()
        self.axis.addItem(self.tr("Iterations"), "iteration")
        self.axis.addItem(self.tr("Time"), "time")
        self.axis.setAccessibleName(self.tr("Axis"))
        self.axis.currentIndexChanged.connect(lambda _index: self._choose_axis())
        about = name_of(self.axis, self.tr("O&ver"))
        self.zoom = button(self.tr("Show &all"), self._reset_zoom, about=self.tr("Leave the zoom (key 0)"))
        self.picture = button(self.tr("Save &picture …"), self._choose_picture)
        self.table = button(self.tr("Save &table …"), self._choose_table, about=self.tr("All values as a CSV file"))
        self.problem = ProblemBox()
        self._hint = label(
            self.tr(
                "The loss says how surprised the model is by your texts: it should fall, quickly at first. "
                "Drag or turn the wheel to look closer."
            ),
            role="quiet",
            wrap=True,
        )
        self._place = QVBoxLayout()
        self._empty = label(self.tr("The curve appears with the first iterations."), role="quiet", wrap=True)
        self._place.addWidget(self._empty)
        self.box.addWidget(self._hint)
        self.box.addLayout(self._place)
        self.box.addLayout(row(about, self.axis, self.zoom, 1, self.picture, self.table))
        self.box.addWidget(self.problem)
        self._controls = (about, self.axis, self.zoom, self.picture, self.table)

    def show_run(self, folder: RunFolder | None) -> None:
        """Draw this training from now on."""
        if folder is not None and self._folder is not None and folder.path == self._folder.path:
            self.refresh()
            return
        self._folder, self.series, self._feed = folder, None, None
        self._reading = False
        self._show_controls()
        self.refresh()

    def follow(self, *, on: bool) -> None:
        """Read on by itself while the training is going on."""
        if on and not self._timer.isActive():
            self._timer.start()
        elif not on:
            self._timer.stop()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Catch up with what happened while the curve could not be seen."""
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Read what is new in the background and draw it. The first reading may take seconds for a long training."""
        folder, feed = self._folder, self._feed
        if folder is None or self._reading or not self.isVisible():
            return
        self._reading = True
        if feed is None:
            self.session.reader.run(self, lambda: _read(folder), self._loaded, self._failed, after_ms=PAINT_FIRST_MS)
        else:
            self.session.reader.run(self, feed.lines, lambda lines: self._grown(feed, lines), self._failed)

    def _loaded(self, found: tuple[RunFolder, Feed, LossSeries]) -> None:
        folder, feed, series = found
        if folder is not self._folder:
            return
        self._reading = False
        self._feed, self.series = feed, series
        self._draw()

    def _grown(self, feed: Feed, lines: list[str]) -> None:
        if feed is not self._feed or self.series is None:
            return
        self._reading = False
        if lines:
            self.series.add_lines(lines)
            self._draw()

    def _failed(self, problem: Problem) -> None:
        self._reading = False
        self.problem.show_problem(problem)

    def _draw(self) -> None:
        if self.series is None or not len(self.series):
            return
        if self.plot is None:
            self.session.with_plots(self, self._plots_loaded)
            return
        self.plot.show_series(self.series)
        self._show_controls()

    def _plots_loaded(self, module: ModuleType) -> None:
        if self.plot is None:
            self.plot = self._make_plot(module.LossPlot)
            QTimer.singleShot(0, self, self._draw)  # making it takes long enough for one turn of the event loop

    def _make_plot(self, kind: type[LossPlot]) -> LossPlot:
        made = kind()
        made.setMinimumHeight(280)
        made.apply_colors(plot_colors(theme.colors()))
        made.set_axis(str(self.axis.currentData()))
        made.set_overlays(tuple(self.overlays.items()))
        self._place.addWidget(made)
        return made

    def _show_controls(self) -> None:
        there = self.plot is not None and self.series is not None and len(self.series) > 0
        self._empty.setVisible(not there)
        if self.plot is not None:
            self.plot.setVisible(there)
        for part in self._controls:
            part.setVisible(there)

    def _choose_axis(self) -> None:
        if self.plot is not None:
            self.plot.set_axis(str(self.axis.currentData()))

    def _reset_zoom(self) -> None:
        if self.plot is not None:
            self.plot.reset_zoom()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow light and dark."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.plot is not None:
            self.plot.apply_colors(plot_colors(theme.colors()))

    def overlay(self, title: str, folder: RunFolder | None) -> None:
        """Draw the earlier training in ``folder`` under that title; None draws it no more."""
        if folder is None:
            self.overlays.pop(title, None)
            self._show_overlays()
            return

        def take(found: tuple[RunFolder, Feed, LossSeries]) -> None:
            self.overlays[title] = found[2]
            self._show_overlays()

        self.session.reader.run(self, lambda: _read(folder), take, self.problem.show_problem)

    def _show_overlays(self) -> None:
        if self.plot is not None:
            self.plot.set_overlays(tuple(self.overlays.items()))

    def _choose_picture(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save the picture"), "loss.png", self.tr("Pictures (*.png)")
        )
        if chosen:
            self.save_picture(Path(chosen))

    def _choose_table(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save the table"), "loss.csv", self.tr("Tables (*.csv)"))
        if chosen:
            self.save_table(Path(chosen))

    def save_picture(self, path: Path) -> None:
        """Write the curve as it is shown to ``path``."""
        try:
            if self.plot is not None:
                self.plot.save_png(path)
        except AppError as error:
            self.problem.show_problem(error.problem)

    def save_table(self, path: Path) -> None:
        """Write every iteration to ``path`` as CSV, in the background."""
        from loragui.training.series import write_csv

        folder = self._folder
        if folder is not None:
            self.session.reader.run(self, lambda: write_csv(_read(folder)[2], path), None, self.problem.show_problem)


def _read(folder: RunFolder) -> tuple[RunFolder, Feed, LossSeries]:
    from loragui.training.feed import Feed

    feed = Feed(folder)
    found = feed.series()
    found.smooth  # noqa: B018 - computed here, so that drawing it is quick
    return folder, feed, found
