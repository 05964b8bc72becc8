"""CPU name and instruction sets: pure readers of what Linux, Windows and macOS tell, and small probes."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

# Name that we show: how Linux writes it in /proc/cpuinfo and macOS in sysctl (lower case, dots removed).
_FLAGS: dict[str, tuple[str, ...]] = {
    "SSE3": ("pni", "sse3"),
    "SSSE3": ("ssse3",),
    "SSE4.1": ("sse4_1",),
    "SSE4.2": ("sse4_2",),
    "AVX": ("avx", "avx1_0"),
    "AVX2": ("avx2",),
    "AVX_VNNI": ("avx_vnni",),
    "BMI2": ("bmi2",),
    "FMA": ("fma",),
    "F16C": ("f16c",),
    "AVX512F": ("avx512f",),
    "AVX512BW": ("avx512bw",),
    "AVX512VNNI": ("avx512_vnni", "avx512vnni"),
    "AVX512BF16": ("avx512_bf16", "avx512bf16"),
    "NEON": ("asimd", "neon"),
    "DOTPROD": ("asimddp",),
    "SVE": ("sve",),
}

# winnt.h: PF_..._INSTRUCTIONS_AVAILABLE numbers of IsProcessorFeaturePresent.
_WINDOWS: dict[int, str] = {
    13: "SSE3",
    29: "NEON",
    36: "SSSE3",
    37: "SSE4.1",
    38: "SSE4.2",
    39: "AVX",
    40: "AVX2",
    41: "AVX512F",
    43: "DOTPROD",
}


def named_sets(flags: Iterable[str]) -> tuple[str, ...]:
    """The instruction sets behind a system's own flag words, by the names that we show."""
    words = {word.lower().replace(".", "_") for word in flags}
    return tuple(sorted(name for name, spellings in _FLAGS.items() if words.intersection(spellings)))


def read_cpuinfo(text: str) -> tuple[str, tuple[str, ...]]:
    """CPU name and instruction sets out of the text of /proc/cpuinfo (x86 or ARM)."""
    name, flags = "", ""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        key = key.strip().lower()
        if key in {"model name", "hardware"} and not name:
            name = value.strip()
        elif key in {"flags", "features"} and not flags:
            flags = value
    return name, named_sets(flags.split())


def windows_sets(present: Callable[[int], bool]) -> tuple[str, ...]:
    """Instruction sets by IsProcessorFeaturePresent. It knows no FMA, F16C, BMI2: every AVX2 CPU has them."""
    found = {name for number, name in _WINDOWS.items() if present(number)}
    if "AVX2" in found:
        found |= {"FMA", "F16C", "BMI2"}
    return tuple(sorted(found))


def mac_sets(features: str, *, arm: bool) -> tuple[str, ...]:
    """Instruction sets out of sysctl's machdep.cpu.features and leaf7_features; Apple silicon has NEON."""
    return ("DOTPROD", "NEON") if arm else named_sets(features.split())


if sys.platform == "win32":
    import winreg

    def look_at_cpu() -> tuple[str, tuple[str, ...]]:
        """Name and instruction sets of this CPU; an empty name where Windows does not tell."""
        place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
                name = str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
        except OSError:
            name = ""
        kernel = ctypes.windll.kernel32
        return name, windows_sets(lambda number: bool(kernel.IsProcessorFeaturePresent(number)))

elif sys.platform == "darwin":

    def look_at_cpu() -> tuple[str, tuple[str, ...]]:
        """Name and instruction sets of this CPU."""
        words = " ".join(_sysctl(f"machdep.cpu.{key}") for key in ("features", "leaf7_features"))
        return _sysctl("machdep.cpu.brand_string"), mac_sets(words, arm=os.uname().machine == "arm64")

    def _sysctl(name: str) -> str:
        """One text value of macOS' sysctl, asked through the C library; empty when there is none."""
        ask = ctypes.CDLL(None).sysctlbyname
        room, answer = ctypes.c_size_t(4096), ctypes.create_string_buffer(4096)
        if ask(name.encode(), answer, ctypes.byref(room), None, ctypes.c_size_t(0)) != 0:
            return ""
        return answer.value.decode("utf-8", "replace").strip()

else:

    def look_at_cpu() -> tuple[str, tuple[str, ...]]:
        """Name and instruction sets of this CPU; an empty name and no sets where Linux does not tell."""
        try:
            return read_cpuinfo(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
        except OSError:
            return "", ()
