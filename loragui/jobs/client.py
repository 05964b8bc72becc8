"""The other side of a run folder: start its runner detached, watch it, ask it to stop.

Window and command line use only this. Closing or killing the client changes nothing for the work.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator

from loragui.errors import AppError, Problem
from loragui.jobs import events, process
from loragui.jobs.events import RunEnded, Stamped
from loragui.jobs.folder import BROKEN, GONE, NEW, UNEXPECTED, RunFolder
from loragui.jobs.journal import RESERVE_BYTES
from loragui.jobs.pyjob import os_problem, python_argv

POLL = 0.2
"""Seconds between two looks at a run."""
PIECE = 1 << 17
"""Bytes of events that are read at once."""
START_TIMEOUT = 30.0
"""Seconds within which a runner must have shown itself."""


class Tail:
    """Reads what was appended to ``events.jsonl`` since the last time; a line still being written waits."""

    def __init__(self, folder: RunFolder) -> None:
        self._file = folder.events_file
        self._at = 0
        self.behind = False
        """Whether the last poll left some of it for the next."""

    def poll(self, most: int = PIECE) -> list[Stamped]:
        """The new events in the next ``most`` bytes or so. FileNotFoundError when the file is not there (any more)."""
        self.behind = False
        with self._file.open("rb") as source:
            if source.seek(0, 2) < self._at:  # the folder was deleted and made anew
                self._at = 0
            source.seek(self._at)
            data = source.read(most)
            while b"\n" not in data and (more := source.read(most)):
                data += more
            self.behind = bool(source.read(1))
        complete = data[: data.rfind(b"\n") + 1]
        self._at += len(complete)
        self.behind = self.behind and bool(complete)
        lines = complete.decode("utf-8", "replace").split("\n")
        return [stamped for line in lines if (stamped := events.from_line(line)) is not None]

    def skip(self) -> None:
        """Leave out what is there already."""
        if self._file.exists():
            self.poll()
            while self.behind:
                self.poll()


class Watch:
    """One client's view of a run: each look gives what is new, until the run is ``over``."""

    def __init__(self, folder: RunFolder, tail: Tail | None = None) -> None:
        self.folder = folder
        self.over = False
        self.seen_running = False
        """Whether the run was going on at any look."""
        self._tail = tail or Tail(folder)
        self._ended: RunEnded | None = None

    def look(self) -> list[Stamped]:
        """The new events. The last of all is a ``RunEnded``, also when the runner was killed or its folder deleted."""
        running = self.folder.is_running()
        self.seen_running = self.seen_running or running
        try:
            fresh = self._tail.poll()
        except FileNotFoundError:
            fresh = []
            if not self.folder.path.exists():
                return self._end("failed", GONE)
        for stamped in fresh:
            self._ended = stamped.event if isinstance(stamped.event, RunEnded) else None
        if running or self._tail.behind:
            return fresh
        if self._ended is None and self.folder.look().state in ({BROKEN, NEW} if self.seen_running else {BROKEN}):
            return fresh + self._end(BROKEN, UNEXPECTED)
        self.over = not fresh
        return fresh

    def _end(self, state: str, problem: Problem) -> list[Stamped]:
        self.over = True
        return [Stamped(time=time.time(), event=RunEnded(state=state, problem=problem))]


def start(folder: RunFolder) -> None:
    """Start the folder's runner as a process that outlives us, and wait until it has shown itself.

    AppError with the runner's own words when it could not begin.
    """
    folder.load_plan()
    try:
        earlier = folder.look().attempt
        folder.cancel_file.unlink(missing_ok=True)
        with folder.runner_log.open("wb") as log:
            child = process.start_detached((*python_argv(), "run", str(folder.path.resolve())), log)
    except OSError as error:
        raise AppError.of(os_problem(error)) from error
    threading.Thread(target=child.wait, daemon=True).start()  # a long-lived client must not collect zombies
    until = time.monotonic() + START_TIMEOUT
    while time.monotonic() < until:
        if child.poll() is not None or folder.is_running():
            break
        time.sleep(0.02)
    if folder.is_running() or folder.look().attempt > earlier:
        return
    raise _not_started(folder)


def _not_started(folder: RunFolder) -> AppError:
    said = folder.runner_log.read_text(encoding="utf-8", errors="replace").strip()
    if said:
        return AppError(said, code="runner-start")
    if shutil.disk_usage(folder.path).free < RESERVE_BYTES:
        return AppError("The disk is full.", "Free some space on this disk, then start again.", code="disk-full")
    return AppError(
        "The background program could not be started.",
        "Restart the PC and try again; an antivirus program may be holding it back.",
        code="runner-start",
    )


def follow(folder: RunFolder, tail: Tail | None = None) -> Iterator[Stamped]:
    """Events as they come (all of them, or from ``tail`` on) until the run has ended; the last is ``RunEnded``."""
    watch = Watch(folder, tail)
    while True:
        fresh = watch.look()
        yield from fresh
        if watch.over:
            return
        time.sleep(0.02 if fresh else POLL)


def request_stop(folder: RunFolder, *, after_save: bool = False) -> None:
    """Ask the runner to stop: now, or right after the next save. It ends its whole process tree.

    AppError when nothing runs in the folder.
    """
    if not folder.is_running():
        raise AppError("Nothing is running here.", "There is nothing to stop.", code="not-running")
    folder.cancel_file.write_text("after-save" if after_save else "now", encoding="utf-8")


def run_to_end(folder: RunFolder) -> RunEnded:
    """Start, wait, and return the final event."""
    tail = Tail(folder)
    tail.skip()
    start(folder)
    last: RunEnded | None = None
    for stamped in follow(folder, tail):
        if isinstance(stamped.event, RunEnded):
            last = stamped.event
    return last or RunEnded(state=BROKEN, problem=UNEXPECTED)
