"""Train: start, watch, pause, stop, resume, and compare with earlier trainings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtWidgets import QWidget

from loragui import acts, units
from loragui.acts import Open
from loragui.errors import AppError, Problem
from loragui.gui.page import Act, Page
from loragui.gui.session import Session
from loragui.gui.watcher import RunWatcher
from loragui.gui.widgets.basic import Card, label
from loragui.gui.widgets.problem import ProblemBox, ProblemList
from loragui.gui.widgets.run_log import RunLog, RunMessages
from loragui.gui.widgets.run_panel import clock
from loragui.gui.widgets.train_curve import TrainCurve
from loragui.gui.widgets.train_runs import TrainRuns
from loragui.gui.widgets.train_status import TrainStatus
from loragui.gui.words import source_words
from loragui.jobs.events import Metric, Saved, Stamped
from loragui.jobs.folder import DONE, RunFolder
from loragui.machine import Machine
from loragui.settings.estimate import Estimate
from loragui.steps import Step
from loragui.training.checkpoints import numbers
from loragui.training.runs import RunSummary, kind_of, run_folders, summarize
from loragui.training.standing import Standing
from loragui.training.start import KIND

SHOWN_MESSAGES = 8


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What was read of the project's trainings and of what a new one would take."""

    standing: Standing | None = None
    earlier: tuple[RunSummary, ...] = ()
    estimate: Estimate | None = None
    problem: Problem | None = None


