"""Measures which settings train fastest on this PC (see ``tuning.py``): short trainings of a tiny model.

All of it takes at most a minute. A setting is left as soon as it cannot win any more, and nothing is written before the
end, so it can be stopped at any time.
"""

from __future__ import annotations

import datetime as dt
import math
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from loragui.engine import classic, installed, tiny, tuning
from loragui.engine.finetune import FinetuneReader
from loragui.engine.installed import Engine
from loragui.engine.tuning import Measured, Setting, Tuning
from loragui.errors import AppError
from loragui.jobs import process
from loragui.jobs.events import Event, Metric, Progress, Result, Trouble
from loragui.jobs.follower import Follower
from loragui.jobs.plan import Plan, Step
from loragui.jobs.pyjob import Emit, job_command
from loragui.machine import Machine, look
from loragui.paths import Workspace
from loragui.project import Hyperparameters
from loragui.units import plural

KIND = "engine-tune"
LIMIT = 60.0
"""Seconds that all of it takes at most."""
BUSY = 0.2
"""The part of the processor that other programs may use while it is measured."""
_LOOK = 1.0
"""Seconds in which that is looked at."""
SHAPE = tiny.Shape(embedding=1024, feed_forward=2816, layers=2, heads=16)
"""Settings rank with it as with a model of 135M weights (measured on 2 cores: two threads 1, OpenBLAS'
two 1.11, one 1.37).

Another shape makes what was measured before worthless: raise ``tuning.SCHEMA`` with it.
"""
SETTINGS = Hyperparameters(
    context_size=128, batch_size=1, iterations=7, rank=8, alpha=8, learning_rate=1e-4, warmup=0, save_every=1000
)
"""The measured training; threads and checkpointing are what differs."""
_TRYING = 0.6
"""The part of the time after which no further setting is tried: the winner and the default are measured again."""
_FIRST = 30.0
"""Seconds in which the very first program has to say something: a virus scanner may look at it for a while."""
_STARTING = 5.0
"""The same, without its iterations, for the next ones."""
_ENOUGH = 4.0
"""Seconds of iterations after which three of them are enough."""
_HOPELESS = 1.2
"""How many times as slow as the best a setting is left early."""
_BASE, _TEXT = "base.gguf", "train.txt"


def tune_plan(engine: Engine, workspace: Workspace) -> Plan:
    """The plan that measures with ``engine`` and keeps the result beside it."""
    args = {"engine": str(engine.folder), "scratch": str(workspace.cache / "tune" / engine.name), "busy": BUSY}
    title = "Finding the fastest settings for this PC"
    step = Step(id="tune", title=title, command=job_command(KIND, args))
    return Plan(kind=KIND, title=title, steps=(step,), facts={"engine": str(engine.folder), "seconds": LIMIT})


