from __future__ import annotations

import math
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.errors import AppError
from loragui.gguf.read import read
from loragui.training.artifacts import (
    checkpoint_is_finite,
    lora_is_empty,
    lora_is_finite,
    read_checkpoint,
    read_lora,
)
from tests import tiny
from tests.training.files import write_checkpoint, write_lora


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "checkpoint-8.gguf", 8)


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    return write_lora(tmp_path / "lora-4.gguf")


def test_a_lora_is_read(lora: Path) -> None:
    found = read_lora(lora)
    assert (found.rank, found.alpha) == (4, 8)
    assert [(t.base, t.side, t.shape) for t in found.tensors] == [
        ("blk.0.attn_q.weight", "A", (4, 8)),
        ("blk.0.attn_q.weight", "B", (4, 6)),
        ("output.weight", "A", (4, 8)),
        ("output.weight", "B", (4, 16)),
    ]
    assert lora_is_finite(found)
    assert not lora_is_empty(found)


def test_a_lora_cut_at_any_byte_is_whole_up_to_a_pair_or_refused(lora: Path) -> None:
    whole = lora.read_bytes()
    pairs = {t.offset + t.nbytes: number + 1 for number, t in enumerate(read_lora(lora).tensors) if t.side == "B"}
    for cut in range(len(whole)):
        lora.write_bytes(whole[:cut])
        if cut in pairs:  # the merge, which knows the base model, sees what is missing
            assert len(read_lora(lora).tensors) == pairs[cut]
            continue
        with pytest.raises(AppError):
            read_lora(lora)


@given(st.data())
def test_no_damage_to_a_lora_crashes_the_reader(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = write_lora(tmp_path_factory.getbasetemp() / "damaged.gguf")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with suppress(AppError):
        found = read_lora(path)
        lora_is_finite(found)
        lora_is_empty(found)


def test_a_checkpoint_is_read(checkpoint: Path) -> None:
    found = read_checkpoint(checkpoint)
    assert (found.iteration, found.samples, found.tensors) == (8, 20, 1)
    assert checkpoint_is_finite(checkpoint)


def test_a_checkpoint_cut_at_any_byte_is_refused(checkpoint: Path) -> None:
    whole = checkpoint.read_bytes()
    last = read(checkpoint).tensors[-1]
    for cut in range(last.offset + last.nbytes):
        checkpoint.write_bytes(whole[:cut])
        with pytest.raises(AppError):
            read_checkpoint(checkpoint)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_checkpoint_that_ran_away_is_whole_but_not_finite(tmp_path: Path, value: float) -> None:
    path = write_checkpoint(tmp_path / "checkpoint-4.gguf", 4, value)
    assert read_checkpoint(path).iteration == 4
    assert not checkpoint_is_finite(path)


def test_a_model_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="not a checkpoint"):
        read_checkpoint(tiny.write(tmp_path / "model.gguf"))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_found(lora: Path, value: float) -> None:
    write_lora(lora, value)
    assert not lora_is_finite(read_lora(lora))


def test_a_fresh_lora_changes_nothing(lora: Path) -> None:
    write_lora(lora, 0.0)
    assert lora_is_empty(read_lora(lora))


@pytest.mark.parametrize("data", [b"", b"GGUF" + b"\0" * 60, b"hello", b"algg" + struct.pack("<3I", 2, 4, 4)])
def test_other_files_are_named(lora: Path, data: bytes) -> None:
    lora.write_bytes(data)
    with pytest.raises(AppError, match=r"lora-4\.gguf"):
        read_lora(lora)


@given(st.lists(st.floats(width=32), max_size=64))
def test_finite_is_what_python_calls_finite(tmp_path_factory: pytest.TempPathFactory, numbers: list[float]) -> None:
    path = write_lora(tmp_path_factory.getbasetemp() / "numbers.gguf", 0.0)
    with path.open("r+b") as file:
        file.seek(read_lora(path).tensors[-1].offset)
        file.write(struct.pack(f"<{len(numbers)}f", *numbers))
    lora = read_lora(path)
    assert lora_is_finite(lora) == all(map(math.isfinite, numbers))
    assert lora_is_empty(lora) == (not any(numbers))
