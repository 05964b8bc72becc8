"""What a training with these settings takes: RAM against the PC's, time with its end by the clock, disk."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from loragui import units
from loragui.gui.widgets.basic import Card, Details, Facts, label, set_text
from loragui.gui.widgets.problem import ProblemList
from loragui.gui.widgets.ram_bar import RamBar
from loragui.gui.widgets.run_panel import clock
from loragui.gui.words import source_words
from loragui.machine import Machine
from loragui.settings.estimate import Estimate, Figure


class SettingsTakes(Card):
    """Shows an ``Estimate``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("What it takes"))
        self.bar = RamBar()
        self._ram = label(role="quiet", wrap=True)
        self.facts = Facts()
        self._none = label(self.tr("It is told as soon as a base model is chosen."), role="quiet", wrap=True)
        self.problems = ProblemList()
        self.notes = Details(self.tr("&How this is known"))
        self._notes = label(role="quiet", wrap=True)
        self.notes.box.addWidget(self._notes)
        for part in (self._none, self.facts, self.bar, self._ram, self.problems, self.notes):
            self.box.addWidget(part)
        self.show_estimate(None, None)

    def show_estimate(self, found: Estimate | None, pc: Machine | None) -> None:
        """Show these figures; None when nothing can be told."""
        there = found is not None and pc is not None
        self._none.setVisible(not there)
        for part in (self.facts, self.bar, self._ram, self.notes):
            part.setVisible(there)
        if found is None or pc is None:
            return
        end = clock(found.total_seconds.value)
        self.facts.show_rows(
            (
                (self.tr("Memory (RAM)"), self._told(found.working_set_bytes, units.size)),
                (self.tr("Time for one iteration"), self._told(found.seconds_per_iteration, units.duration)),
                (self.tr("Time in all"), self._told(found.total_seconds, units.duration)),
                (self.tr("If you start now"), self.tr("It ends about {clock}").format(clock=end)),
                (self.tr("Disk"), self._told(found.disk_bytes, units.size)),
            )
        )
        need, total = found.working_set_bytes.value, float(pc.ram_total_bytes)
        used = max(0.0, total - pc.ram_available_bytes)
        self.bar.show_ram(own=need, other=used, total=total)
        set_text(self._ram, self.bar.sentence())
        set_text(self._notes, "\n".join(found.notes))

    def _told(self, figure: Figure, write: Callable[[float], str]) -> str:
        return self.tr("{value} ({low} to {high}, {source})").format(
            value=write(figure.value),
            low=write(figure.low),
            high=write(figure.high),
            source=source_words(figure.source),
        )
