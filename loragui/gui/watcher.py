"""A run folder as the window sees it: polled in the background, folded into what pages show.

The work itself is done by the runner's process; this object may come and go at any time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from loragui.errors import AppError, Problem
from loragui.gui.background import Background
from loragui.jobs import client, progress
from loragui.jobs.client import Tail, Watch
from loragui.jobs.events import (
    Log,
    Metric,
    Note,
    Progress,
    Result,
    RunEnded,
    RunStarted,
    Stamped,
    StepStarted,
    Trouble,
    Usage,
)
from loragui.jobs.folder import NEW, RUNNING, RunFolder
from loragui.jobs.plan import Plan
from loragui.jobs.savelog import save_log

POLL_MS = 250
LOG_LINES = 400
NOTES = 50


@dataclass(frozen=True, kw_only=True)
class _Batch:
    watch: Watch
    fresh: tuple[Stamped, ...]
    plan: Plan | None


class RunWatcher(QObject):
    """Follows one run folder, from its first event on, over all its attempts."""

    changed = Signal()
    """Something that is shown has moved."""
    fresh = Signal(object)
    """New events: a tuple of ``Stamped``."""
    ended = Signal(object)
    """The ``RunEnded`` of work that was seen running."""

    def __init__(
        self, folder: RunFolder, background: Background, reader: Background, parent: QObject | None = None
    ) -> None:
        """News are read in ``background``, what had happened before in ``reader``: it may be a million events."""
        super().__init__(parent)
        self.folder = folder
        self.plan: Plan | None = None
        self.state = NEW
        self.stopping = ""
        """``now`` or ``after-save`` once the person has asked for it."""
        self.problem: Problem | None = None
        self.progress = progress.State()
        self.usage: Usage | None = None
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.notes: deque[Stamped] = deque(maxlen=NOTES)
        self.results: dict[str, Any] = {}
        self.loaded = False
        """Whether everything that had happened before was read."""
        self._background, self._reader = background, reader
        self._tail = Tail(folder)
        self._watch: Watch | None = None
        self._live = False
        self._waiting: Callable[[], None] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._poll)

    @property
    def running(self) -> bool:
        """Whether the run is going on or about to begin."""
        return self.state == RUNNING

    def attach(self) -> None:
        """Begin to watch what is there."""
        if not self.folder.path.is_dir():
            self.loaded = True
        elif self._watch is None:
            self._watch = Watch(self.folder, self._tail)
            self._poll()

    def start(self, plan: Plan | None = None) -> None:
        """Start the folder's runner (after saving ``plan``), and watch it. A run that is going on is only watched."""
        if self._live:
            return
        self._live = True
        if self.loaded:
            self._begin(plan)
        else:  # what happened before is read first, so that an earlier end is not taken for this one's
            self._waiting = lambda: self._begin(plan)

    def _begin(self, plan: Plan | None) -> None:
        if self.running:
            return
        self.state, self.problem, self.stopping, self.results = RUNNING, None, "", {}
        self.plan = plan or self.plan
        self.changed.emit()

        def begin() -> Plan | None:
            if not self.folder.is_running():
                if plan is not None:
                    self.folder.save_plan(plan)
                client.start(self.folder)
            return self._load()

        self._background.run(self, begin, self._started, self._not_started)

    def stop(self, *, after_save: bool = False) -> None:
        """Ask the run to stop; it ends when its processes have ended."""
        self.stopping = "after-save" if after_save else "now"
        self.changed.emit()
        self._background.run(self, lambda: client.request_stop(self.folder, after_save=after_save), None, self._gone)

    def save_log(
        self, owner: QObject, target: Path, done: Callable[[], None], failed: Callable[[Problem], None]
    ) -> None:
        """Write the whole log without what names a person into ``target``, which may be replaced."""
        folder = self.folder
        self._reader.run(owner, lambda: save_log(folder, target, overwrite=True), lambda _none: done(), failed)

    def _gone(self, problem: Problem) -> None:
        if problem.code != "not-running":  # it ended by itself a moment ago
            self.stopping = ""
            self.changed.emit()
            self._background.trouble.emit(problem)

    def _started(self, plan: Plan | None) -> None:
        self.plan = plan
        self._watch = Watch(self.folder, self._tail)
        self._poll()

    def _not_started(self, problem: Problem) -> None:
        self._end(RunEnded(state="failed", problem=problem))
        self.changed.emit()

    def _poll(self) -> None:
        watch = self._watch
        if watch is not None:
            known = self.plan if self.running else None

            def look() -> _Batch:
                return _Batch(watch=watch, fresh=tuple(watch.look()), plan=known or self._load())

            lane = self._background if self.loaded else self._reader
            lane.run(self, look, self._arrived)

    def _load(self) -> Plan | None:
        try:
            return self.folder.load_plan()
        except AppError:
            return None

    def _arrived(self, batch: _Batch) -> None:
        if batch.watch is not self._watch:
            return
        self.plan = batch.plan
        for stamped in essential(batch.fresh):
            self._take(stamped)
        if batch.fresh:
            self.fresh.emit(batch.fresh)
        if batch.watch.over:
            missed = not self.loaded and batch.watch.seen_running
            self.loaded, self._watch = True, None
            if missed:  # it ended while the past was still being read
                self._end(RunEnded(state=self.state, problem=self.problem))
        else:
            self.loaded = self.loaded or not batch.fresh
            self._timer.start(0 if batch.fresh and not self.loaded else POLL_MS)
        if batch.fresh or batch.watch.over:
            self.changed.emit()
        if self.loaded and self._waiting is not None:
            begin, self._waiting = self._waiting, None
            begin()

    def _take(self, stamped: Stamped) -> None:
        if self.plan is not None:
            self.progress = progress.advance(self.progress, stamped, self.plan)
        match stamped.event:
            case RunStarted():
                self.state, self.problem = RUNNING, None
            case Log(text=text):
                self.log.append(text)
            case Note() | Trouble() | StepStarted():
                self.notes.append(stamped)
            case Usage() as usage:
                self.usage = usage
            case Result(values=values):
                self.results.update(values)
            case RunEnded() as ended:
                self._end(ended)
            case _:
                pass

    def _end(self, ended: RunEnded) -> None:
        self.state, self.problem, self.usage, self.stopping = ended.state, ended.problem, None, ""
        if self.loaded:
            self._live = False
            self.ended.emit(ended)


def essential(fresh: Iterable[Stamped]) -> Iterator[Stamped]:
    """The events without those measurements that a later one of the same batch replaces."""
    kept: list[Stamped] = []
    for stamped in fresh:
        measured = isinstance(stamped.event, Metric | Progress | Usage)
        if measured and kept and type(kept[-1].event) is type(stamped.event):
            kept[-1] = stamped
        else:
            kept.append(stamped)
    yield from kept
