"""RAM, time and disk of a training before it starts: a row of the guide where one applies, else computed.

Three cases, from the best known to the least: one of the guide's models (its row, or lines between its rows),
a size between or near them (``physics`` scaled by what the guide measured at the same settings), any other
size (``physics`` alone). Where this PC was measured (see ``pace``) the time is ``physics`` at its pace. Each figure has
a band for the real one to lie in, and says where it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from loragui.errors import AppError
from loragui.machine import Machine
from loragui.project import Hyperparameters
from loragui.settings import guide, physics
from loragui.settings.guide import Measured
from loragui.settings.metrics import GUIDE_CPU, Blas
from loragui.settings.size import GUIDE_SIZES, ModelSize, guide_model, lora_parameters

Source = Literal["measured in the guide", "measured on this PC", "computed"]

_SMALLEST_SCALED = 1_700_000_000  # half of the guide's smallest model
_LARGEST_SCALED = 13_500_000_000
_KEPT_CHECKPOINTS = 4  # two good ones, the newest again as LATEST, one being written
_CHECKPOINT_NUMBERS = 3  # for each trained number: itself and Adam's two averages (measured on b2896: 3.01)

Band = tuple[float, float]
_RAM_BANDS: dict[str, Band] = {
    "row": (0.98, 1.02),
    "between": (0.88, 1.12),
    "scaled": (0.8, 1.25),
    "computed": (0.85, 1.15),
}
_GUIDE_TIME: Band = (0.85, 1.18)
_OTHER_CPU_TIME: Band = (0.35, 2.5)
_PACED_TIME: Band = (0.6, 1.7)
_DISK: Band = (0.9, 1.1)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number with the band that the real one should lie in, and where it comes from."""

    value: float
    low: float
    high: float
    source: Source


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a training will take.

    ``ram_bytes`` is what the program asks for, ``working_set_bytes`` adds the base model's file, which is
    read all the time and should stay in RAM too. ``disk_bytes`` is checkpoints, LoRA and the merged model.
    ``notes`` are sentences for the person.
    """

    ram_bytes: Figure
    working_set_bytes: Figure
    seconds_per_iteration: Figure
    total_seconds: Figure
    disk_bytes: Figure
    notes: tuple[str, ...] = ()


def estimate(
    size: ModelSize,
    settings: Hyperparameters,
    *,
    blas: Blas = "none",
    machine: Machine | None = None,
    build_option: str = "",
    pace: float | None = None,
) -> Estimate:
    """RAM, time and disk of training a base model of ``size``.

    ``blas`` is the kind of matrix library that the engine was built with, ``build_option`` one of the
    compiler options in the guide's table. Without ``machine`` the time is that of an unknown PC. ``pace`` is
    how many seconds this PC was measured to need for each of ``physics``. AppError for settings below 1.
    """
    _check(settings)
    usable = replace(settings, threads=_threads(settings.threads, machine))
    found, kind = _known(size, usable, blas, build_option)
    guide_pc = machine is not None and GUIDE_CPU.lower() in machine.cpu_name.lower()
    if pace is None or (guide_pc and kind.name in {"row", "between"}):
        return _assemble(size, settings, found, blas, replace(kind, guide_pc=guide_pc))
    seconds = physics.seconds_per_iteration(size, usable, blas) * pace * settings.iterations
    return _assemble(size, settings, replace(found, seconds=seconds), blas, replace(kind, paced=True))


def _known(size: ModelSize, settings: Hyperparameters, blas: Blas, build_option: str) -> tuple[Measured, _Kind]:
    name = guide_model(size)
    row = guide.exact_row(name, settings, blas, build_option=build_option) if name else None
    if name is not None and row is not None:
        return _with_file(size, name, guide.of_row(row)), _Kind("row", row.note)
    if name is not None:
        return _with_file(size, name, guide.between_rows(name, settings, blas)), _Kind("between")
    if _SMALLEST_SCALED <= size.parameters <= _LARGEST_SCALED:
        return _scaled(size, settings, blas), _Kind("scaled")
    return _computed(size, settings, blas), _Kind("computed")


def _check(settings: Hyperparameters) -> None:
    named = {
        "context size": settings.context_size,
        "batch size": settings.batch_size,
        "gradient accumulation": settings.gradient_accumulation,
        "number of iterations": settings.iterations,
        "rank": settings.rank,
        "number of threads": settings.threads,
    }
    for name, value in named.items():
        if value < 1:
            raise AppError(
                f"Nothing can be estimated because the {name} is {value}.",
                "Set it to 1 or more.",
                code="setting-too-small",
            )


def _threads(wanted: int, machine: Machine | None) -> int:
    return wanted if machine is None else min(wanted, max(1, machine.logical_cores))


def _with_file(size: ModelSize, name: str, found: Measured) -> Measured:
    """Corrected for a base model whose file is larger or smaller than the guide's Q8_0 by over 2 %."""
    more = size.file_bytes - GUIDE_SIZES[name].file_bytes
    if abs(more) <= 0.02 * size.file_bytes:
        return found
    return replace(found, working_set_bytes=found.working_set_bytes + more)


