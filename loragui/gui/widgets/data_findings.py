"""Everything that was left out, shortened or repaired, with its reason; filtered, and as a table to take along."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QFileDialog, QWidget

from loragui.data.folder import write_findings_csv
from loragui.data.report import Finding
from loragui.data.view import MOST, TextView, findings, reason
from loragui.gui.session import Session
from loragui.gui.widgets.basic import Card, button, label, name_of, row, set_text
from loragui.gui.widgets.problem import ProblemBox
from loragui.gui.widgets.table import Table


class DataFindings(Card):
    """Shows the findings of a training text's folder; hidden when there are none."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.session = session
        self._folder: Path | None = None
        self._file = ""
        self._asked = 0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._read)
        self.set_title(self.tr("Left out, shortened or repaired"))
        self.filter = QComboBox()
        self.filter.setAccessibleName(self.tr("Reason"))
        self.filter.setMinimumWidth(260)
        self.filter.currentIndexChanged.connect(lambda _index: self._soon.start())
        self.all_files = button(self.tr("Show all fi&les"), lambda: self.show_file(""))
        self.table_button = button(self.tr("Save as &table …"), self._choose_table)
        headings = (self.tr("Where"), self.tr("What and why"), self.tr("What you can do"))
        self.table = Table(headings, wide=(1, 2), name=self.tr("Findings"))
        self.table.setMinimumHeight(220)
        self._count = label(role="quiet", wrap=True)
        self._full = label(wrap=True)
        self.problem = ProblemBox()
        self.box.addLayout(
            row(name_of(self.filter, self.tr("R&eason")), self.filter, self.all_files, 1, self.table_button)
        )
        for part in (self._count, self.table, self._full, self.problem):
            self.box.addWidget(part)
        self.table.selectionModel().selectionChanged.connect(lambda _new, _old: self._show_full())
        self.hide()

    def show_view(self, view: TextView | None, folder: Path | None) -> None:
        """Show the findings of the text in ``folder``."""
        there = view is not None and bool(view.report.finding_counts)
        self.setVisible(there)
        self._folder = folder if there else None
        if view is None or not there:
            return
        before = self.filter.currentData()
        self.filter.blockSignals(True)  # noqa: FBT003 - Qt's own form
        self.filter.clear()
        total = sum(found.count for found in view.report.finding_counts)
        self.filter.addItem(self.tr("All reasons ({count})").format(count=f"{total:,}"), "")
        for found in view.report.finding_counts:
            text = self.tr("{reason} ({count})").format(reason=reason(found.code), count=f"{found.count:,}")
            self.filter.addItem(text, found.code)
        self.filter.setCurrentIndex(max(0, self.filter.findData(before)))
        self.filter.blockSignals(False)  # noqa: FBT003 - Qt's own form
        self._soon.start()

    def show_file(self, file: str) -> None:
        """Show only what concerns this file; an empty name shows all."""
        self._file = file
        self._soon.start()

    def _read(self) -> None:
        folder, code, file = self._folder, str(self.filter.currentData() or ""), self._file
        self.all_files.setVisible(bool(file))
        if folder is None:
            return
        self._asked += 1
        number = self._asked

        def take(found: tuple[Finding, ...]) -> None:
            if number == self._asked:
                self._show(found)

        self.session.reader.run(self, lambda: findings(folder, code, file), take, self.problem.show_problem)

    def _show(self, found: tuple[Finding, ...]) -> None:
        if len(found) == MOST:
            set_text(self._count, self.tr("The first {count} of them:").format(count=f"{MOST:,}"))
        else:
            set_text(self._count, self.tr("{count} of them:").format(count=f"{len(found):,}"))
        self.table.rows.show_rows(tuple((_place(one), one.message, one.hint) for one in found))
        self._show_full()

    def _show_full(self) -> None:
        chosen = self.table.chosen()
        rows = self.table.rows.rows
        set_text(self._full, " ".join(rows[chosen[0]][1:]) if chosen else "")
        self._full.setVisible(bool(chosen))

    def _choose_table(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save the table"), "findings.csv", self.tr("Tables (*.csv)")
        )
        if chosen:
            self.save_table(Path(chosen))

    def save_table(self, path: Path) -> None:
        """Write all findings to ``path`` as CSV, in the background."""
        folder = self._folder
        if folder is not None:
            self.session.reader.run(self, lambda: write_findings_csv(folder, path), None, self.problem.show_problem)


def _place(found: Finding) -> str:
    where = found.place
    name = Path(where.file).name
    if where.line is not None:
        return f"{name}:{where.line}"
    return f"{name} #{where.record}" if where.record is not None else name
