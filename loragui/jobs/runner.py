"""The runner: executes the plan of a run folder, step by step, and always ends with one final event.

It is a process of its own (``loragui run DIR``), knows nothing about what the steps do, and is meant to outlive the
window. After ``stopped`` or an unexpected end, steps that were done are not done again; after ``failed`` all are (every
step finds quickly what it made before), so that a damaged result mends itself.
"""

from __future__ import annotations

import signal
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

import filelock
import psutil

from loragui.errors import AppError, Problem
from loragui.jobs import failures, process
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
)
from loragui.jobs.folder import BROKEN, DONE, FAILED, GONE, STOPPED, RunFolder
from loragui.jobs.follower import Follower
from loragui.jobs.journal import Journal
from loragui.jobs.plan import Plan, Step
from loragui.jobs.pyjob import os_problem
from loragui.paths import write_json

ReaderFactory = Callable[[Path, Mapping[str, object]], Reader]
"""Makes a reader from the folder in which the program runs and the step's ``reader_args``."""


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
        follower = Follower(child, reader, self)
        try:
            try:
                problem = follower.follow()
            finally:
                follower.close()
        except _Stopped:
            self._journal.write(follower.ended(step, ok=False, seconds=time.monotonic() - began))
            raise
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


def _cannot_start(step: Step, error: OSError) -> Problem:
    program, details = step.command.argv[0], f"{step.command}\n{error!r}"
    known = failures.known((str(error),), 1, "python")
    if known is not None:
        return replace(known, details=details)
    name = Path(program).name
    if isinstance(error, FileNotFoundError) and name == program and error.filename in {None, program}:
        return Problem(
            message=f"{name} is not installed on this computer.",
            hint=f"Install {name}, or choose a way that does not need it.",
            details=details,
            code="tool-missing",
        )
    return Problem(
        message=f"{name} could not be started: {error.strerror or error}.",
        hint="If an antivirus program removed it, allow it there; then set the engine up again.",
        details=details,
        code="cannot-start",
    )


def _unexplained(step: Step, returncode: int, last_line: str) -> Problem:
    return Problem(
        message=f"“{step.title}” stopped with an error (exit code {returncode}).",
        hint="Try again. If it happens again, the details show what the program said last.",
        details=last_line,
        code="unexplained",
    )
