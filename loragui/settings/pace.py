"""What an installed engine means for the time: its matrix library, and how fast it was measured on this PC."""

from __future__ import annotations

from dataclasses import replace

from loragui.engine import timing, tuning
from loragui.engine.installed import Engine
from loragui.machine import Machine
from loragui.settings import physics
from loragui.settings.metrics import Blas
from loragui.settings.size import ModelSize

_BLAS: dict[str, Blas] = {"openblas": "openblas", "cublas": "cublas", "clblast": "clblast", "hipblas": "cublas"}
"""An engine's library as the guide's tables know it; nobody measured hipBLAS, which is made like cuBLAS."""


def blas_of(engine: Engine | None) -> Blas:
    """The kind of matrix library that the engine was built with."""
    return _BLAS.get(engine.library, "none") if engine is not None else "none"


def pace_of(engine: Engine | None, pc: Machine) -> float | None:
    """Seconds measured on this PC for each second of ``physics``, or None when nothing was measured.

    A graphics card leaves a tiny model to the processor, so what was measured with one tells nothing.
    """
    found = tuning.tuned(engine.folder, pc) if engine is not None else None
    if found is None or blas_of(engine) not in {"none", "openblas"}:
        return None
    settings = replace(timing.SETTINGS, threads=found.threads)
    return found.seconds_best / physics.seconds_per_iteration(measured_size(), settings, blas_of(engine))


def measured_size() -> ModelSize:
    """The size of the model that is measured with."""
    shape = timing.SHAPE
    return ModelSize(
        parameters=shape.parameters,
        file_bytes=4 * shape.parameters,
        layers=shape.layers,
        embedding=shape.embedding,
        feed_forward=shape.feed_forward,
        heads=shape.heads,
        vocabulary=shape.vocabulary,
    )
