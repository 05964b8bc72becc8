"""The machine as a value, the real look at this one, the advice on threads and the doctor's words."""

from __future__ import annotations

import json
import time
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from loragui.errors import Problem
from loragui.machine import Disk, Gpu, Machine, doctor_lines, look, recommended_threads, to_json
from loragui.machine.look import windows_name

LAPTOP = Machine(
    system="Windows 11",
    system_version="build 22631",
    architecture="amd64",
    cpu_name="12th Gen Intel(R) Core(TM) i7-12700H",
    physical_cores=14,
    logical_cores=20,
    instruction_sets=("AVX", "AVX2", "F16C", "FMA", "SSE3"),
    ram_total_bytes=64 << 30,
    ram_available_bytes=50 << 30,
    disks=(Disk(path="C:\\", total_bytes=1 << 40, free_bytes=300 << 30),),
    gpus=(Gpu(vendor="NVIDIA", name="NVIDIA GeForce RTX 3060", vram_bytes=6 << 30),),
    on_battery=False,
)


def test_this_machine_is_looked_at_quickly(tmp_path: Path) -> None:
    begin = time.perf_counter()
    machine = look(tmp_path / "not" / "yet")
    assert time.perf_counter() - begin < 1
    assert 1 <= machine.physical_cores <= machine.logical_cores
    assert 0 < machine.ram_available_bytes <= machine.ram_total_bytes
    assert machine.disks[0].free_bytes > 0
    assert Path(machine.disks[0].path) == tmp_path
    assert machine.system
    assert machine.architecture
    assert not list(tmp_path.iterdir())
    with pytest.raises(FrozenInstanceError):
        machine.physical_cores = 3  # type: ignore[misc]


@pytest.mark.parametrize(("cores", "threads"), [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (14, 13)])
def test_threads(cores: int, threads: int) -> None:
    assert recommended_threads(replace(LAPTOP, physical_cores=cores)) == threads


def test_windows_names() -> None:
    assert windows_name(19045, 1) == "Windows 10"
    assert windows_name(22631, 1) == "Windows 11"
    assert windows_name(20348, 3) == "Windows Server"


def test_the_doctor_in_words() -> None:
    assert doctor_lines(LAPTOP, ()) == (
        "System: Windows 11 build 22631 (amd64)",
        "CPU: 12th Gen Intel(R) Core(TM) i7-12700H, 14 cores (20 threads); AVX, AVX2, FMA, F16C",
        "Threads for training: 13",
        "RAM: 50.0 GB free of 64.0 GB",
        "Disk: 300 GB free of 1.0 TB at C:\\",
        "Graphics card: NVIDIA GeForce RTX 3060, 6.0 GB",
        "Power: plugged in",
        "All is well.",
    )


def test_the_doctor_tells_problems_apart_from_advice() -> None:
    problems = (
        Problem(message="No room.", hint="Free some."),
        Problem(message="Odd letters.", blocking=False),
    )
    lines = doctor_lines(replace(LAPTOP, gpus=(), on_battery=None), problems)
    assert lines[-3:] == (
        "Graphics card: none found (none is needed)",
        "Problem: No room. Free some.",
        "Advice: Odd letters.",
    )
    value = json.loads(json.dumps(to_json(LAPTOP, problems)))
    assert value["ok"] is False
    assert value["machine"]["gpus"][0]["vram_bytes"] == 6 << 30
    assert value["problems"][1]["blocking"] is False
    assert to_json(LAPTOP, problems[1:])["ok"] is True
