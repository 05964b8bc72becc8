"""What is shown of any run: what is being done, how far, how long still, how to stop it, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QDate, QLocale, QTime
from PySide6.QtWidgets import QFileDialog, QProgressBar, QWidget

from loragui import units
from loragui.errors import Problem
from loragui.gui.watcher import RunWatcher
from loragui.gui.widgets.basic import Card, button, label, row, set_text
from loragui.gui.widgets.problem import ProblemBox
from loragui.gui.widgets.run_log import RunLog
from loragui.jobs.folder import DONE, NEW, STOPPED
from loragui.jobs.progress import State

translate = QCoreApplication.translate


class RunPanel(Card):
    """Shows one ``RunWatcher`` at a time; hidden while there is nothing to show.

    ``stop_cost`` says what stopping loses, ``costs`` the same for other kinds of plans; ``again`` is what “Try again”
    does.
    """

    def __init__(
        self,
        *,
        stop_cost: str,
        again: Callable[[], object],
        costs: Mapping[str, str] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent=parent)
        self.watcher: RunWatcher | None = None
        self._again, self._cost, self._costs = again, stop_cost, costs or {}
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress"))
        self._sentence = label(wrap=True)
        self._left = label(role="quiet", wrap=True)
        self.stop = button(self.tr("&Stop"), self._stop, about=stop_cost)
        self._stop_cost = label(stop_cost, role="quiet", wrap=True)
        self.problem = ProblemBox()
        about = self.tr("Save it for someone who helps you, without your name and folders")
        self.save = button(self.tr("Save the whole lo&g …"), self._save, about=about)
        self._saved = label(role="quiet", wrap=True)
        self.details = RunLog()
        for part in (self.bar, self._sentence, self._left):
            self.box.addWidget(part)
        self.box.addLayout(row(self.stop, self._stop_cost))
        self.box.addWidget(self.problem)
        saving = row(self.save, self._saved, 1)
        saving.setStretchFactor(self._saved, 100)
        self.box.addLayout(saving)
        self.box.addWidget(self.details)
        self.hide()

    def show_run(self, watcher: RunWatcher | None) -> None:
        """Show this run from now on."""
        if watcher is self.watcher:
            self.refresh()
            return
        if self.watcher is not None:
            self.watcher.changed.disconnect(self.refresh)
        self.watcher = watcher
        set_text(self._saved, "")
        if watcher is not None:
            watcher.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the run's state now."""
        run = self.watcher
        shown = run is not None and run.state not in {NEW, DONE}
        self.setVisible(shown)
        if run is None or not shown:
            return
        self.set_title(run.plan.title if run.plan else self.tr("Starting …"))
        for part in (self.bar, self._sentence, self._left, self.stop, self._stop_cost):
            part.setVisible(run.running)
        cost = self._costs.get(run.plan.kind if run.plan else "", self._cost)
        set_text(self._stop_cost, cost)
        self.stop.setAccessibleDescription(cost)
        self.stop.setToolTip(cost)
        self.stop.setEnabled(not run.stopping)
        self.bar.setValue(round(1000 * run.progress.fraction))
        set_text(self._sentence, self.tr("Stopping …") if run.stopping else self._doing(run.progress))
        set_text(self._left, time_left(run.progress))
        failed = not run.running and run.state != STOPPED
        self.problem.show_problem(run.problem if failed else None, self._again)
        self.save.setVisible(failed)
        self._saved.setVisible(failed and bool(self._saved.text()))
        if run.state == STOPPED:
            kept = self.tr("Stopped. Start it again at any time; what is done is kept.")
            set_text(self._sentence, self.tr("Stopped. Start it again at any time.") if cost != self._cost else kept)
            self._sentence.show()
        self.details.show_run(run)

    def _doing(self, state: State) -> str:
        if not state.title:
            return self.tr("Starting …")
        parts = [state.title]
        if state.count > 1:
            parts[0] = self.tr("{title} (part {number} of {count})").format(
                title=state.title, number=state.index + 1, count=state.count
            )
        if state.total:
            parts.append(amount(state))
        if state.note and state.note != state.title:
            parts.append(state.note)
        return " · ".join(parts)

    def _save(self) -> None:
        if self.watcher is None:
            return
        proposed = Path.home() / f"loragui-{self.watcher.folder.path.name}.txt"
        chosen, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save the whole log"), str(proposed), self.tr("Text files (*.txt)")
        )
        if chosen:
            target = Path(chosen)
            self.save.setEnabled(False)
            self._tell(self.tr("Saving …"))
            self.watcher.save_log(self, target, lambda: self._is_saved(target), self._not_saved)

    def _is_saved(self, target: Path) -> None:
        self.save.setEnabled(True)
        text = self.tr("Saved as {name}. Your name and your folders were taken out; have a look before you send it.")
        self._tell(text.format(name=target.name))

    def _not_saved(self, problem: Problem) -> None:
        self.save.setEnabled(True)
        self._tell(str(problem))

    def _tell(self, text: str) -> None:
        set_text(self._saved, text)
        self._saved.setVisible(self.save.isVisible())

    def _stop(self) -> None:
        if self.watcher is not None:
            self.watcher.stop()


def amount(state: State) -> str:
    """How much of the current part is done: bytes, files, iterations."""
    if state.unit == "bytes":
        return translate("Run", "{done} of {total}").format(done=units.size(state.done), total=units.size(state.total))
    return translate("Run", "{done} of {total} {unit}").format(
        done=f"{state.done:,.0f}", total=f"{state.total:,.0f}", unit=state.unit
    )


def time_left(state: State) -> str:
    """How long the current part still takes, and when it ends by the clock; empty when nobody can tell."""
    if state.eta is None or state.eta <= 0:
        return ""
    end = clock(state.eta)
    return translate("Run", "About {time} left, until {clock}").format(time=units.duration(state.eta), clock=end)


def clock(seconds: float, now: datetime | None = None) -> str:
    """The local time ``seconds`` from now, with the day when it is not today."""
    now = now or datetime.now().astimezone()
    end = now + timedelta(seconds=seconds)
    locale = QLocale()
    time = locale.toString(QTime(end.hour, end.minute), QLocale.FormatType.ShortFormat)
    if end.date() == now.date():
        return time
    return f"{locale.toString(QDate(end.year, end.month, end.day), 'ddd d MMM')}, {time}"
