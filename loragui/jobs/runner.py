"""The runner: executes the plan of a run folder, step by step, and always ends with one final event.

It is a process of its own (``loragui run DIR``), knows nothing about what the steps do, and is meant to outlive the
window. After ``stopped`` or an unexpected end, steps that were done are not done again; after ``failed`` all are (every
step finds quickly what it made before), so that a damaged result mends itself.
"""

from __future__ import annotations

import queue
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO

import filelock
import psutil

from loragui.errors import AppError, Problem
from loragui.jobs import process
from loragui.jobs.awake import kept_awake
from loragui.jobs.events import (
    Event,
    Reader,
    RunEnded,
    RunStarted,
    Saved,
    StepEnded,
    StepStarted,
    Trouble,
    Usage,
)
from loragui.jobs.folder import BROKEN, DONE, FAILED, GONE, STOPPED, RunFolder
from loragui.jobs.journal import Journal
from loragui.jobs.lines import LineSplitter
from loragui.jobs.plan import Plan, Step
from loragui.jobs.pyjob import os_problem
from loragui.paths import write_json

ReaderFactory = Callable[[Path, Mapping[str, object]], Reader]
"""Makes a reader from the folder in which the program runs and the step's ``reader_args``."""

LOOK_EVERY = 0.2
"""Seconds between two looks at the cancel file and the folder."""
USAGE_EVERY = 5.0
"""Seconds between two measurements of the step's memory."""
DRAIN = 2.0
"""Seconds for which output is awaited after the program itself has ended."""


class _Stopped(Exception):  # noqa: N818 - it is a wish, no error
    """The person asked to stop."""


class _Gone(Exception):  # noqa: N818 - shown as a Problem
    """The run folder vanished."""


def run(folder: RunFolder, readers: Mapping[str, ReaderFactory]) -> RunEnded:
    """Execute the folder's plan and return the final event, which is also the last line of ``events.jsonl``.

    AppError when the folder has no readable plan, cannot be written, or another runner works in it.
    """
    plan = folder.load_plan()
    lock = filelock.FileLock(folder.lock_file, timeout=1)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise AppError(
            "This run is already going on.",
            "Watch it, or stop it before starting it again.",
            code="already-running",
        ) from error
    except OSError as error:
        raise AppError.of(os_problem(error)) from error
    try:
        return _Attempt(folder, plan, readers).execute()
    except OSError as error:
        raise AppError.of(os_problem(error)) from error
    finally:
        lock.release()


class _Attempt:
    """One execution of a plan."""

    def __init__(self, folder: RunFolder, plan: Plan, readers: Mapping[str, ReaderFactory]) -> None:
        self._folder = folder
        self._plan = plan
        self._readers = readers
        self._before = folder.look()  # also ends what a killed runner left behind
        self._run_id = uuid.uuid4().hex
        self._signalled = False
        self._began = time.monotonic()
        self._journal = Journal(folder)

    def execute(self) -> RunEnded:
        me = psutil.Process()
        write_json(self._folder.pid_file, {"pid": me.pid, "create_time": me.create_time(), "run_id": self._run_id})
        self._listen_to_signals()
        with kept_awake():
            ended = self._guarded()
        process.end_run(self._run_id)
        self._journal.last_words(ended)
        self._journal.close()
        for leftover in (self._folder.cancel_file, self._folder.pid_file):
            leftover.unlink(missing_ok=True)
        return ended

    def _guarded(self) -> RunEnded:
        try:
            problem = self._all_steps()
        except _Stopped:
            return self._ended(STOPPED)
        except _Gone:
            return self._ended(FAILED, GONE)
        except OSError as error:
            gone = not self._folder.plan_file.exists()
            return self._ended(FAILED, GONE if gone else os_problem(error))
        return self._ended(FAILED, problem) if problem else self._ended(DONE)

    def _ended(self, state: str, problem: Problem | None = None) -> RunEnded:
        return RunEnded(state=state, problem=problem, seconds=round(time.monotonic() - self._began, 3))

    def _all_steps(self) -> Problem | None:
        before, fingerprint = self._before, self._plan.fingerprint
        self._journal.write(RunStarted(title=self._plan.title, attempt=before.attempt + 1, plan=fingerprint))
        goes_on = before.state in {STOPPED, BROKEN} and before.plan == fingerprint
        kept = before.done_steps if goes_on else frozenset()
        for index, step in enumerate(self._plan.steps):
            if step.id in kept:
                continue
            self._journal.write(StepStarted(id=step.id, title=step.title, index=index, count=len(self._plan.steps)))
            problem = self._one_step(step)
            if problem:
                return problem
        return None

    def _one_step(self, step: Step) -> Problem | None:
        command = step.command
        cwd = self._folder.path / command.cwd
        began = time.monotonic()
        try:
            reader = self._readers[command.reader](cwd, command.reader_args)
            child = process.start(command.argv, cwd, process.environment(command.env, self._run_id))
        except OSError as error:
            self._check_folder()
            unstarted = _cannot_start(step, error)
            self._journal.write(Trouble(problem=unstarted), StepEnded(id=step.id, ok=False, seconds=0))
            return unstarted
        follower = _Follower(child, reader, self)
        try:
            problem = follower.follow()
        except _Stopped:
            follower.close()
            self._journal.write(follower.ended(step, ok=False, seconds=time.monotonic() - began))
            raise
        finally:
            follower.close()
        if problem is None and child.returncode != 0:
            problem = _unexplained(step, child.returncode, follower.last_line)
            self._journal.write(Trouble(problem=problem))
        self._journal.write(follower.ended(step, ok=problem is None, seconds=time.monotonic() - began))
        return problem

    # -- what the follower asks for ------------------------------------------------------------------------

    def write(self, *found: Event) -> None:
        """Append events; honours a wish to stop after the next save."""
        self._journal.write(*found)
        if any(isinstance(event, Saved) for event in found) and self._wish() == "after-save":
            raise _Stopped

    def raw(self, data: bytes) -> None:
        """Append raw output."""
        self._journal.raw(data)

    def look_around(self) -> None:
        """Raise when the person asked to stop now or the folder vanished."""
        if self._signalled or self._wish() == "now":
            raise _Stopped
        self._check_folder()

    def _check_folder(self) -> None:
        if not self._folder.plan_file.exists():
            raise _Gone

    def _wish(self) -> str:
        with suppress(OSError, UnicodeDecodeError):
            return self._folder.cancel_file.read_text(encoding="utf-8").strip() or "now"
        return ""

    def _listen_to_signals(self) -> None:
        def note(_signal: int, _frame: FrameType | None) -> None:
            self._signalled = True

        if threading.current_thread() is threading.main_thread():
            for name in (signal.SIGINT, signal.SIGTERM):
                signal.signal(name, note)


