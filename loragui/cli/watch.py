"""Watching a run from the command line: its progress in plain words, Ctrl-C as a wish to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from loragui import units
from loragui.cli.console import Console
from loragui.errors import AppError
from loragui.jobs import client, progress
from loragui.jobs.events import Log, Metric, Note, Result, RunEnded, Stamped, StepEnded, StepStarted, Trouble
from loragui.jobs.folder import DONE, STOPPED, UNEXPECTED, RunFolder


class Stopped(Exception):  # noqa: N818 - it is a wish, no error
    """The person pressed Ctrl-C, and the work has been stopped."""


def execute(folder: RunFolder, console: Console) -> dict[str, Any]:
    """Start the folder's run (or join it, if it is going on), show it to its end, and return its results, merged.

    ``Stopped`` after Ctrl-C, AppError when the run failed.
    """
    plan = folder.load_plan()
    state = progress.State()
    results: dict[str, Any] = {}
    ended: RunEnded | None = None
    tail = client.Tail(folder)
    with _interrupts_stop(folder, console):
        if not folder.is_running():
            tail.skip()
            client.start(folder)
        for stamped in client.follow(folder, tail):
            state = progress.advance(state, stamped, plan)
            _tell(stamped, state, console)
            if isinstance(stamped.event, Result):
                results.update(stamped.event.values)
            ended = stamped.event if isinstance(stamped.event, RunEnded) else None
    if ended is None or ended.state not in {DONE, STOPPED}:
        raise AppError.of((ended.problem if ended else None) or UNEXPECTED)
    if ended.state == STOPPED:
        raise Stopped
    return results


@contextmanager
def _interrupts_stop(folder: RunFolder, console: Console) -> Iterator[None]:
    """Ctrl-C asks the run to stop; we go on watching until it has ended."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        console.say("Stopping …")
        with suppress(AppError):
            client.request_stop(folder)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(stamped: Stamped, state: progress.State, console: Console) -> None:
    match stamped.event:
        case StepStarted() as started:
            counter = f"[{started.index + 1}/{started.count}] " if started.count > 1 else ""
            console.say(f"  {counter}{started.title}")
        case Note(text=text):
            console.say(f"    {text}")
        case Metric() as metric:
            console.progress(_metric_line(metric))
        case StepEnded(ok=True) as done if done.seconds >= 5:
            console.say(f"    done in {units.duration(done.seconds)}")
        case Trouble(problem=problem, fatal=False):
            console.say(f"    Note: {problem}")
        case Log() | StepEnded() | Result() | RunEnded() | Trouble():
            pass
        case _ if state.total:
            console.progress(_progress_line(state))


def _metric_line(metric: Metric) -> str:
    left = "" if metric.eta is None else f", about {units.duration(metric.eta)} left"
    pace = "" if metric.seconds is None else f", {metric.seconds:.1f} s each"
    loss = f"loss {metric.loss:.3f}" if metric.iteration else "first iteration"
    return f"iteration {metric.iteration} of {metric.total}: {loss}{pace}{left}"


def _progress_line(state: progress.State) -> str:
    left = "" if state.eta is None else f", about {units.duration(state.eta)} left"
    if state.unit == "bytes":
        return f"{units.size(state.done)} of {units.size(state.total)}{left}"
    return f"{state.done:.0f} of {state.total:.0f} {state.unit}{left}"
