"""What a run tells: its last messages in plain words, and, unfolded, what its programs print."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, QLocale
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from loragui.gui.theme import GAP
from loragui.gui.watcher import LOG_LINES, RunWatcher
from loragui.gui.widgets.basic import Card, Details, clear, label
from loragui.jobs.events import Note, Stamped, StepStarted, Trouble

SHOWN_MESSAGES = 8


class RunLog(Details):
    """The raw lines of a run; filled only while it is unfolded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.rename(self.tr("&Details"))
        self._run: RunWatcher | None = None
        self.view = QPlainTextEdit()
        self.view.setReadOnly(True)
        self.view.setProperty("role", "fixed")
        self.view.setMaximumBlockCount(LOG_LINES)
        self.view.setMinimumHeight(170)
        self.view.setTabChangesFocus(True)
        self.view.setAccessibleName(self.tr("What the programs print"))
        self.box.addWidget(self.view)
        self.toggle.toggled.connect(lambda _on: self.show_run(self._run))

    def show_run(self, run: RunWatcher | None) -> None:
        """Show this run's lines as they are now."""
        self._run = run
        if run is None or not self.toggle.isChecked():
            return
        text = "\n".join(run.log)
        if text != self.view.toPlainText():
            bar = self.view.verticalScrollBar()
            at, followed = bar.value(), bar.value() == bar.maximum()
            self.view.setPlainText(text)
            bar.setValue(bar.maximum() if followed else at)  # whoever reads earlier lines stays there


class RunMessages(Card):
    """The last plain sentences of a run, the newest first, each with its time."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._shown: list[str] = []
        self._lines = QVBoxLayout()
        self._lines.setSpacing(GAP // 2)
        self.box.addLayout(self._lines)

    def show_run(self, run: RunWatcher | None) -> None:
        """Show this run's last messages; hidden while there are none."""
        notes = list(run.notes)[-SHOWN_MESSAGES:] if run is not None else []
        lines = [told(stamped) for stamped in reversed(notes)]
        self.setVisible(bool(lines))
        if lines != self._shown:
            self._shown = lines
            clear(self._lines)
            for line in lines:
                self._lines.addWidget(label(line, wrap=True))


def told(stamped: Stamped) -> str:
    """One message with its time."""
    time = moment(stamped.time)
    match stamped.event:
        case Note(text=text) | StepStarted(title=text):
            return f"{time}  {text}"
        case Trouble(problem=problem):
            return f"{time}  {problem}"
        case _:
            return time


def moment(time: float) -> str:
    """A moment (Unix seconds) by the clock, with its day when that is not today."""
    there = QDateTime.fromSecsSinceEpoch(int(time))
    clock = there.time().toString("HH:mm:ss")
    today = there.date() == QDateTime.currentDateTime().date()
    return clock if today else f"{QLocale().toString(there.date(), 'ddd d MMM')}, {clock}"