def _computed(size: ModelSize, settings: Hyperparameters, blas: Blas) -> Measured:
    ram = physics.ram(size, settings, blas)
    seconds = physics.seconds_per_iteration(size, settings, blas) * settings.iterations
    return Measured(ram_bytes=ram, working_set_bytes=ram + size.file_bytes, seconds=seconds)


def _scaled(size: ModelSize, settings: Hyperparameters, blas: Blas) -> Measured:
    """``physics`` for this size, times measured against ``physics`` for the guide's sizes around it."""
    own, ram, time = _computed(size, settings, blas), 0.0, 0.0
    for name, weight in _neighbours(size.parameters):
        measured = guide.between_rows(name, settings, blas)
        computed = _computed(GUIDE_SIZES[name], settings, blas)
        ram += weight * measured.ram_bytes / computed.ram_bytes
        time += weight * measured.seconds / computed.seconds
    scaled = own.ram_bytes * ram
    return Measured(ram_bytes=scaled, working_set_bytes=scaled + size.file_bytes, seconds=own.seconds * time)


def _neighbours(parameters: int) -> list[tuple[str, float]]:
    """The guide's models around this size with their weights, which add up to 1."""
    known = [(name, size.parameters) for name, size in GUIDE_SIZES.items()]
    for (small, low), (large, high) in pairwise(known):
        if parameters <= high:
            share = min(1.0, max(0.0, (parameters - low) / (high - low)))
            return [(small, 1 - share), (large, share)]
    return [(known[-1][0], 1.0)]


@dataclass(frozen=True)
class _Kind:
    """Which of the cases an estimate is, what the guide's row has to say, and what is known of this PC."""

    name: Literal["row", "between", "scaled", "computed"]
    note: str = ""
    guide_pc: bool = False
    paced: bool = False

    @property
    def time_band(self) -> Band:
        """How far the real time may be from the told one, as factors."""
        if self.paced:
            return _PACED_TIME
        return _GUIDE_TIME if self.guide_pc and self.name in {"row", "between"} else _OTHER_CPU_TIME


def _assemble(size: ModelSize, settings: Hyperparameters, found: Measured, blas: Blas, kind: _Kind) -> Estimate:
    source: Source = "measured in the guide" if kind.name == "row" else "computed"
    time_source: Source = "measured on this PC" if kind.paced else source
    ram_band = _RAM_BANDS[kind.name]
    ram, working_set = (_figure(value, ram_band, source) for value in (found.ram_bytes, found.working_set_bytes))
    if kind.name == "computed":
        ram, working_set = _lower(ram, size, settings, blas), _lower(working_set, size, settings, blas)
    each = found.seconds / settings.iterations
    return Estimate(
        ram_bytes=ram,
        working_set_bytes=working_set,
        seconds_per_iteration=_figure(each, kind.time_band, time_source),
        total_seconds=_figure(found.seconds, kind.time_band, time_source),
        disk_bytes=_figure(disk_bytes(size, settings.rank), _DISK, "computed"),
        notes=_notes(kind, blas),
    )


def _figure(value: float, band: Band, source: Source) -> Figure:
    return Figure(value=value, low=value * band[0], high=value * band[1], source=source)


def _lower(figure: Figure, size: ModelSize, settings: Hyperparameters, blas: Blas) -> Figure:
    """The band reaches down to the least that the engine needs: below 128 tokens it reuses memory better."""
    saved = physics.ram(size, settings, blas) - physics.ram(size, settings, blas, least=True)
    return replace(figure, low=max(0.0, figure.low - saved))


def disk_bytes(size: ModelSize, rank: int) -> int:
    """Bytes of the checkpoints that are kept, their LoRAs, and the merged model as F32 and as Q8_0."""
    trained = physics.F32 * lora_parameters(size, rank)
    merged = physics.F32 * size.parameters + size.parameters * 34 // 32
    return _KEPT_CHECKPOINTS * (_CHECKPOINT_NUMBERS + 1) * trained + merged


def _notes(kind: _Kind, blas: Blas) -> tuple[str, ...]:
    both = "RAM is" if kind.paced else "RAM and time are"
    said = {
        "row": f"{both} a row of the guide's tables.",
        "between": f"{both} on lines between rows of the guide's tables.",
        "scaled": f"{both} computed, scaled by the guide's rows for the sizes around this one.",
        "computed": f"{both} computed: the guide has no model near this size.",
    }
    notes = [said[kind.name]]
    if kind.note:
        notes.append(f"About this row: {kind.note}")
    if kind.paced:
        notes.append("The time follows from what a small training took on this PC when its settings were measured.")
    elif not kind.guide_pc:
        notes.append("The time is rough, because this is another processor than the measured one.")
    if blas == "openblas" and kind.name != "computed" and not kind.paced:
        notes.append("The guide's OpenBLAS build gained nothing; loragui's own is about twice as fast.")
    return tuple(notes)
