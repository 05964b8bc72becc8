"""Whether a base model can be trained on this PC, in one sentence, also for models that one does not have yet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from loragui import units
from loragui.machine import Machine
from loragui.project import Hyperparameters
from loragui.settings.estimate import Figure, estimate
from loragui.settings.fit import fits
from loragui.settings.metrics import Blas
from loragui.settings.size import ModelSize

_ROOMY = 0.85
"""The share of the RAM that a training may take before other programs and the system get in its way."""


class Fit(StrEnum):
    """How a training goes with the RAM."""

    FITS = "fits"
    TIGHT = "tight"
    TOO_LARGE = "too large"


@dataclass(frozen=True, kw_only=True)
class Suits:
    """The answer: ``need`` is the RAM with the base model's file, ``total`` the PC's, in bytes."""

    fit: Fit
    need: Figure
    total: int
    sentence: str


def suits(size: ModelSize, settings: Hyperparameters, machine: Machine, *, blas: Blas = "none") -> Suits:
    """Whether a base model of ``size`` can be trained with ``settings``; ``TOO_LARGE`` is just what ``fits`` blocks.

    AppError for settings with which nothing can be estimated.
    """
    found = estimate(size, settings, blas=blas, machine=machine)
    need, total = found.working_set_bytes, machine.ram_total_bytes
    codes = {problem.code for problem in fits(found, machine)}
    fit, more = Fit.FITS, ""
    if "ram-too-small" in codes:
        fit, more = Fit.TOO_LARGE, " That is too little."
    elif "ram-tight" in codes:
        fit, more = Fit.TIGHT, " It would be very slow, because the PC would use the disk as memory."
    elif need.value > _ROOMY * total:
        fit, more = Fit.TIGHT, " Close other programs while it trains."
    sentence = f"Needs about {units.size(need.value)} of RAM; this PC has {units.size(total)}.{more}"
    return Suits(fit=fit, need=need, total=total, sentence=sentence)
