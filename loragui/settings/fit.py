"""Does a training fit this PC, and how its estimate is told in words and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from loragui import units
from loragui.errors import Problem
from loragui.machine import Machine
from loragui.settings.estimate import Estimate, Figure


def fits(estimate: Estimate, machine: Machine) -> tuple[Problem, ...]:
    """What speaks against starting: too little RAM or disk. Advice where it may be slow but would work."""
    return tuple(problem for problem in (_ram(estimate, machine), _disk(estimate, machine)) if problem is not None)


def _ram(estimate: Estimate, machine: Machine) -> Problem | None:
    need, total, free = estimate.working_set_bytes, machine.ram_total_bytes, machine.ram_available_bytes
    needs = f"This training needs about {units.size(need.value)} of RAM"
    smaller = "Choose a shorter context, a smaller batch or a smaller base model."
    if estimate.ram_bytes.low > total:
        return Problem(
            message=f"{needs}; this PC has {units.size(total)}.",
            hint=smaller,
            code="ram-too-small",
        )
    if need.value > total:
        return Problem(
            message=f"{needs}; this PC has {units.size(total)}. It would be very slow,"
            " because the PC would use the disk as memory.",
            hint=smaller,
            code="ram-tight",
            blocking=False,
        )
    if need.value > free:
        return Problem(
            message=f"{needs}; {units.size(free)} are free now.",
            hint="Close other programs before you start.",
            code="ram-busy",
            blocking=False,
        )
    return None


def _disk(estimate: Estimate, machine: Machine) -> Problem | None:
    if not machine.disks:
        return None
    need, disk = estimate.disk_bytes, machine.disks[0]
    if need.value <= disk.free_bytes:
        return None
    return Problem(
        message=f"Checkpoints and the merged model take about {units.size(need.value)};"
        f" {units.size(disk.free_bytes)} are free at {disk.path}.",
        hint="Free some room, or put the workspace on another disk.",
        code="disk-full",
    )


def estimate_lines(estimate: Estimate) -> tuple[str, ...]:
    """The estimate in words: each figure with its band and source, then the notes."""
    own = units.size(estimate.ram_bytes.value)
    return (
        f"RAM: {_told(estimate.working_set_bytes, units.size)}; {own} without the base model's file",
        f"Time for one iteration: {_told(estimate.seconds_per_iteration, units.duration)}",
        f"Time in all: {_told(estimate.total_seconds, units.duration)}",
        f"Disk: {_told(estimate.disk_bytes, units.size)}",
        *estimate.notes,
    )


def _told(figure: Figure, write: Callable[[float], str]) -> str:
    return f"{write(figure.value)} ({write(figure.low)} to {write(figure.high)}, {figure.source})"


def to_json(estimate: Estimate) -> dict[str, Any]:
    """The estimate as JSON-able values: bytes and seconds."""
    return asdict(estimate)