class _Follower:
    """Reads one program's output until its end and turns it into events."""

    def __init__(self, child: subprocess.Popen[bytes], reader: Reader, attempt: _Attempt) -> None:
        self._child = child
        self._reader = reader
        self._attempt = attempt
        self._chunks: queue.Queue[tuple[str, bytes]] = queue.Queue(maxsize=256)
        self._splitters = {"stdout": LineSplitter(), "stderr": LineSplitter()}
        self._peak = 0
        self._told = 0
        self._measured = 0.0
        self._pumps: list[threading.Thread] = []
        self._closing = False
        self.last_line = ""

    def ended(self, step: Step, *, ok: bool, seconds: float) -> StepEnded:
        return StepEnded(id=step.id, ok=ok, seconds=round(seconds, 3), peak_rss=self._peak)

    def follow(self) -> Problem | None:
        """Until the program ends and its output is drained. The first fatal problem ends the program."""
        for name, pipe in (("stdout", self._child.stdout), ("stderr", self._child.stderr)):
            self._pumps.append(threading.Thread(target=self._pump, args=(name, pipe), daemon=True))
            self._pumps[-1].start()
        open_pipes, looked, heard = 2, 0.0, time.monotonic()
        while open_pipes:
            try:
                stream, data = self._chunks.get(timeout=LOOK_EVERY)
            except queue.Empty:
                if self._child.poll() is not None and time.monotonic() - heard > DRAIN:
                    break  # something it started still holds the pipe
            else:
                heard = time.monotonic()
                open_pipes -= not data
                if problem := self._take(stream, data):
                    return problem
            if time.monotonic() - looked >= LOOK_EVERY:
                looked = time.monotonic()
                self._attempt.look_around()
                self._measure()
        return self._fatal(self._reader.end(self._child.wait()))

    def close(self) -> None:
        """End what is left of the program and let go of its pipes."""
        self._closing = True
        if self._child.poll() is None:
            process.end(process.descendants(self._child.pid))
        for pump, pipe in zip(self._pumps, (self._child.stdout, self._child.stderr), strict=False):
            pump.join(timeout=DRAIN)
            if pipe is not None and not pump.is_alive():
                pipe.close()
        self._child.wait()

    def _pump(self, name: str, pipe: IO[bytes]) -> None:
        with suppress(OSError, ValueError):
            while data := pipe.read(65536):
                self._put(name, data)
        self._put(name, b"")

    def _put(self, name: str, data: bytes) -> None:
        while not self._closing:
            with suppress(queue.Full):
                self._chunks.put((name, data), timeout=LOOK_EVERY)
                break

    def _take(self, stream: str, data: bytes) -> Problem | None:
        splitter = self._splitters[stream]
        self._attempt.raw(data)
        found: list[Event] = []
        for line in splitter.feed(data) if data else splitter.flush():
            self.last_line = line.strip() or self.last_line
            found.extend(self._reader.line(line, stream))
        return self._fatal(found)

    def _fatal(self, found: Iterable[Event]) -> Problem | None:
        events = list(found)
        self._attempt.write(*events)
        return next((e.problem for e in events if isinstance(e, Trouble) and e.fatal), None)

    def _measure(self) -> None:
        if time.monotonic() - self._measured < (USAGE_EVERY if self._peak else 0.5):
            return
        self._measured = time.monotonic()
        rss = process.memory(self._child.pid)
        self._peak = max(self._peak, rss)
        if abs(rss - self._told) > 0.01 * max(self._told, 1 << 20):
            self._told = rss
            self._attempt.write(Usage(rss=rss, peak=self._peak))


def _cannot_start(step: Step, error: OSError) -> Problem:
    program = step.command.argv[0]
    return Problem(
        message=f"{Path(program).name} could not be started: {error.strerror or error}.",
        hint="If an antivirus program removed it, allow it there; then set the engine up again.",
        details=f"{step.command}\n{error!r}",
        code="cannot-start",
    )


def _unexplained(step: Step, returncode: int, last_line: str) -> Problem:
    return Problem(
        message=f"“{step.title}” stopped with an error (exit code {returncode}).",
        hint="Try again. If it happens again, the details show what the program said last.",
        details=last_line,
        code="unexplained",
    )
