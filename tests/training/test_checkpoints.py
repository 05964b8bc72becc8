from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.errors import AppError
from loragui.training import checkpoints
from loragui.training.checkpoints import KEEP, KEEP_LORAS
from tests.training.files import write_checkpoint, write_lora

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


def test_the_last_good_checkpoint_is_whole_finite_and_of_its_iteration(tmp_path: Path) -> None:
    for number in (4, 8, 12, 16, 20):
        write_checkpoint(checkpoints.checkpoint_path(tmp_path, number), number)
    write_checkpoint(checkpoints.checkpoint_path(tmp_path, 12), 8)
    write_checkpoint(checkpoints.checkpoint_path(tmp_path, 16), 16, math.inf)
    cut = checkpoints.checkpoint_path(tmp_path, 20)
    cut.write_bytes(cut.read_bytes()[:-32])
    checkpoints.checkpoint_path(tmp_path, 24).mkdir()
    found = checkpoints.last_good(tmp_path)
    assert found is not None
    assert found.iteration == 8
    with pytest.raises(AppError, match="iteration 8, not 12"):
        checkpoints.verify(checkpoints.checkpoint_path(tmp_path, 12), 12)


def test_the_last_good_lora_is_whole_and_finite(tmp_path: Path) -> None:
    assert checkpoints.last_good_lora(tmp_path) is None
    write_lora(checkpoints.lora_path(tmp_path, 4))
    write_lora(checkpoints.lora_path(tmp_path, 8), math.nan)
    cut = write_lora(checkpoints.lora_path(tmp_path, 12))
    cut.write_bytes(cut.read_bytes()[:-4])
    assert checkpoints.last_good_lora(tmp_path) == 4
    assert checkpoints.last_good_lora(tmp_path / "nowhere") is None


@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), unique_by=lambda save: save[0]))
def test_after_every_save_two_good_ones_are_left(saves: list[tuple[int, bool]]) -> None:
    """As the reader does it: each save is judged, then what is superfluous goes."""
    there: list[int] = []
    good: list[int] = []
    for number, fine in sorted(saves):
        there.append(number)
        good += [number] if fine else []
        gone = checkpoints.superfluous("checkpoint", there, good) if len(good) >= KEEP else []
        there = [left for left in there if left not in gone]
        assert sorted(set(there) & set(good)) == good[-KEEP:]
