"""Estimates: the guide's rows exactly, sane lines between them, real peaks of the engine inside the bands."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.errors import AppError
from loragui.gguf.read import read
from loragui.machine import Disk, Machine
from loragui.project import Hyperparameters
from loragui.settings.estimate import Estimate, disk_bytes, estimate
from loragui.settings.fit import estimate_lines, fits, to_json
from loragui.settings.guide import GB
from loragui.settings.metrics import Curve, Metric, base, metrics
from loragui.settings.size import GUIDE_SIZES, ModelSize, guide_model, lora_parameters, size_of

SMOL = ModelSize(
    parameters=176_354_496,
    file_bytes=705_477_600,
    layers=30,
    embedding=576,
    feed_forward=1536,
    heads=9,
    vocabulary=49152,
)
GUIDE_PC = Machine(
    system="Windows 11",
    system_version="build 22631",
    architecture="amd64",
    cpu_name="12th Gen Intel(R) Core(TM) i7-12700H",
    physical_cores=14,
    logical_cores=20,
    instruction_sets=("AVX2",),
    ram_total_bytes=64 << 30,
    ram_available_bytes=50 << 30,
    disks=(Disk(path="C:\\", total_bytes=1 << 40, free_bytes=300 << 30),),
)
OTHER_PC = replace(GUIDE_PC, cpu_name="AMD Ryzen 5 3600", physical_cores=6, logical_cores=12)


def settings_of(row: Metric) -> Hyperparameters:
    return Hyperparameters(
        context_size=row.context_size,
        batch_size=row.batch_size,
        gradient_accumulation=row.gradient_accumulation,
        iterations=row.iterations,
        rank=row.rank,
        alpha=row.alpha,
        threads=row.threads,
        gradient_checkpointing=row.gradient_checkpointing,
        flash_attention=row.flash_attention,
    )


def of_row(row: Metric, machine: Machine | None = GUIDE_PC) -> Estimate:
    size = GUIDE_SIZES[row.model]
    return estimate(size, settings_of(row), blas=row.blas, machine=machine, build_option=row.build_option)


def test_all_rows_are_there() -> None:
    assert len(metrics()) == 116
    assert [row.label for row in metrics() if "paging" in row.note] == ["--no-checkpointing"]
    assert base("7B").minutes == 473


@pytest.mark.parametrize("row", metrics(), ids=lambda row: f"{row.model} {row.label} {row.table}")
def test_every_row_is_returned_exactly(row: Metric) -> None:
    found = of_row(row)
    assert found.ram_bytes.value == row.ram_gb * GB
    assert found.working_set_bytes.value == row.working_set_gb * GB
    if row.note.startswith("Repeats"):
        assert found.total_seconds.low <= row.minutes * 60 <= found.total_seconds.high
    else:
        assert found.total_seconds.value == row.minutes * 60
    for figure in (found.ram_bytes, found.working_set_bytes, found.total_seconds):
        assert figure.source == "measured in the guide"
        assert figure.low < figure.value < figure.high


def test_another_base_file_changes_the_working_set_only() -> None:
    row = base("7B")
    smaller = replace(GUIDE_SIZES["7B"], file_bytes=4 << 30)
    found = estimate(smaller, settings_of(row), blas="cublas", machine=GUIDE_PC)
    assert found.ram_bytes.value == row.ram_gb * GB
    assert found.working_set_bytes.value < row.working_set_gb * GB - 2 * GB


@pytest.mark.parametrize("model", ["3B", "7B", "13B"])
def test_the_realistic_rows_from_the_others(model: str) -> None:
    (row,) = (row for row in metrics() if row.model == model and row.label == "Realistic")
    near = estimate(
        GUIDE_SIZES[model],
        replace(settings_of(row), iterations=row.iterations + 1),
        blas=row.blas,
        machine=GUIDE_PC,
    )
    assert near.ram_bytes.source == "computed"
    assert near.ram_bytes.value == pytest.approx(row.ram_gb * GB, rel=0.005)
    assert near.total_seconds.value == pytest.approx(row.minutes * 60, rel=0.04)


EIGHT = replace(GUIDE_SIZES["7B"], layers=40, parameters=8 * 10**9)
sizes = st.sampled_from([*GUIDE_SIZES.values(), SMOL, EIGHT])
some_settings = st.builds(
    Hyperparameters,
    context_size=st.integers(8, 8192),
    batch_size=st.integers(1, 32),
    gradient_accumulation=st.integers(1, 64),
    iterations=st.integers(1, 20000),
    rank=st.integers(1, 128),
    threads=st.integers(1, 64),
    gradient_checkpointing=st.booleans(),
    flash_attention=st.booleans(),
)
kinds = st.sampled_from(["none", "openblas", "cublas", "clblast"])


@given(sizes, some_settings, kinds, st.sampled_from([None, GUIDE_PC, OTHER_PC]))
def test_bands_hold_their_values(size, settings, blas, machine) -> None:  # type: ignore[no-untyped-def]
    found = estimate(size, settings, blas=blas, machine=machine)
    for figure in (
        found.ram_bytes,
        found.working_set_bytes,
        found.seconds_per_iteration,
        found.total_seconds,
        found.disk_bytes,
    ):
        assert 0 <= figure.low < figure.value < figure.high
    assert found.total_seconds.value == pytest.approx(found.seconds_per_iteration.value * settings.iterations)
    assert found.notes
    json.dumps(to_json(found))


@given(sizes, some_settings, kinds, st.sampled_from(["context_size", "iterations", "gradient_accumulation"]))
def test_more_takes_longer(size, settings, blas, name) -> None:  # type: ignore[no-untyped-def]
    more = replace(settings, **{name: getattr(settings, name) + 1})
    one, two = (estimate(size, each, blas=blas, machine=OTHER_PC) for each in (settings, more))
    if one.ram_bytes.source == two.ram_bytes.source == "computed":
        assert one.total_seconds.value <= two.total_seconds.value * (1 + 1e-9)
        assert one.ram_bytes.value <= two.ram_bytes.value * (1 + 1e-9)


# Measured in November 2026: b2896, plain make, 2 threads, rank 8, F32 base; VmHWM, seconds an iteration.
@pytest.mark.parametrize(
    ("context", "checkpointing", "peak", "seconds"),
    [
        (16, True, 987_271_168, 2.0),
        (128, True, 1_249_374_208, 4.2),
        (256, True, 1_508_126_720, 6.5),
        (128, False, 1_811_304_448, 2.5),
    ],
)
def test_real_runs_lie_in_the_band(context: int, checkpointing: bool, peak: int, seconds: float) -> None:
    settings = Hyperparameters(context_size=context, rank=8, threads=2, gradient_checkpointing=checkpointing)
    found = estimate(SMOL, settings)
    assert found.working_set_bytes.low < peak < found.working_set_bytes.high
    assert found.seconds_per_iteration.low < seconds < found.seconds_per_iteration.high
    assert found.working_set_bytes.source == "computed"
    if context >= 128:
        assert found.working_set_bytes.value == pytest.approx(peak, rel=0.06)


def test_the_facts_of_the_engine() -> None:
    """facts/engine.md: the same model with OpenBLAS, 2.5 s and 3.3 s on a slower PC; 1.28 GB."""
    found = estimate(SMOL, Hyperparameters(context_size=128, rank=8, threads=2), blas="openblas")
    assert found.seconds_per_iteration.low < 2.5 < 3.3 < found.seconds_per_iteration.high
    assert found.working_set_bytes.low < 1.28e9 < found.working_set_bytes.high


def test_sizes_between_the_guides() -> None:
    middle = ModelSize(
        parameters=10_000_000_000,
        file_bytes=10 << 30,
        layers=36,
        embedding=4608,
        feed_forward=12416,
        heads=36,
        vocabulary=32000,
    )
    settings = settings_of(base("7B"))
    found = [
        estimate(size, settings, blas="cublas", machine=GUIDE_PC)
        for size in (GUIDE_SIZES["7B"], middle, GUIDE_SIZES["13B"])
    ]
    assert found[0].ram_bytes.value < found[1].ram_bytes.value < found[2].ram_bytes.value
    assert found[0].total_seconds.value < found[1].total_seconds.value < found[2].total_seconds.value
    assert found[1].ram_bytes.source == "computed"


def test_threads_beyond_the_pc_bring_nothing() -> None:
    settings = Hyperparameters(threads=4)
    two = estimate(SMOL, replace(settings, threads=2), machine=OTHER_PC)
    few = estimate(SMOL, settings, machine=replace(OTHER_PC, logical_cores=2))
    assert few.total_seconds == two.total_seconds
    assert estimate(SMOL, settings, machine=OTHER_PC).total_seconds.value < two.total_seconds.value


@pytest.mark.parametrize(
    "name", ["context_size", "batch_size", "gradient_accumulation", "iterations", "rank", "threads"]
)
def test_nonsense_is_refused(name: str) -> None:
    with pytest.raises(AppError, match="is 0"):
        estimate(SMOL, replace(Hyperparameters(), **{name: 0}))


def test_does_it_fit() -> None:
    settings = settings_of(base("7B"))
    found = estimate(GUIDE_SIZES["7B"], settings, blas="cublas", machine=GUIDE_PC)

    def codes(**facts: object) -> list[tuple[str, bool]]:
        machine = replace(GUIDE_PC, **facts)  # type: ignore[arg-type]
        return [(problem.code, problem.blocking) for problem in fits(found, machine)]

    assert codes() == []
    assert codes(ram_available_bytes=10 * GB) == [("ram-busy", False)]
    assert codes(ram_total_bytes=12 * GB, ram_available_bytes=10 * GB) == [("ram-tight", False)]
    assert codes(ram_total_bytes=6 * GB) == [("ram-too-small", True)]
    small = Disk(path="C:\\", total_bytes=GB, free_bytes=GB)
    assert codes(disks=(small,)) == [("disk-full", True)]
    assert codes(disks=()) == []


def test_words() -> None:
    found = estimate(
        GUIDE_SIZES["13B"],
        settings_of(base("13B")),
        blas="cublas",
        machine=replace(OTHER_PC, logical_cores=16),
    )
    lines = estimate_lines(replace(found, disk_bytes=found.ram_bytes))
    assert lines[0].startswith("RAM: 21.6 GB (21.2 GB to 22.0 GB, ")
    assert "Time in all:" in lines[2]
    assert "rough" in lines[-1]


def test_disk() -> None:
    assert disk_bytes(SMOL, 8) > 5 * SMOL.parameters + 12 * 4 * lora_parameters(SMOL, 8)


def test_shapes() -> None:
    assert guide_model(replace(GUIDE_SIZES["7B"], vocabulary=32002)) == "7B"
    assert guide_model(replace(GUIDE_SIZES["7B"], vocabulary=128256)) is None
    assert guide_model(SMOL) is None
    assert lora_parameters(GUIDE_SIZES["3B"], 4) * 8 == pytest.approx(54_844_064, rel=0.04)  # b2896's lora_size


def test_curves() -> None:
    curve = Curve.through([(2, 20), (1, 10), (4, 60), (2, 99)])
    assert [curve.at(x) for x in (0, 1, 1.5, 2, 3, 5)] == [0, 10, 15, 20, 40, 80]
    assert Curve(((3, 7),)).at(100) == 7


def test_size_of_a_file(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "llama")
    writer.add_embedding_length(64)
    writer.add_block_count(1)
    writer.add_feed_forward_length(96)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    for name, shape in {
        "token_embd": (300, 64),
        "blk.0.attn_q": (64, 64),
        "blk.0.attn_k": (32, 64),
        "blk.0.attn_v": (32, 64),
    }.items():
        writer.add_tensor(f"{name}.weight", np.zeros(shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    size = size_of(read(tmp_path / "m.gguf"))
    assert size.parameters == 2 * 300 * 64 + 3 * 64 * 64
    assert size.file_bytes == 4 * size.parameters
    assert (size.layers, size.embedding, size.feed_forward, size.heads) == (1, 64, 96, 4)
    assert size.vocabulary == 300
