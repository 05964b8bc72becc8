"""The project's earlier trainings, each with a box to draw its curve beside the newest one."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from loragui import units
from loragui.gui.theme import GAP
from loragui.gui.widgets.basic import Card, clear, label
from loragui.training.runs import RunSummary


class TrainRuns(Card):
    """A list of earlier trainings; hidden when there are none."""

    toggled = Signal(object)
    """(title, number, on): draw the training's curve, or no more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Earlier trainings"), parent)
        self._rows: tuple[RunSummary, ...] = ()
        self._list = QVBoxLayout()
        self._list.setSpacing(GAP)
        self.box.addWidget(label(self.tr("Mark one to draw its curve beside the newest."), role="quiet", wrap=True))
        self.box.addLayout(self._list)
        self.hide()

    def show_runs(self, rows: tuple[RunSummary, ...]) -> None:
        """Show these, the newest first."""
        self.setVisible(bool(rows))
        if rows == self._rows:
            return
        self._rows = rows
        clear(self._list)
        for found in rows:
            made = QCheckBox(self.line(found))
            made.setAccessibleDescription(found.message)
            made.setToolTip(found.message)
            made.toggled.connect(partial(self._toggled, found))
            self._list.addWidget(made)

    def line(self, found: RunSummary) -> str:
        """One line about a training."""
        parts = [
            self.tr("Training {number}").format(number=found.number),
            self.tr("{done} of {total} iterations").format(done=f"{found.iteration:,}", total=f"{found.total:,}"),
        ]
        if found.loss is not None:
            parts.append(self.tr("loss {loss}").format(loss=f"{found.loss:.3f}"))
        parts.append(units.duration(found.seconds))
        return ", ".join(parts)

    def _toggled(self, found: RunSummary, on: bool) -> None:  # noqa: FBT001 - Qt's signal
        self.toggled.emit((self.tr("Training {number}").format(number=found.number), found.number, on))