def tune_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``engine-tune``: measure, and write the result beside the engine."""
    engine, scratch = installed.load(Path(args["engine"])), Path(args["scratch"])
    check_quiet(_others(), float(args["busy"]))
    pc = look(scratch)
    with _fresh(scratch):
        found = tune(engine, pc, scratch, emit)
    check_quiet(_others(), float(args["busy"]))
    if tuning.unsteady(found.measured, tuning.default_setting(engine, pc)):
        raise _busy("Other programs worked meanwhile, so what was measured tells nothing.")
    tuning.save(engine.folder, found)
    emit(
        Result(
            values={
                "threads": found.threads,
                "blas_threads": found.blas_threads,
                "seconds_default": found.seconds_default,
                "seconds_best": found.seconds_best,
                "ratio": round(found.ratio, 3),
            }
        )
    )


def _others() -> float:
    """The part of the processor that other programs use now."""
    return psutil.cpu_percent(interval=_LOOK) / 100


def check_quiet(used: float, allowed: float) -> None:
    """AppError when others use more than the ``allowed`` part of the processor.

    The engine's waiting threads spin: on a busy PC more threads look slower than they are, all the time, so that the
    default measured twice does not tell (measured: 2.4 s instead of 0.3 s an iteration).
    """
    if used > allowed:
        raise _busy(f"Other programs use {used:.0%} of the processor, so nothing can be measured rightly now.")


def _busy(message: str) -> AppError:
    hint = "Close them or wait for their end, then try again. What was measured before is kept."
    return AppError(message, hint, code="pc-busy")


@contextmanager
def _fresh(folder: Path) -> Iterator[None]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def tune(
    engine: Engine, machine: Machine, folder: Path, emit: Emit, *, shape: tiny.Shape = SHAPE, limit: float = LIMIT
) -> Tuning:
    """Measure in the empty ``folder``. AppError when not even the default can be measured."""
    tiny.write_tiny(folder / _BASE, shape)
    (folder / _TEXT).write_text(tiny.training_text(4, SETTINGS.context_size), encoding="utf-8")
    return _Tuning(engine, machine, folder, emit, limit).run()


class _Tuning:
    """One measurement of all settings."""

    def __init__(self, engine: Engine, machine: Machine, folder: Path, emit: Emit, limit: float) -> None:
        self._engine, self._machine, self._folder, self._emit = engine, machine, folder, emit
        self._began, self._limit = time.monotonic(), limit
        self._candidates = tuning.candidates(engine, machine)
        self._default = self._candidates[0]
        self._measured: list[Measured] = []

    def run(self) -> Tuning:
        for setting in self._candidates:
            if self._measured and time.monotonic() - self._began > _TRYING * self._limit:
                break
            self._measure(setting)
        if math.isinf(self._measured[0].median):
            raise _too_slow()
        first = tuning.choose(self._measured, self._default).setting
        for setting in dict.fromkeys((first, self._default)):
            self._measure(setting, again=True)
        chosen = tuning.choose(self._measured, self._default)
        without = self._measure(chosen.setting, again=True, checkpointing=False)
        return Tuning(
            date=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            cpu=self._machine.cpu_name,
            cores=self._machine.physical_cores,
            threads=chosen.setting.threads,
            blas_threads=chosen.setting.blas_threads,
            seconds_default=chosen.seconds_default,
            seconds_best=chosen.seconds,
            seconds_without_checkpointing=without.median if without.seconds else None,
            measured=(*self._measured, without),
        )

    def _measure(self, setting: Setting, *, again: bool = False, checkpointing: bool = True) -> Measured:
        """One more measurement; one that is made ``again`` is never left early."""
        done, total = len(self._measured), len(self._candidates) + 3
        self._emit(Progress(done=done, total=total, unit="measurements", text=words(setting)))
        best = math.inf if again else min((each.median for each in self._measured), default=math.inf)
        clock = _Clock(best=best, deadline=self._began + self._limit)
        settings = replace(SETTINGS, threads=setting.threads, gradient_checkpointing=checkpointing)
        try:
            seconds = _iterations(self._engine, settings, tuning.laid_over(self._engine, setting), self._folder, clock)
        except AppError:
            if done == 0:
                raise
            seconds = ()  # another number of threads does not even run: it cannot win
        found = Measured(setting=setting, checkpointing=checkpointing, seconds=seconds)
        if checkpointing:
            self._measured.append(found)
        return found


def words(setting: Setting) -> str:
    """The setting in words."""
    own = plural(setting.threads, "thread", "threads")
    more = setting.blas_threads or 1
    return own if more == 1 else f"{own}, {more} for the matrix library"


def _too_slow() -> AppError:
    return AppError(
        "The settings could not be measured: a training that should take seconds did not come to an end.",
        "Close other programs that work now, then try again. Training works without it, too.",
        code="tune-too-slow",
    )


class _Enough(Exception):  # noqa: N818 - it is no error
    """All that is wanted is known."""


@dataclass
class _Clock:
    """Takes the time of iterations as the runner's attempt does, and raises ``_Enough`` as soon as it can.

    ``best`` is the least seconds of an iteration so far, ``deadline`` the monotonic time at which all has to end.
    """

    best: float
    deadline: float
    last: float = math.nan

    def __post_init__(self) -> None:
        self.seconds: list[float] = []
        self.cut_off = False
        self.last = time.monotonic()

    def write(self, *found: Event) -> None:
        """Note the iterations among the events."""
        for event in found:
            if isinstance(event, Metric):
                now = time.monotonic()
                self.seconds.append(seconds_of(event.seconds, now - self.last))
                self.last = now
            elif isinstance(event, Progress):  # the training begins
                self.last = time.monotonic()
        if any(isinstance(event, Trouble) and event.fatal for event in found):
            return  # it is told and ends the program
        kept = self.seconds[1:]
        done = len(kept) >= SETTINGS.iterations - 1 or (len(kept) >= 2 and sum(kept) > _ENOUGH)
        if done or (len(kept) >= 2 and min(kept) > _HOPELESS * self.best):
            raise _Enough

    def raw(self, data: bytes) -> None:
        """What the program writes is not kept."""

    def look_around(self) -> None:
        """Cut off what cannot win, or when the time is over."""
        now = time.monotonic()
        if math.isinf(self.best):
            patience = _FIRST
        elif self.seconds:
            patience = 2 * self.best + 1
        else:  # an engine that is not live says nothing before its end
            patience = 2 * self.best * SETTINGS.iterations + _STARTING
        if now > self.deadline or now - self.last > patience:
            self.cut_off = True
            raise _Enough


def seconds_of(told: float | None, arrived: float) -> float:
    """Seconds of an iteration by what the engine told, which are whole ones from 1 on, and when its line arrived."""
    if told is None:
        return arrived
    return told if told < 1 else max(told, min(arrived, told + 1))


def _iterations(
    engine: Engine, settings: Hyperparameters, environment: Mapping[str, str | None], folder: Path, clock: _Clock
) -> tuple[float, ...]:
    """Seconds of each iteration but the first; none when it was cut off. AppError when the program fails."""
    argv = classic.finetune_argv(
        engine, settings, base_model=_BASE, data=_TEXT, marker=tiny.MARKER, checkpoint_in=None,
        iterations=settings.iterations,
    )  # fmt: skip
    try:
        child = process.start(argv, folder, process.overlaid(environment))
    except OSError as error:
        raise _fails(repr(error)) from error
    follower = Follower(child, FinetuneReader(folder, {"target": settings.iterations}), clock)
    try:
        problem = follower.follow()
    except _Enough:
        problem = None
    finally:
        follower.close()
    if problem is not None:
        raise _fails(f"{problem.message}\n{problem.details}")
    return () if clock.cut_off else tuple(round(each, 5) for each in clock.seconds[1:])


def _fails(details: str) -> AppError:
    return AppError(
        "The settings could not be measured: the engine does not train a tiny model.",
        "Build the engine again, or choose another one.",
        details=details,
        code="tune-failed",
    )
