"""Iterations and epochs: how often each sample is seen."""

from __future__ import annotations

from loragui.project import Hyperparameters


def epochs(settings: Hyperparameters, samples: int) -> float:
    """How often the training sees each of ``samples`` samples."""
    return settings.iterations * samples_per_iteration(settings) / max(1, samples)


def iterations_for(wanted: float, settings: Hyperparameters, samples: int) -> int:
    """The iterations that come nearest to seeing each of ``samples`` samples ``wanted`` times; at least 1."""
    return max(1, round(wanted * samples / samples_per_iteration(settings)))


def samples_per_iteration(settings: Hyperparameters) -> int:
    """How many samples one iteration learns from."""
    return max(1, settings.batch_size * settings.gradient_accumulation)
