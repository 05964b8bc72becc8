"""What is known of a PC, as frozen values without any probing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """A graphics card. ``vram_bytes`` is None where the system does not tell."""

    vendor: str
    name: str
    vram_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Disk:
    """Room at ``path`` (an existing folder), in bytes."""

    path: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One PC at one moment.

    ``physical_cores`` and ``logical_cores`` count what this process may use. ``instruction_sets`` are
    upper case names (``AVX2``, ``FMA``, ``NEON``), sorted. RAM is in bytes. ``on_battery`` is None on a PC
    without a battery.
    """

    system: str
    system_version: str
    architecture: str
    cpu_name: str
    physical_cores: int
    logical_cores: int
    instruction_sets: tuple[str, ...]
    ram_total_bytes: int
    ram_available_bytes: int
    disks: tuple[Disk, ...] = ()
    gpus: tuple[Gpu, ...] = ()
    on_battery: bool | None = None


def recommended_threads(machine: Machine) -> int:
    """How many threads a training should use: all of one or two cores, else one physical core is left free.

    A full machine is up to 30 times slower when anything else runs, because waiting threads spin
    (facts/engine.md, "Speed"). With OpenBLAS these are the engine's threads; OpenBLAS itself gets one.
    """
    cores = max(1, machine.physical_cores)
    return cores if cores <= 2 else cores - 1
