"""Graphics cards: pure readers of sysfs, nvidia-smi and the Windows registry, and the probes that feed them.

Training runs on the CPU; a card matters for the choice of the build (cuBLAS, CLBlast) and for what we tell.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from loragui.machine.facts import Gpu

_VENDORS = {"10de": "NVIDIA", "1002": "AMD", "1022": "AMD", "8086": "Intel", "106b": "Apple"}
_SMI = ("--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
_SMI_SECONDS = 0.7
_ADAPTER_VALUES = (
    "DriverDesc",
    "MatchingDeviceId",
    "HardwareInformation.qwMemorySize",
    "HardwareInformation.MemorySize",
)
_DISPLAY_CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"


def read_nvidia_smi(text: str) -> tuple[Gpu, ...]:
    """Cards out of what nvidia-smi prints for ``_SMI``: a name and the memory in MiB on each line."""
    cards = []
    for line in text.splitlines():
        name, comma, memory = line.rpartition(",")
        if comma and name.strip():
            number = memory.strip()
            cards.append(
                Gpu(
                    vendor="NVIDIA",
                    name=name.strip(),
                    vram_bytes=int(number) << 20 if number.isdigit() else None,
                )
            )
    return tuple(cards)


def read_drm(cards: Iterable[Mapping[str, str]]) -> tuple[Gpu, ...]:
    """Cards out of ``vendor``, ``device`` and ``mem_info_vram_total`` of each /sys/class/drm/card*/device."""
    found = []
    for card in cards:
        vendor = _VENDORS.get(card.get("vendor", "").removeprefix("0x").lower())
        if vendor is None:
            continue
        memory = card.get("mem_info_vram_total", "")
        found.append(
            Gpu(
                vendor=vendor,
                name=f"{vendor} graphics {card.get('device', '')}".strip(),
                vram_bytes=int(memory) if memory.isdigit() else None,
            )
        )
    return tuple(found)


def read_registry(adapters: Iterable[Mapping[str, object]]) -> tuple[Gpu, ...]:
    """Cards out of the values of Windows' display class keys; remote and basic displays have no PCI id."""
    found: dict[str, Gpu] = {}
    for adapter in adapters:
        device = str(adapter.get("MatchingDeviceId", "")).lower()
        vendor = _VENDORS.get(device.partition("ven_")[2][:4])
        name = str(adapter.get("DriverDesc", "")).strip()
        if vendor is None or not name:
            continue
        memory = _registry_bytes(adapter.get("HardwareInformation.qwMemorySize"))
        if memory is None:
            memory = _registry_bytes(adapter.get("HardwareInformation.MemorySize"))
        found.setdefault(name, Gpu(vendor=vendor, name=name, vram_bytes=memory))
    return tuple(found.values())


def _registry_bytes(value: object) -> int | None:
    """A size that drivers store as a number or as little-endian bytes; None for neither or zero."""
    if isinstance(value, bytes):
        value = int.from_bytes(value, "little")
    return value if isinstance(value, int) and value > 0 else None


def join(asked: tuple[Gpu, ...], seen: tuple[Gpu, ...]) -> tuple[Gpu, ...]:
    """What nvidia-smi said, and every card of another vendor that the system lists."""
    if not asked:
        return seen
    return asked + tuple(card for card in seen if card.vendor != "NVIDIA")


def _nvidia_smi() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *_SMI],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SMI_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def drm_cards(root: Path) -> list[dict[str, str]]:
    """The files about each card below ``root`` (/sys/class/drm), as ``read_drm`` takes them."""
    cards = []
    for folder in sorted(root.glob("card[0-9]*/device")):
        if "-" in folder.parent.name:
            continue  # card0-HDMI-A-1 is a connector
        values = {}
        for name in ("vendor", "device", "mem_info_vram_total"):
            try:
                values[name] = (folder / name).read_text(encoding="ascii", errors="replace").strip()
            except OSError:
                continue
        cards.append(values)
    return cards


if sys.platform == "win32":
    import winreg

    def look_at_gpus() -> tuple[Gpu, ...]:
        """The graphics cards of this PC; empty when none is known."""
        return read_registry(filter(None, map(_adapter, range(32))))

    def _adapter(number: int) -> dict[str, object]:
        values: dict[str, object] = {}
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, rf"{_DISPLAY_CLASS}\{number:04d}") as key:
                for name in _ADAPTER_VALUES:
                    with contextlib.suppress(OSError):
                        values[name] = winreg.QueryValueEx(key, name)[0]
        except OSError:
            return {}
        return values

else:

    def look_at_gpus() -> tuple[Gpu, ...]:
        """The graphics cards of this PC, within 0.7 s (nvidia-smi may be slow); empty if none is known."""
        return join(read_nvidia_smi(_nvidia_smi()), read_drm(drm_cards(Path("/sys/class/drm"))))