class TrainPage(Page):
    """Shows the project's newest training and offers what can be done with it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.run: RunWatcher | None = None
        self.seen = _Seen()
        self._starting = False
        self.heading(
            self.tr("Train"),
            self.tr(
                "The model reads your texts again and again and adjusts the LoRA a little each time. "
                "You may close the window or go on working: it trains in the background."
            ),
        )
        self.problem, self.gate = ProblemBox(), ProblemList()
        self.status = TrainStatus(session)
        self.curve = TrainCurve(session)
        self.messages = RunMessages(self.tr("What happened last"))
        self.runs = TrainRuns()
        self._plan = label(role="quiet", wrap=True)
        self.before = Card(self.tr("Before it starts"))
        self.before.box.addWidget(self._plan)
        for part in (self.problem, self.gate, self.before, self.status, self.curve, self.messages, self.runs):
            self.body.addWidget(part)
        self.details = RunLog()
        self.body.addWidget(self.details)
        self.body.addStretch(1)
        self.status.resume_wanted.connect(self._resume)
        self.status.anew_wanted.connect(self._start)
        self.runs.toggled.connect(self._overlay)
        session.run_ended.connect(self._run_over)
        session.gates_changed.connect(self.refresh)
        session.machine_changed.connect(self.refresh)
        self._render()

    def enter(self) -> None:
        """Look at the trainings anew."""
        self.refresh()
        self.curve.refresh()

    def _run_over(self, _run: RunWatcher) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Read how the trainings stand, in the background."""
        opened, pc = self.session.store.opened, self.session.machine
        if opened is not None:
            self.latest.ask(lambda: _look(opened, pc), self._take)

    def _take(self, seen: _Seen) -> None:
        self.seen = seen
        if seen.standing is not None and (self.run is None or self.run.folder.path != seen.standing.folder.path):
            self._watch(seen.standing.folder)
        self._render()

    def _watch(self, folder: RunFolder) -> None:
        if self.run is not None:
            self.run.changed.disconnect(self._moved)
            self.run.fresh.disconnect(self._fresh)
        self.run = self.session.watch(folder)
        self.run.changed.connect(self._moved)
        self.run.fresh.connect(self._fresh)
        self.status.latest, self.status.saved = None, 0
        self.session.background.run(self, lambda: _newest(folder), self._known)
        self.curve.show_run(folder)

    def _known(self, found: tuple[RunFolder, Metric | None, int]) -> None:
        folder, metric, saved = found
        if self.run is not None and folder is self.run.folder:
            self.status.latest = self.status.latest or metric
            self.status.saved = max(self.status.saved, saved)
            self._render()

    def _fresh(self, events: tuple[Stamped, ...]) -> None:
        for stamped in events:
            match stamped.event:
                case Metric() as metric:
                    self.status.latest = metric
                case Saved(iteration=iteration):
                    self.status.saved = iteration
                case _:
                    pass

    def _moved(self) -> None:
        self.status.refresh()
        self.curve.follow(on=self.run is not None and self.run.running)
        self.messages.show_run(self.run)
        self.details.show_run(self.run)
        self.act_changed.emit()

    def _render(self) -> None:
        running = self.run is not None and self.run.running
        self.problem.show_problem(self.seen.problem)
        gate = self.session.gates.get(Step.TRAIN)
        self.gate.show_problems(gate.locked if gate is not None and not running else ())
        self.before.setVisible(self.run is None)
        self._plan.setText(self._prospect())
        self.status.show_training(self.run, self.seen.standing)
        self.status.advice.show_problem(self._changed_advice() if not running else None)
        self.curve.setVisible(self.run is not None)
        self.runs.show_runs(self.seen.earlier)
        self.details.setVisible(self.run is not None)
        self._moved()

    def _prospect(self) -> str:
        found = self.seen.estimate
        if found is None:
            return self.tr("How long it takes is told as soon as the steps before are done.")
        return self.tr(
            "It takes about {time} ({low} to {high}, {source}), so until {clock} if it starts now, and about {ram} of "
            "RAM. A checkpoint is saved every {every} iterations: what came before it is never lost."
        ).format(
            time=units.duration(found.total_seconds.value),
            low=units.duration(found.total_seconds.low),
            high=units.duration(found.total_seconds.high),
            source=source_words(found.total_seconds.source),
            clock=clock(found.total_seconds.value),
            ram=units.size(found.working_set_bytes.value),
            every=self.session.store.project.hyperparameters.save_every,
        )

    def _changed_advice(self) -> Problem | None:
        if self.seen.standing is None or not self.seen.standing.changed:
            return None
        return Problem(
            message=self.tr("Your settings or texts are others now than this training's."),
            hint=self.tr("“Start a new training” uses the new ones. This training and its results stay."),
            code="changed-since",
            blocking=False,
        )

    def act(self) -> Act | None:
        """Start, go on, or go to the result."""
        if self._starting:
            return Act(text=self.tr("Starting …"))
        if self.run is not None and self.run.running:
            return Act(text=self.tr("Training …"), why=self.tr("You may close the window; it goes on."))
        standing = self.seen.standing
        if standing is not None and standing.summary.state == DONE:
            return self.next_act(Step.RESULT, self.tr("Continue to the result"))
        if standing is not None and standing.can_resume:
            return Act(
                text=self.tr("Resume training"),
                run=self._resume,
                why=self.tr("It goes on from iteration {saved}.").format(saved=f"{standing.saved:,}"),
            )
        gate = self.session.gates.get(Step.TRAIN)
        if gate is None or gate.locked:
            return Act(text=self.tr("Start training"), why=gate.locked[0].message if gate else "")
        return Act(text=self.tr("Start training"), run=self._start, why=self._short_prospect())

    def _short_prospect(self) -> str:
        found = self.seen.estimate
        if found is None:
            return ""
        return self.tr("About {time}, until {clock}.").format(
            time=units.duration(found.total_seconds.value), clock=clock(found.total_seconds.value)
        )

    def _start(self) -> None:
        self._begin(acts.train)

    def _resume(self) -> None:
        standing = self.seen.standing
        if standing is not None:
            self._begin(lambda opened: acts.resume(opened, standing.folder))

    def _begin(self, make: Callable[[Open], RunFolder]) -> None:
        """Make or prepare the run folder in the background, then start its runner."""
        opened = self.session.store.opened
        if opened is None or self._starting:
            return
        self._starting = True
        self.seen = replace(self.seen, problem=None)
        self._render()
        self.session.background.run(self, lambda: make(opened), self._made, self._not_made)

    def _made(self, folder: RunFolder) -> None:
        self._starting = False
        if self.run is None or self.run.folder.path != folder.path:
            self._watch(folder)
        assert self.run is not None  # noqa: S101 - it is watched now
        self.run.start()
        self.refresh()

    def _not_made(self, problem: Problem) -> None:
        self._starting = False
        self.seen = replace(self.seen, problem=problem)
        self._render()

    def _overlay(self, what: tuple[str, str, bool]) -> None:
        title, number, on = what
        opened = self.session.store.opened
        if opened is not None:
            self.curve.overlay(title, RunFolder(opened.runs / number) if on else None)


def _newest(folder: RunFolder) -> tuple[RunFolder, Metric | None, int]:
    """The last measurement and the newest checkpoint; quick also for a million iterations."""
    return folder, folder.last(Metric), max(numbers(folder.path, "checkpoint"), default=0)


def _look(opened: Open, pc: Machine | None) -> _Seen:
    """Everything about the project's trainings; runs in the background."""
    try:
        standing = acts.training_standing(opened)
    except AppError as error:
        return _Seen(problem=error.problem)
    trainings = [folder for folder in run_folders(opened.folder) if kind_of(folder) == KIND]
    earlier = tuple(summarize(folder) for folder in reversed(trainings[:-1]))
    try:
        found = acts.estimate(opened, pc) if pc is not None else None
    except AppError:
        found = None  # the gate says what is missing
    return _Seen(standing=standing, earlier=earlier, estimate=found)
