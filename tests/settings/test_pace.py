"""What was measured on this PC makes the estimate's time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.engine import timing, tuning
from loragui.engine.installed import Engine
from loragui.engine.tuning import Tuning
from loragui.project import Hyperparameters
from loragui.settings import physics
from loragui.settings.estimate import estimate
from loragui.settings.pace import blas_of, measured_size, pace_of
from loragui.settings.size import GUIDE_SIZES
from tests.settings.test_estimate import GUIDE_PC, OTHER_PC, SMOL

SETTINGS = Hyperparameters(context_size=128, rank=8, threads=5)


def engine_of(folder: Path, library: str) -> Engine:
    return Engine(
        name="e", folder=folder, pin="b2896", commit="", recipe="wheels", built="", size=0, programs={}, flags={},
        environment={}, library=library,
    )  # fmt: skip


def measured(folder: Path, seconds: float) -> None:
    value = Tuning(
        date="2026-11-25", cpu=OTHER_PC.cpu_name, cores=OTHER_PC.physical_cores, threads=5, blas_threads=None,
        seconds_default=seconds, seconds_best=seconds,
    )  # fmt: skip
    tuning.save(folder, value)


@pytest.mark.parametrize(
    ("library", "blas"),
    [("none", "none"), ("openblas", "openblas"), ("cublas", "cublas"), ("clblast", "clblast"), ("hipblas", "cublas")],
)
def test_the_library_of_an_engine(tmp_path: Path, library: str, blas: str) -> None:
    assert blas_of(engine_of(tmp_path, library)) == blas
    assert blas_of(None) == "none"


@pytest.mark.parametrize("library", ["none", "openblas"])
def test_the_measured_training_itself_is_estimated_exactly(tmp_path: Path, library: str) -> None:
    engine = engine_of(tmp_path, library)
    measured(tmp_path, 0.123)
    pace = pace_of(engine, OTHER_PC)
    settings = replace(timing.SETTINGS, threads=5)
    found = estimate(measured_size(), settings, blas=blas_of(engine), machine=OTHER_PC, pace=pace)
    assert found.seconds_per_iteration.value == pytest.approx(0.123)


def test_without_a_measurement_there_is_no_pace(tmp_path: Path) -> None:
    assert pace_of(None, OTHER_PC) is None
    assert pace_of(engine_of(tmp_path, "none"), OTHER_PC) is None
    measured(tmp_path, 0.1)
    assert pace_of(engine_of(tmp_path, "none"), OTHER_PC) is not None
    assert pace_of(engine_of(tmp_path, "none"), GUIDE_PC) is None
    assert pace_of(engine_of(tmp_path, "cublas"), OTHER_PC) is None


@given(st.floats(0.01, 100), st.sampled_from([SMOL, *GUIDE_SIZES.values(), replace(SMOL, parameters=3 * 10**9)]))
def test_a_pc_that_is_so_many_times_slower_takes_so_many_times_longer(pace: float, size) -> None:  # type: ignore[no-untyped-def]
    found = estimate(size, SETTINGS, machine=OTHER_PC, pace=pace)
    plain = estimate(size, SETTINGS, machine=OTHER_PC)
    assert found.seconds_per_iteration.value == pytest.approx(
        pace * physics.seconds_per_iteration(size, SETTINGS, "none")
    )
    assert found.total_seconds.value == pytest.approx(found.seconds_per_iteration.value * SETTINGS.iterations)
    for figure in (found.seconds_per_iteration, found.total_seconds):
        assert figure.source == "measured on this PC"
        assert figure.low < figure.value < figure.high < 3 * figure.low
    assert (found.ram_bytes, found.working_set_bytes) == (plain.ram_bytes, plain.working_set_bytes)
    assert any("this PC" in note for note in found.notes)
    assert not any("rough" in note for note in found.notes)


def test_on_the_guides_own_processor_its_rows_stay() -> None:
    settings = replace(SETTINGS, context_size=256, rank=4, threads=14)
    for size in GUIDE_SIZES.values():
        assert estimate(size, settings, machine=GUIDE_PC, pace=9) == estimate(size, settings, machine=GUIDE_PC)
    assert estimate(SMOL, settings, machine=GUIDE_PC, pace=9) != estimate(SMOL, settings, machine=GUIDE_PC)
