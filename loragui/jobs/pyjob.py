"""Steps that are our own Python: ``python -m loragui job NAME JSON``, a process of its own like every other step.

A job is a function ``(args, emit) -> None``. What it emits reaches the runner as event lines on stdout.
A job may be ended at any moment, so it writes beside its target and renames when all is there.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from loragui.errors import AppError, Problem
from loragui.jobs import events, failures
from loragui.jobs.events import Event, Trouble
from loragui.jobs.plan import Command

Emit = Callable[[Event], None]
Job = Callable[[Mapping[str, Any], Emit], None]


def python_argv() -> tuple[str, ...]:
    """How to start this program again. In the installed Windows program ``sys.executable`` is the launcher."""
    program = Path(sys.executable)
    beside = program.parent / "runtime" / "python.exe"
    return (str(beside if os.name == "nt" and beside.is_file() else program), "-X", "utf8", "-m", "loragui")


def job_command(name: str, args: Mapping[str, Any], *, cwd: str = ".") -> Command:
    """The command that runs the job called ``name`` (see the registry in ``cli/job.py``)."""
    return Command(argv=(*python_argv(), "job", name, json.dumps(dict(args), sort_keys=True)), cwd=cwd, reader="events")


def run_job(job: Job, args: Mapping[str, Any]) -> int:
    """Run ``job`` in this process, its events as lines on stdout. Returns the exit code."""

    def emit(event: Event) -> None:
        sys.stdout.write(events.to_line(event, time.time()) + "\n")
        sys.stdout.flush()

    try:
        job(args, emit)
    except AppError as error:
        emit(Trouble(problem=error.problem))
        return 1
    except OSError as error:
        emit(Trouble(problem=os_problem(error)))
        return 1
    return 0


def os_problem(error: OSError) -> Problem:
    """What a failed file operation means for a person."""
    place = str(error.filename or "")
    if error.errno == errno.ENOSPC:
        return Problem(
            message="The disk is full.",
            hint="Free some space on this disk, then start again; the work goes on where it was.",
            details=str(error),
            code="disk-full",
        )
    known = failures.known((str(error),), 1, "python")
    if known is not None:
        return replace(known, details=str(error))
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return Problem(
            message=f"Writing or reading {place or 'a file'} is not allowed.",
            hint="Check that the folder is not read-only and that no other program keeps the file open.",
            details=str(error),
            code="not-allowed",
        )
    if isinstance(error, FileNotFoundError) and place.lower().endswith((".exe", ".dll")):
        return failures.vanished(place, str(error))
    if isinstance(error, FileNotFoundError):
        return Problem(
            message=f"{place or 'A file'} is missing.",
            hint="If it was moved or deleted, put it back or choose it again.",
            details=str(error),
            code="file-missing",
        )
    return Problem(message=f"A file operation failed: {error}.", hint="Try again.", details=repr(error), code="os")
