"""The samples as the model will read them: how long they are, and some of them with the reply marked."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit, QVBoxLayout, QWidget

from loragui.data.preview import PreviewSample
from loragui.data.view import TextView
from loragui.gui import theme
from loragui.gui.plot_colors import plot_colors
from loragui.gui.session import Session
from loragui.gui.widgets.basic import Card, button, label, row, set_text

if TYPE_CHECKING:  # pyqtgraph takes a second to load
    from loragui.gui.plot import HistogramPlot


class DataSamples(Card):
    """Shows a ``TextView``; hidden without one."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        self.session = session
        self.plot: HistogramPlot | None = None
        self._view: TextView | None = None
        self._at = 0
        super().__init__("", parent)
        self.set_title(self.tr("What your model will read"))
        self._lengths = label(wrap=True)
        self._place = QVBoxLayout()
        self.text = QTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(220)
        self.text.setAccessibleName(self.tr("A sample; the reply is marked"))
        self.previous = button(self.tr("&Previous sample"), lambda: self._step(-1))
        self.next = button(self.tr("&Next sample"), lambda: self._step(1))
        self._where = label(role="quiet", wrap=True)
        self.box.addWidget(self._lengths)
        self.box.addLayout(self._place)
        self.box.addWidget(
            label(
                self.tr("The model learns to write the marked reply when it has read what stands before it."),
                role="quiet",
                wrap=True,
            )
        )
        self.box.addWidget(self.text)
        self.box.addLayout(row(self.previous, self.next, self._where))
        self.hide()

    def show_view(self, view: TextView | None) -> None:
        """Show the samples of this text."""
        self.setVisible(view is not None)
        if view is None or view is self._view:
            return
        self._view, self._at = view, 0
        totals, context = view.report.totals, view.report.context_size
        text = self.tr(
            "A sample has {shortest} to {longest} tokens, half of them at most {median}, nine in ten at most {p90}. "
            "The context is {context}."
        )
        set_text(
            self._lengths,
            text.format(
                shortest=totals.shortest, longest=totals.longest, median=totals.median, p90=totals.p90, context=context
            ),
        )
        self._show_histogram(view)
        self._show_sample()

    def _show_histogram(self, view: TextView) -> None:
        if self.plot is None:
            self.session.with_plots(self, self._plots_loaded)
            return
        preview = view.preview
        self.plot.show_histogram(preview.edges, preview.counts, preview.context_size, self.tr("context size"))

    def _plots_loaded(self, module: ModuleType) -> None:
        if self.plot is None:
            plot: HistogramPlot = module.HistogramPlot()
            plot.setFixedHeight(200)
            plot.apply_colors(plot_colors(theme.colors()))
            self._place.addWidget(plot)
            self.plot = plot
        if self._view is not None:
            self._show_histogram(self._view)

    def _step(self, by: int) -> None:
        if self._view is not None:
            self._at = min(max(0, self._at + by), len(self._view.preview.samples) - 1)
            self._show_sample()

    def _show_sample(self) -> None:
        samples = self._view.preview.samples if self._view is not None else ()
        self.previous.setEnabled(self._at > 0)
        self.next.setEnabled(self._at < len(samples) - 1)
        if self._view is None or not samples:
            return
        sample = samples[self._at]
        total = f"{self._view.report.totals.samples:,}"
        where = self.tr("Sample {number} of {total}: {tokens} tokens, from {place}")
        set_text(
            self._where,
            where.format(number=f"{sample.number:,}", total=total, tokens=sample.tokens, place=sample.place),
        )
        self._write(sample)

    def _write(self, sample: PreviewSample) -> None:
        now = theme.colors()
        before, reply = QTextCharFormat(), QTextCharFormat()
        before.setForeground(QColor(now.quiet))
        reply.setForeground(QColor(now.text))
        reply.setBackground(QColor(now.selected))
        self.text.clear()
        cursor = self.text.textCursor()
        cursor.insertText(sample.prompt, before)
        cursor.insertText(sample.reply, reply)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self.text.setTextCursor(cursor)
        self.text.ensureCursorVisible()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow light and dark."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            if self.plot is not None:
                self.plot.apply_colors(plot_colors(theme.colors()))
            if self._view is not None:
                self._show_sample()
