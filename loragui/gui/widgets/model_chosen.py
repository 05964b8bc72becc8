"""The project's base model: what can be done with it, whether it fits this PC, and what it is."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from loragui.gui.theme import GAP
from loragui.gui.widgets.basic import Card, Details, Facts, clear, label, row
from loragui.gui.widgets.model_offer import fit_badge
from loragui.model.inspect import describe
from loragui.model.judge import Outcome
from loragui.offers import Chosen

PLAIN = ("Size", "Number format", "Context", "Licence")
"""Rows of ``describe`` that everybody may want to know; the others stand under Details."""


class ModelChosen(Card):
    """Hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("Your base model"))
        self._shown: Chosen | None = None
        self._verdict = QVBoxLayout()
        self._verdict.setSpacing(GAP)
        self._facts = Facts()
        self._more = Details(self.tr("De&tails of this model"))
        self._others = Facts()
        self._more.box.addWidget(self._others)
        self.box.addLayout(self._verdict)
        self.box.addWidget(self._facts)
        self.box.addWidget(self._more)
        self.hide()

    def show_chosen(self, chosen: Chosen | None) -> None:
        """Show this model; what is shown already stays untouched."""
        if chosen == self._shown:
            return
        self._shown = chosen
        self.setVisible(chosen is not None)
        clear(self._verdict)
        if chosen is None:
            return
        self._show_verdict(chosen)
        rows = describe(chosen.model)
        file = (self.tr("File"), str(chosen.model.path))
        self._facts.show_rows((file, *(pair for pair in rows if pair[0] in PLAIN)))
        self._others.show_rows(pair for pair in rows if pair[0] not in PLAIN)

    def _show_verdict(self, chosen: Chosen) -> None:
        summary = label(chosen.verdict.summary(), role="strong", wrap=True)
        badge = fit_badge(chosen.fit)
        self._verdict.addLayout(row(summary, *([badge] if badge is not None else [])))
        if chosen.fit is not None:
            self._verdict.addWidget(label(chosen.fit.sentence, role="quiet", wrap=True))
        for problem in chosen.verdict.problems():
            self._verdict.addWidget(label(f"•  {problem}", wrap=True))
        if chosen.verdict.outcome is Outcome.COPY:
            kept = self.tr("The original file stays as it is. The copy computes exactly the same.")
            self._verdict.addWidget(label(kept, role="quiet", wrap=True))
