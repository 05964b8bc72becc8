"""Look at this PC: one call, under a second, no shell, nothing changed."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

import psutil

from loragui.machine.cpu import look_at_cpu
from loragui.machine.facts import Disk, Machine
from loragui.machine.gpu import look_at_gpus
from loragui.machine.workspace import existing_parent

_WINDOWS_11 = 22000
_SERVER = 3
_UNKNOWN = "unknown CPU"


def look(workspace: Path) -> Machine:
    """This PC now, with the disks of ``workspace`` (which need not exist) and of the temporary folder."""
    system, version, architecture = _system()
    name, sets = look_at_cpu()
    memory = psutil.virtual_memory()
    logical = _usable_cores()
    return Machine(
        system=system,
        system_version=version,
        architecture=architecture,
        cpu_name=name or _UNKNOWN,
        physical_cores=max(1, min(psutil.cpu_count(logical=False) or logical, logical)),
        logical_cores=logical,
        instruction_sets=sets,
        ram_total_bytes=memory.total,
        ram_available_bytes=memory.available,
        disks=_disks(workspace, Path(tempfile.gettempdir())),
        gpus=look_at_gpus(),
        on_battery=_on_battery(),
    )


def cpu_name() -> str:
    """This PC's processor, as in ``Machine``."""
    return look_at_cpu()[0] or _UNKNOWN


def ram() -> tuple[int, int]:
    """Bytes of RAM in all, and available now."""
    memory = psutil.virtual_memory()
    return memory.total, memory.available


def windows_name(build: int, product_type: int) -> str:
    """``Windows 10``, ``Windows 11`` or ``Windows Server`` (Windows itself calls 11 version 10)."""
    if product_type == _SERVER:
        return "Windows Server"
    return "Windows 11" if build >= _WINDOWS_11 else "Windows 10"


def _system() -> tuple[str, str, str]:
    """Name, version, architecture. Not by ``platform.uname``, which may start a shell on Windows."""
    if sys.platform == "win32":
        version = sys.getwindowsversion()
        native = os.environ.get("PROCESSOR_ARCHITEW6432") or os.environ.get("PROCESSOR_ARCHITECTURE", "")
        return windows_name(version.build, version.product_type), f"build {version.build}", native.lower()
    else:  # noqa: RET505 - so that mypy reads each branch for its own system only
        if sys.platform == "darwin":
            return "macOS", platform.mac_ver()[0], os.uname().machine
        else:  # noqa: RET505
            return linux_name()


def linux_name() -> tuple[str, str, str]:
    """The distribution's name and version, and the architecture."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    return release.get("NAME", "Linux"), release.get("VERSION", platform.release()), platform.machine()


def _usable_cores() -> int:
    """Logical cores that this process may use; a container or a task set may have fewer than the PC."""
    total = psutil.cpu_count() or 1
    affinity = getattr(psutil.Process(), "cpu_affinity", None)
    if affinity is None:
        return total
    try:
        return len(affinity()) or total
    except (OSError, psutil.Error):
        return total


def _disks(*folders: Path) -> tuple[Disk, ...]:
    """The disks of ``folders``; one that holds several is listed once, under the first."""
    found: dict[int, Disk] = {}
    for folder in folders:
        there = existing_parent(folder)
        try:
            room, device = shutil.disk_usage(there), there.stat().st_dev
        except OSError:
            continue
        found.setdefault(device, Disk(path=str(there), total_bytes=room.total, free_bytes=room.free))
    return tuple(found.values())


def _on_battery() -> bool | None:
    sensors = getattr(psutil, "sensors_battery", None)
    battery = sensors() if sensors is not None else None
    if battery is None or battery.power_plugged is None:
        return None
    return not battery.power_plugged
