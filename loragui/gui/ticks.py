"""Where the marks of an axis stand and what they say: round numbers, whole iterations, or times as people say them."""

from __future__ import annotations

import math
from bisect import bisect_left

NUMBER, COUNT, TIME = "number", "count", "time"
"""Kinds of axes: any number, whole numbers, seconds."""

MINUTE, HOUR, DAY = 60, 3600, 86400
_TIMES = (
    *(1, 2, 5, 10, 15, 30),
    *(MINUTE * many for many in (1, 2, 5, 10, 15, 30)),
    *(HOUR * many for many in (1, 2, 3, 6, 12)),
    DAY,
)
_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (1, "s"))


def spacing(extent: float, most: int, kind: str) -> float:
    """The distance between marks so that at most about ``most`` of them stand on ``extent``."""
    least = max(extent, 1e-12) / max(most, 1)
    if kind == TIME and 1 <= least <= DAY:
        return _TIMES[bisect_left(_TIMES, least)]
    unit = DAY if kind == TIME and least > DAY else 1
    power = 10.0 ** math.floor(math.log10(least / unit))
    found = unit * next(step * power for step in (1, 2, 5, 10) if step * power * unit >= least * 0.999999)
    return max(found, 1) if kind == COUNT else found


def values(low: float, high: float, distance: float) -> list[float]:
    """Multiples of ``distance`` from ``low`` to ``high``."""
    return [number * distance for number in range(math.ceil(low / distance), math.floor(high / distance) + 1)]


def text(value: float, distance: float, kind: str) -> str:
    """What a mark says, as exact as its neighbours are apart."""
    if kind == TIME and distance >= 1:
        return time_text(value)
    decimals = 0 if kind == COUNT else max(0, -math.floor(math.log10(distance) + 1e-9))
    return f"{value:,.{decimals}f}" + (" s" if kind == TIME else "")


def time_text(seconds: float) -> str:
    """A round time in as few units as say it exactly: ``0``, ``45 s``, ``1 h 30 min``, ``2 d``."""
    rest, parts = round(seconds), []
    for size, name in _UNITS:
        many, rest = divmod(rest, size)
        if many:
            parts.append(f"{many} {name}")
    return " ".join(parts) or "0"
