"""The fastest settings for this PC: which are worth trying, which one wins, and where the winner is used.

The default is always among the measured, first and last, and another setting must beat both of its times clearly. So
what is suggested is never slower than the default, whatever else the PC did meanwhile. More threads than the default
are not tried: they would leave no core for the person (see ``recommended_threads``).

What was measured lies as ``tuning.json`` beside the engine and counts for the processor it was measured on only.
Measuring itself is done in ``timing.py``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.machine import Machine, cpu_name, recommended_threads
from loragui.paths import write_json
from loragui.project import Hyperparameters

SCHEMA = 1
FILE = "tuning.json"
BLAS = "OPENBLAS_NUM_THREADS"
MARGIN = 0.03
"""How much faster than the default another setting must be (measured: the same setting again differs by 1 to 2 %)."""
UNSTEADY = 1.15
"""A default that takes so many times longer when measured again tells that the PC did something else, too."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Threads of the engine, and of its OpenBLAS (None for an engine without).

    Never both above 1: they get in each other's way (measured: 2 and 2 on two cores take 11 times as long as 2 and 1).
    """

    threads: int
    blas_threads: int | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Seconds of each iteration with a setting, the first left out; none when it was cut off before it could win."""

    setting: Setting
    checkpointing: bool = True
    seconds: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        """Seconds of an iteration; infinite when it was cut off."""
        return round(median(self.seconds), 5) if self.seconds else math.inf


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The setting to use, with its seconds for an iteration and the default's."""

    setting: Setting
    seconds: float
    seconds_default: float


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What was measured on the PC with the processor ``cpu``, and the setting that won.

    Seconds are those of an iteration of the tiny model in ``timing.py``, with gradient checkpointing but for
    ``seconds_without_checkpointing`` (None when it was not measured).
    """

    date: str
    cpu: str
    cores: int
    threads: int
    blas_threads: int | None
    seconds_default: float
    seconds_best: float
    seconds_without_checkpointing: float | None = None
    measured: tuple[Measured, ...] = ()

    @property
    def ratio(self) -> float:
        """How many times as fast as the default."""
        return self.seconds_default / self.seconds_best

    @property
    def gains(self) -> bool:
        """Whether anything is faster than the default."""
        return self.seconds_best < self.seconds_default


def default_setting(engine: Engine, machine: Machine) -> Setting:
    """What is used without any measuring."""
    blas = 1 if BLAS in engine.environment else None
    return Setting(threads=recommended_threads(machine), blas_threads=blas)


def candidates(engine: Engine, machine: Machine) -> tuple[Setting, ...]:
    """The settings to measure, the default first, then from many threads to one; at most nine."""
    default = default_setting(engine, machine)
    most = default.threads
    steps = sorted({max(1, round(most * sixths / 6)) for sixths in range(1, 6)} | {1}, reverse=True)
    found = [default, *(replace(default, threads=threads) for threads in steps)]
    if default.blas_threads is not None:
        found += [Setting(threads=1, blas_threads=threads) for threads in (most, most // 2) if threads > 1]
    return tuple(dict.fromkeys(found))


def choose(measured: Sequence[Measured], default: Setting) -> Choice:
    """The setting whose slowest measurement is the fastest, if it clearly beats every one of the default's.

    ValueError when the default was not measured.
    """
    own = min(each.median for each in measured if each.setting == default)
    if math.isinf(own):
        raise ValueError("the default was not measured")
    slowest: dict[Setting, float] = {}
    for each in measured:
        if each.setting != default:
            slowest[each.setting] = max(each.median, slowest.get(each.setting, 0))
    for setting, seconds in sorted(slowest.items(), key=lambda item: item[1])[:1]:
        if seconds < own * (1 - MARGIN):
            return Choice(setting=setting, seconds=seconds, seconds_default=own)
    return Choice(setting=default, seconds=own, seconds_default=own)


def unsteady(measured: Sequence[Measured], default: Setting) -> bool:
    """Whether the PC was busy meanwhile: the default took clearly longer once than another time."""
    own = [each.median for each in measured if each.setting == default and each.checkpointing]
    return max(own) > UNSTEADY * min(own)


def laid_over(engine: Engine, setting: Setting) -> Mapping[str, str | None]:
    """The environment of the engine's programs with this setting."""
    if setting.blas_threads is None:
        return engine.environment
    return {**engine.environment, BLAS: str(setting.blas_threads)}


def save(folder: Path, tuning: Tuning) -> None:
    """Write the result into an engine's folder."""
    write_json(folder / FILE, {"schema": SCHEMA, **asdict(tuning)})


def load(folder: Path, cpu: str) -> Tuning | None:
    """What was measured with the engine in ``folder`` on a processor of that name.

    None when nothing was, or the file is damaged or an old one. AppError when a newer loragui wrote it.
    """
    path = folder / FILE
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        if row["schema"] > SCHEMA:
            raise AppError.newer(path, "Update loragui, or measure again.")
        found = _parse(row) if row["schema"] == SCHEMA else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None  # it can be measured again at any time
    return found if found is not None and found.cpu == cpu else None


def _parse(row: Mapping[str, Any]) -> Tuning:
    without = row["seconds_without_checkpointing"]
    found = Tuning(
        date=str(row["date"]),
        cpu=str(row["cpu"]),
        cores=int(row["cores"]),
        **asdict(_setting(row)),
        seconds_default=float(row["seconds_default"]),
        seconds_best=float(row["seconds_best"]),
        seconds_without_checkpointing=None if without is None else float(without),
        measured=tuple(
            Measured(
                setting=_setting(each["setting"]),
                checkpointing=bool(each["checkpointing"]),
                seconds=tuple(map(float, each["seconds"])),
            )
            for each in row["measured"]
        ),
    )
    if found.threads < 1 or not 0 < found.seconds_best <= found.seconds_default < math.inf:
        raise ValueError(f"{found.threads} threads, {found.seconds_best} s instead of {found.seconds_default} s")
    return found


def _setting(row: Mapping[str, Any]) -> Setting:
    blas = row["blas_threads"]
    return Setting(threads=int(row["threads"]), blas_threads=None if blas is None else int(blas))


def tuned(folder: Path, machine: Machine) -> Tuning | None:
    """What was measured with the engine in ``folder`` on this PC, or None."""
    with suppress(AppError):
        found = load(folder, machine.cpu_name)
        return found if found is not None and found.cores == machine.physical_cores else None
    return None


def suggested_threads(folder: Path | None, machine: Machine) -> int:
    """How many threads a training should use with the engine in ``folder`` (None before there is one).

    As measured, else as recommended for such a PC.
    """
    found = tuned(folder, machine) if folder is not None else None
    return found.threads if found is not None else recommended_threads(machine)


def adopted(settings: Hyperparameters, folder: Path, machine: Machine) -> Hyperparameters:
    """The settings with the suggested threads, unless the person chose other ones than the recommended."""
    untouched = settings.threads in {Hyperparameters().threads, recommended_threads(machine)}
    return replace(settings, threads=suggested_threads(folder, machine)) if untouched else settings


def environment(engine: Engine, threads: int) -> Mapping[str, str | None]:
    """What is laid over the environment of a training with so many threads on this PC.

    OpenBLAS gets its measured threads only together with the engine's measured ones.
    """
    with suppress(AppError):
        found = load(engine.folder, cpu_name())
        if found is not None and found.threads == threads:
            return laid_over(engine, Setting(threads=threads, blas_threads=found.blas_threads))
    return engine.environment
