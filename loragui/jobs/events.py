"""What happens during a run, as frozen values that go to and from one JSON line each.

A line is ``{"v": 1, "t": UNIX_SECONDS, "event": NAME, ...fields}``. Unknown fields are ignored and unknown events are
skipped, so that an older window can watch a newer runner.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from loragui.errors import Problem

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """The runner began, or went on with, the plan of that fingerprint. ``attempt`` counts from 1."""

    title: str
    attempt: int = 1
    plan: str = ""


@dataclass(frozen=True, kw_only=True)
class StepStarted:
    """A step's program is about to start. ``index`` counts from 0."""

    id: str
    title: str
    index: int
    count: int


@dataclass(frozen=True, kw_only=True)
class StepEnded:
    """A step's program ended; ``ok`` only if nothing was wrong, whatever the exit code said."""

    id: str
    ok: bool
    seconds: float
    peak_rss: int = 0


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Memory that the step's programs hold now (``rss``) and held at most (``peak``), in bytes."""

    rss: int
    peak: int


@dataclass(frozen=True, kw_only=True)
class Log:
    """A line of the tool's output worth showing under Details."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Note:
    """A plain sentence for the person about what is going on."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the step is, in any ``unit``. ``eta`` is seconds left as the tool says, if it does."""

    done: float
    total: float
    unit: str = ""
    text: str = ""
    eta: float | None = None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One training iteration. ``seconds`` is its duration, ``eta`` the seconds left; ``loss`` may be NaN."""

    iteration: int
    total: int
    loss: float
    seconds: float | None = None
    eta: float | None = None


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A point from which the work can go on later was saved and verified. ``path`` is relative to the run folder."""

    path: str
    iteration: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a step found out or made, as JSON-able values."""

    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A problem. A ``fatal`` one makes the runner end the step, which then counts as failed."""

    problem: Problem
    fatal: bool = True


@dataclass(frozen=True, kw_only=True)
class RunEnded:
    """The last event of an attempt: ``state`` is ``done``, ``failed`` or ``stopped``."""

    state: str
    problem: Problem | None = None
    seconds: float = 0.0


Event = (
    RunStarted | StepStarted | StepEnded | Usage | Log | Note | Progress | Metric | Saved | Result | Trouble | RunEnded
)

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        RunStarted, StepStarted, StepEnded, Usage, Log, Note, Progress, Metric, Saved, Result, Trouble, RunEnded,
    )
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Stamped:
    """An event with the Unix time at which the runner wrote it."""

    time: float
    event: Event


class Reader(Protocol):
    """Turns one program's output into events. Stateful, one per program run.

    ``line`` gets every complete line (without its end) of ``stdout`` or ``stderr``.
    ``end`` gets the exit code (negative: the signal) and says what was wrong, also when the code is 0.
    """

    def line(self, text: str, stream: str) -> Iterable[Event]:
        """Events of one output line."""
        ...

    def end(self, returncode: int) -> Iterable[Event]:
        """Events at the program's end; a ``Trouble`` makes the step fail."""
        ...


def _plain(value: Any) -> Any:
    if isinstance(value, Problem):
        return dataclasses.asdict(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def to_line(event: Event, time: float) -> str:
    """One JSON line without its newline. Non-finite numbers are written as strings (strict JSON has none)."""
    fields = {f.name: _plain(getattr(event, f.name)) for f in dataclasses.fields(event)}
    fields = {name: value for name, value in fields.items() if value is not None}
    row = {"v": VERSION, "t": round(time, 3), "event": type(event).__name__, **fields}
    return json.dumps(row, ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=dict)


def from_line(line: str) -> Stamped | None:
    """The event of one line, or None for a torn, damaged or unknown line."""
    try:
        row = json.loads(line)
        kind = _KINDS[row["event"]]
        values = {f.name: row[f.name] for f in dataclasses.fields(kind) if f.name in row}
        if values.get("problem") is not None:
            values["problem"] = Problem(**values["problem"])
        if isinstance(values.get("loss"), str):
            values["loss"] = float(values["loss"])
        return Stamped(time=float(row["t"]), event=kind(**values))
    except (ValueError, TypeError, KeyError):
        return None
