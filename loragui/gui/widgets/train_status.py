"""How the training stands: iteration, loss, time left, RAM, and the buttons to pause, stop and go on."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from loragui import machine, units
from loragui.gui.session import Session
from loragui.gui.watcher import RunWatcher
from loragui.gui.widgets.basic import Badge, Card, button, label, row, set_text
from loragui.gui.widgets.problem import ProblemBox
from loragui.gui.widgets.ram_bar import RamBar
from loragui.gui.widgets.run_panel import clock
from loragui.jobs.events import Metric
from loragui.jobs.folder import BROKEN, DONE, FAILED, NEW, RUNNING, STOPPED
from loragui.training.standing import Standing, lost_by_stopping, wait_for_save

RAM_MS = 2000


class TrainStatus(Card):
    """Shows a ``RunWatcher`` of a training and what its folder said when it was last read (``Standing``)."""

    resume_wanted = Signal()
    anew_wanted = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Training"), parent)
        self.session = session
        self.run: RunWatcher | None = None
        self.standing: Standing | None = None
        self.latest: Metric | None = None
        self.saved = 0
        self.state = Badge()
        self._number, self._about = label(role="number", wrap=True), label(role="quiet", wrap=True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 10_000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the training"))
        self.pause = button(self.tr("&Pause"), lambda: self._stop(after_save=True))
        self.stop = button(self.tr("&Stop now"), lambda: self._stop(after_save=False))
        self.resume = button(self.tr("&Resume"), self.resume_wanted.emit)
        self.anew = button(self.tr("Start a &new training"), self.anew_wanted.emit)
        self._costs = label(role="quiet", wrap=True)
        self.ram, self._ram_text = RamBar(), label(role="quiet", wrap=True)
        self.problem, self.advice = ProblemBox(), ProblemBox()
        self.box.addLayout(row(self._number, self.state))
        for part in (self._about, self.bar, self.problem, self.advice, self.ram, self._ram_text):
            self.box.addWidget(part)
        self.box.addLayout(row(self.pause, self.stop, self.resume, self.anew, 1))
        self.box.addWidget(self._costs)
        self._timer = QTimer(self)
        self._timer.setInterval(RAM_MS)
        self._timer.timeout.connect(self._read_ram)
        self._timer.start()

    def show_training(self, run: RunWatcher | None, standing: Standing | None) -> None:
        """Show this training."""
        self.run, self.standing = run, standing
        self.refresh()

    def refresh(self) -> None:
        """Show how it is now."""
        self.setVisible(self.run is not None)
        if self.run is None:
            return
        running = self.run.running
        set_text(self._number, self._iteration())
        set_text(self._about, self._time_left() if running else self._ended())
        self.state.show_word(*self._word(self.run))
        self.bar.setVisible(bool(self._total()))
        self.bar.setValue(round(10_000 * self._reached() / (self._total() or 1)))
        can_resume = self.standing is not None and self.standing.can_resume and not running
        self.pause.setVisible(running)
        self.stop.setVisible(running)
        self.pause.setEnabled(not self.run.stopping)
        self.stop.setEnabled(self.run.stopping != "now")
        self.resume.setVisible(can_resume)
        self.anew.setVisible(not running)
        set_text(self._costs, self._cost() if running else "")
        self._costs.setVisible(running)
        failed = not running and self.run.state in {FAILED, BROKEN}
        self.problem.show_problem(self.run.problem if failed else None)
        self.ram.setVisible(running)
        self._ram_text.setVisible(running)

    def _total(self) -> int:
        if self.latest is not None:
            return self.latest.total
        return self.standing.training.hyperparameters.iterations if self.standing else 0

    def _reached(self) -> int:
        if self.run is not None and self.run.state == DONE:
            return self._total()
        if self.latest is not None:
            return self.latest.iteration
        return self.standing.summary.iteration if self.standing else 0

    def _loss(self) -> float | None:
        if self.latest is not None:
            return self.latest.loss
        return self.standing.summary.loss if self.standing else None

    def _iteration(self) -> str:
        loss, total = self._loss(), self._total()
        if not total:
            return self.tr("Getting ready …")
        text = self.tr("Iteration {done} of {total}").format(done=f"{self._reached():,}", total=f"{total:,}")
        return text if loss is None else self.tr("{text}, loss {loss}").format(text=text, loss=f"{loss:.3f}")

    def _word(self, run: RunWatcher) -> tuple[str, str]:
        if run.stopping:
            return (self.tr("Stopping …") if run.stopping == "now" else self.tr("Pausing …")), "warn"
        return {
            RUNNING: (self.tr("Training"), ""),
            DONE: (self.tr("Done"), "good"),
            STOPPED: (self.tr("Paused"), "warn"),
            FAILED: (self.tr("Failed"), "bad"),
            BROKEN: (self.tr("Interrupted"), "warn"),
            NEW: (self.tr("Not started"), ""),
        }.get(run.state, ("", ""))

    def _time_left(self) -> str:
        metric = self.latest
        if metric is None or metric.eta is None:
            return self.tr("The base model is being loaded. The first iteration takes the longest.")
        return self.tr("About {time} left, until {clock}. One iteration takes {each}.").format(
            time=units.duration(metric.eta), clock=clock(metric.eta), each=units.duration(metric.seconds or 0)
        )

    def _ended(self) -> str:
        standing = self.standing
        if standing is None:
            return ""
        worked, peak = units.duration(standing.summary.seconds), units.size(standing.summary.peak_rss)
        text = self.tr("It worked for {time} and took at most {ram} of RAM.").format(time=worked, ram=peak)
        if standing.can_resume:
            going = self.tr("It can go on from iteration {saved}.").format(saved=f"{standing.saved:,}")
            return f"{text} {going}"
        return text

    def _cost(self) -> str:
        metric, standing = self.latest, self.standing
        if metric is None or standing is None:
            return self.tr("Nothing is saved yet: stopping now begins again from the start.")
        every = standing.training.hyperparameters.save_every
        wait = wait_for_save(metric.iteration, every, metric.seconds)
        lost, time = lost_by_stopping(metric.iteration, self.saved, metric.seconds)
        return self.tr(
            "Pause waits for the next checkpoint (about {wait}) and loses nothing. "
            "Stop now loses {lost} iterations ({time} of work)."
        ).format(wait=units.duration(wait), lost=f"{lost:,}", time=units.duration(time))

    def _stop(self, *, after_save: bool) -> None:
        if self.run is not None:
            self.run.stop(after_save=after_save)
            self.refresh()

    def _read_ram(self) -> None:
        if self.run is not None and self.run.running and self.isVisible():
            self.session.background.run(self, machine.ram, self._show_ram)

    def _show_ram(self, found: tuple[int, int]) -> None:
        total, available = found
        own = self.run.usage.rss if self.run is not None and self.run.usage is not None else 0
        other = max(0, total - available - own)
        self.ram.show_ram(own=own, other=other, total=total)
        set_text(self._ram_text, self.tr("RAM: {sentence}").format(sentence=self.ram.sentence()))
