"""What the doctor says about a PC, in plain words and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from loragui import units
from loragui.errors import Problem
from loragui.machine.facts import Gpu, Machine, recommended_threads

_WORTH_NAMING = ("AVX", "AVX2", "FMA", "F16C", "AVX512F", "NEON", "DOTPROD", "SVE")


def doctor_rows(machine: Machine) -> tuple[tuple[str, str], ...]:
    """Pairs of a part of the PC and what it is."""
    sets = [name for name in _WORTH_NAMING if name in machine.instruction_sets]
    rows = [
        ("System", f"{machine.system} {machine.system_version} ({machine.architecture})"),
        ("CPU", f"{machine.cpu_name}, {_cores(machine)}; {', '.join(sets) or 'no known instruction sets'}"),
        ("Threads for training", str(recommended_threads(machine))),
        ("RAM", f"{units.size(machine.ram_available_bytes)} free of {units.size(machine.ram_total_bytes)}"),
        *(
            ("Disk", f"{units.size(disk.free_bytes)} free of {units.size(disk.total_bytes)} at {disk.path}")
            for disk in machine.disks
        ),
        ("Graphics card", "; ".join(map(_card, machine.gpus)) or "none found (none is needed)"),
    ]
    if machine.on_battery is not None:
        rows.append(("Power", "on battery, plug it in before a training" if machine.on_battery else "plugged in"))
    return tuple(rows)


def doctor_lines(machine: Machine, problems: Sequence[Problem]) -> tuple[str, ...]:
    """One line for each part of the PC, then what is wrong (or that nothing is)."""
    lines = [f"{part}: {text}" for part, text in doctor_rows(machine)]
    lines += [f"{'Problem' if problem.blocking else 'Advice'}: {problem}" for problem in problems]
    if not problems:
        lines.append("All is well.")
    return tuple(lines)


def _cores(machine: Machine) -> str:
    cores = units.plural(machine.physical_cores, "core", "cores")
    if machine.logical_cores == machine.physical_cores:
        return cores
    return f"{cores} ({units.plural(machine.logical_cores, 'thread', 'threads')})"


def _card(card: Gpu) -> str:
    return card.name if card.vram_bytes is None else f"{card.name}, {units.size(card.vram_bytes)}"


def to_json(machine: Machine, problems: Sequence[Problem] = ()) -> dict[str, Any]:
    """The same as JSON-able values."""
    return {
        "machine": asdict(machine),
        "recommended_threads": recommended_threads(machine),
        "problems": [asdict(problem) for problem in problems],
        "ok": not any(problem.blocking for problem in problems),
    }
