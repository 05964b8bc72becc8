"""How sizes, times and counts are written for a person."""

from __future__ import annotations

_SIZES = ((1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB"))


def size(count: float) -> str:
    """Bytes as ``1.3 GB``. Powers of 1024, as Windows shows them."""
    for unit, name in _SIZES:
        if abs(count) >= unit:
            value = count / unit
            return f"{value:.0f} {name}" if value >= 100 else f"{value:.1f} {name}"
    return f"{count:.0f} bytes"


def duration(seconds: float) -> str:
    """Seconds as ``40 s``, ``6 min``, ``3 h 05 min`` or ``4 d 7 h``."""
    if seconds < 10 and seconds != int(seconds):
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h"


def plural(count: int, one: str, many: str) -> str:
    """``1 sample`` or ``3 samples``; thousands are grouped."""
    return f"{count:,} {one if count == 1 else many}"
