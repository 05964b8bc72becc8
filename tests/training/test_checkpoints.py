from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.errors import AppError
from loragui.training import checkpoints
from loragui.training.checkpoints import KEEP, KEEP_LORAS

iterations = st.lists(st.integers(1, 500), unique=True)


@given(iterations, st.data())
def test_the_newest_good_checkpoints_always_stay(existing: list[int], data: st.DataObject) -> None:
    good = data.draw(st.lists(st.sampled_from(existing), unique=True)) if existing else []
    gone = set(checkpoints.superfluous("checkpoint", existing, good))
    assert not gone & set(sorted(good)[-KEEP:])
    assert all(number < max(good) for number in gone)
    if good:
        left = set(existing) - gone
        assert {number for number in left if number <= max(good)} == set(sorted(good)[-KEEP:])


def test_rotation_keeps_two_checkpoints_and_the_newest_loras(tmp_path: Path) -> None:
    numbers = list(range(5, 65, 5))
    for number in numbers:
        checkpoints.checkpoint_path(tmp_path, number).touch()
        checkpoints.lora_path(tmp_path, number).touch()
    (tmp_path / "checkpoint-LATEST.gguf").touch()
    (tmp_path / "person's own.gguf").touch()
    checkpoints.rotate(tmp_path, [50, 55])
    assert checkpoints.numbers(tmp_path, "checkpoint") == [50, 55, 60], "60 may just be written"
    assert checkpoints.numbers(tmp_path, "lora") == numbers[-KEEP_LORAS:]
    assert (tmp_path / "person's own.gguf").exists()
    assert (tmp_path / "checkpoint-LATEST.gguf").exists()


def test_nothing_is_rotated_before_two_are_good(tmp_path: Path) -> None:
    for number in (5, 10, 15):
        checkpoints.checkpoint_path(tmp_path, number).touch()
    checkpoints.rotate(tmp_path, [15])
    assert checkpoints.numbers(tmp_path, "checkpoint") == [5, 10, 15]


def test_junk_is_never_a_good_checkpoint(tmp_path: Path) -> None:
    checkpoints.checkpoint_path(tmp_path, 5).write_bytes(b"GGUF junk")
    checkpoints.checkpoint_path(tmp_path, 10).touch()
    assert checkpoints.last_good(tmp_path) is None
    with pytest.raises(AppError):
        checkpoints.verify(checkpoints.checkpoint_path(tmp_path, 5), 5)
