"""A run folder: everything that is known about one run, readable by anyone at any time.

``plan.json``     what is to be done
``events.jsonl``  what happened, one JSON line each (see ``events``)
``output.log``    the tools' raw output
``pid.json``      who runs it now: ``{pid, create_time, run_id}``; absent when nobody does
``cancel``        a wish to stop: ``now`` or ``after-save``
``runner.log``    the runner's own output (empty when all is well)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from loragui.errors import AppError, Problem
from loragui.jobs import events, process
from loragui.jobs.events import Event, RunEnded, RunStarted, Stamped, StepEnded
from loragui.jobs.plan import Plan
from loragui.paths import write_json

Kind = TypeVar("Kind", bound=Event)

NEW, RUNNING, DONE, FAILED, STOPPED, BROKEN = "new", "running", "done", "failed", "stopped", "broken"
UNFINISHED = frozenset({FAILED, STOPPED, BROKEN})
"""States of a run that began and did not come to its end."""

UNEXPECTED = Problem(
    message="The work stopped unexpectedly: its program was ended from outside, or the PC was switched off.",
    hint="Start it again; it goes on from what is there.",
    code="stopped-unexpectedly",
)
GONE = Problem(
    message="The folder of this run was deleted or moved while it was running.",
    hint="Put the folder back, or start the step again.",
    code="folder-gone",
)


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a run folder says now. ``state`` is new, running, done, failed, stopped, or broken (ended unexpectedly)."""

    state: str
    problem: Problem | None = None
    attempt: int = 0
    plan: str = ""
    done_steps: frozenset[str] = frozenset()


class RunFolder:
    """The paths of a run folder and what can be read from it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plan_file = path / "plan.json"
        self.events_file = path / "events.jsonl"
        self.output_file = path / "output.log"
        self.pid_file = path / "pid.json"
        self.cancel_file = path / "cancel"
        self.lock_file = path / "lock"
        self.runner_log = path / "runner.log"
        self.reserve_file = path / "reserve"

    def save_plan(self, plan: Plan) -> None:
        """Write the plan; makes the folder when it is missing."""
        write_json(self.plan_file, plan.to_json())

    def load_plan(self) -> Plan:
        """The plan. AppError when it is missing, damaged or newer than this program."""
        try:
            value = json.loads(self.plan_file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise AppError(
                f"{self.path} is not a run folder: it has no plan.json.", "Choose the folder of a run."
            ) from error
        except ValueError as error:
            raise AppError(
                f"{self.plan_file} is damaged.",
                "Start the step again; nothing else is lost.",
                details=str(error),
            ) from error
        return Plan.from_json(value)

    def events(self) -> list[Stamped]:
        """Every readable event so far; torn and foreign lines are skipped."""
        try:
            text = self.events_file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        found = (events.from_line(line) for line in text.split("\n") if line)
        return [stamped for stamped in found if stamped is not None]

    def scan(self, *kinds: type[Event]) -> Iterator[Stamped]:
        """The events of these kinds only, one line at a time: quick also where the others are a million."""
        marks = tuple(f'"event":"{kind.__name__}"'.encode() for kind in kinds)
        try:
            # As bytes: while a text file is read line by line, other threads hardly get Python's lock (measured).
            with self.events_file.open("rb", buffering=1 << 20) as lines:
                for line in lines:
                    found = any(mark in line for mark in marks)
                    stamped = events.from_line(line.decode("utf-8", "replace")) if found else None
                    if stamped is not None:
                        yield stamped
        except FileNotFoundError:
            return

    def last(self, kind: type[Kind]) -> Kind | None:
        """The newest readable event of that kind, or None; looked for from the end."""
        for block in _from_the_end(self.events_file):
            for line in reversed(block.split("\n")):
                stamped = events.from_line(line) if f'"event":"{kind.__name__}"' in line else None
                if stamped is not None and isinstance(stamped.event, kind):
                    return stamped.event
        return None

    def owner(self) -> dict[str, Any] | None:
        """What pid.json says, or None."""
        try:
            value = json.loads(self.pid_file.read_text(encoding="utf-8"))
            return {
                "pid": int(value["pid"]),
                "create_time": float(value["create_time"]),
                "run_id": str(value["run_id"]),
            }
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def is_running(self) -> bool:
        """Whether a runner works in this folder now."""
        owner = self.owner()
        return owner is not None and process.is_alive(owner["pid"], owner["create_time"])

    def look(self) -> Look:
        """The state now. When the runner is gone without a word, what it left running is ended first."""
        if self.is_running():
            return _summary(self._marks(), running=True)
        owner = self.owner()
        if owner is not None:
            process.end_run(owner["run_id"], grace=0.5)
            self.pid_file.unlink(missing_ok=True)
        return _summary(self._marks(), running=False)

    def _marks(self) -> Iterator[Stamped]:
        return self.scan(RunStarted, StepEnded, RunEnded)


def _from_the_end(path: Path, most: int = 1 << 16) -> Iterator[str]:
    """The file's text in blocks of whole lines, the last first; nothing when there is none."""
    try:
        with path.open("rb") as source:
            at, rest = source.seek(0, 2), b""
            while at > 0:
                size = min(most, at)
                at -= size
                source.seek(at)
                first, newline, whole = (source.read(size) + rest).partition(b"\n")
                rest = first
                if newline:
                    yield whole.decode("utf-8", "replace")
            yield rest.decode("utf-8", "replace")
    except FileNotFoundError:
        return


def _summary(seen: Iterable[Stamped], *, running: bool) -> Look:
    began, ended = RunStarted(title="", attempt=0), None
    done: set[str] = set()
    for stamped in seen:
        match stamped.event:
            case RunStarted() as event:
                if event.plan != began.plan:
                    done.clear()
                began, ended = event, None
            case StepEnded(id=step, ok=ok):
                (done.add if ok else done.discard)(step)
            case RunEnded() as event:
                ended = event
    state, problem = (ended.state, ended.problem) if ended else (BROKEN, UNEXPECTED) if began.attempt else (NEW, None)
    if running:
        state, problem = RUNNING, None
    return Look(state=state, problem=problem, attempt=began.attempt, plan=began.plan, done_steps=frozenset(done))
