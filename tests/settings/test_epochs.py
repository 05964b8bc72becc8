"""Iterations and epochs turn into each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loragui.project import Hyperparameters
from loragui.settings.epochs import epochs, iterations_for

some_settings = st.builds(
    Hyperparameters,
    iterations=st.integers(1, 10**6),
    batch_size=st.integers(1, 64),
    gradient_accumulation=st.integers(1, 64),
)


def test_the_guides_examples() -> None:
    assert epochs(Hyperparameters(iterations=3100), 1550) == 2
    assert iterations_for(2, Hyperparameters(batch_size=4), 1000) == 500
    assert iterations_for(1, Hyperparameters(batch_size=2, gradient_accumulation=4), 512) == 64
    assert iterations_for(0.1, Hyperparameters(batch_size=64), 3) == 1


@given(some_settings, st.integers(1, 10**6))
def test_there_and_back(settings: Hyperparameters, samples: int) -> None:
    assert iterations_for(epochs(settings, samples), settings, samples) == settings.iterations
