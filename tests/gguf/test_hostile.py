"""The GGUF reader on files that are cut off, damaged, made to harm, or something else."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loragui.errors import AppError
from loragui.gguf.lazy import MAX_ITEMS
from loragui.gguf.read import (
    MAX_ENTRIES,
    MAX_TENSORS,
    MAX_TEXT,
    GgufArray,
    LongText,
    ValueType,
    read,
)
from tests.gguf import files
from tests.gguf.files import Raw

MEMORY = 50 << 20


def _complaint(path: Path) -> AppError | None:
    """The error of doing everything that a program might do with a header; any other error fails the test."""
    try:
        file = read(path)
        for value in file.metadata.values():
            if isinstance(value, GgufArray):
                sum(1 for _ in value)
            elif isinstance(value, LongText):
                value.read()
    except AppError as error:
        return error
    problems = file.problems()
    return AppError.of(problems[0]) if problems else None


def _names(error: AppError | None, path: Path) -> bool:
    return error is None or (path.name in error.problem.message and bool(error.problem.hint))


def test_cut_at_every_byte(tmp_path: Path) -> None:
    data = files.write(tmp_path / "whole.gguf").read_bytes()
    needed = read(tmp_path / "whole.gguf").needed
    path = tmp_path / "cut.gguf"
    for length in range(needed):
        path.write_bytes(data[:length])
        found = _complaint(path)
        assert found is not None, length
        assert _names(found, path), length
    path.write_bytes(data[:needed])
    assert _complaint(path) is None


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(0, 1199), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bytes(tmp_path: Path, flips: list[tuple[int, int]]) -> None:
    data = bytearray(files.write(tmp_path / "whole.gguf").read_bytes())
    for place, mask in flips:
        data[place % len(data)] ^= mask
    path = tmp_path / "damaged.gguf"
    path.write_bytes(data)
    assert _names(_complaint(path), path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tail=st.binary(max_size=300),
    version=st.sampled_from([1, 2, 3]),
    counts=st.tuples(st.integers(0, 9), st.integers(0, 9)),
)
def test_random_headers(tmp_path: Path, tail: bytes, version: int, counts: tuple[int, int]) -> None:
    path = Raw(version).head(*counts).save(tmp_path / "random.gguf")
    path.write_bytes(path.read_bytes() + tail)
    assert _names(_complaint(path), path)


HUGE = (1 << 62) - 1
HOSTILE: dict[str, Callable[[], Raw]] = {
    "entries": lambda: Raw().head(0, HUGE),
    "tensors": lambda: Raw().head(HUGE, 0),
    "too many entries": lambda: Raw().head(0, MAX_ENTRIES + 1).bytes(1 << 20),
    "too many tensors": lambda: Raw().head(MAX_TENSORS + 1, 0).bytes(1 << 20),
    "key length": lambda: Raw().head(0, 1).text("", length=HUGE),
    "text length": lambda: Raw().head(0, 1).entry("k", ValueType.STRING).text("", length=HUGE),
    "array of texts": lambda: Raw().head(0, 1).entry("k", ValueType.ARRAY).pack("IL", ValueType.STRING, HUGE),
    "array of numbers": lambda: Raw().head(0, 1).entry("k", ValueType.ARRAY).pack("IL", ValueType.INT64, HUGE),
    "array of arrays": lambda: Raw().head(0, 1).entry("k", ValueType.ARRAY).pack("IL", ValueType.ARRAY, HUGE),
    "text in an array": lambda: (
        Raw().head(0, 1).entry("k", ValueType.ARRAY).pack("IL", ValueType.STRING, 1).text("", length=HUGE)
    ),
    "depth": lambda: (
        Raw().head(0, 1).entry("k", ValueType.ARRAY).pack("IL" * 5000, *((ValueType.ARRAY, 1) * 5000)).bytes(64)
    ),
    "many items": lambda: (
        Raw().head(0, 1).entry("k", ValueType.ARRAY).pack("IL", ValueType.STRING, MAX_ITEMS + 1).bytes(1 << 20)
    ),
    "value type": lambda: Raw().head(0, 1).text("k").pack("I", 77).bytes(64),
    "array type": lambda: Raw().head(0, 1).entry("k", ValueType.ARRAY).pack("IL", 77, 1).bytes(64),
    "twice": lambda: Raw().head(0, 2).entry("k", ValueType.UINT8).pack("B", 1).entry("k", ValueType.UINT8).pack("B", 1),
    "tensor twice": lambda: Raw().head(2, 0).tensor("w", (4,)).tensor("w", (4,)).bytes(64),
    "no dimensions": lambda: Raw().head(1, 0).tensor("w", ()).bytes(64),
    "five dimensions": lambda: Raw().head(1, 0).tensor("w", (1, 1, 1, 1, 1)).bytes(64),
    "huge shape": lambda: Raw().head(1, 0).tensor("w", (HUGE, HUGE)).bytes(64),
    "row not whole blocks": lambda: Raw().head(1, 0).tensor("w", (33, 2), 8).bytes(256),
    "tensor type": lambda: Raw().head(1, 0).tensor("w", (32,), 31).bytes(256),
    "unaligned": lambda: Raw().head(1, 0).tensor("w", (4,), 0, 7).bytes(64),
    "far offset": lambda: Raw().head(1, 0).tensor("w", (4,), 0, 1 << 63).bytes(64),
    "alignment": lambda: Raw().head(0, 1).entry("general.alignment", ValueType.UINT32).pack("I", 33),
    "alignment 0": lambda: Raw().head(0, 1).entry("general.alignment", ValueType.UINT32).pack("I", 0),
    "alignment as text": lambda: Raw().head(0, 1).entry("general.alignment", ValueType.STRING).text("32"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_headers(tmp_path: Path, case: str) -> None:
    path = HOSTILE[case]().save(tmp_path / "hostile.gguf")
    tracemalloc.start()
    try:
        with pytest.raises(AppError) as caught:
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "hostile.gguf" in caught.value.problem.message
    assert caught.value.problem.hint
    assert peak < MEMORY


def test_the_largest_header_stays_within_memory(tmp_path: Path) -> None:
    texts = MAX_TEXT // (1 << 16) - 8  # each of 64 KB, in the widest kind of characters
    raw = Raw().head(MAX_TENSORS, texts)
    for number in range(texts):
        raw.entry(f"{number:06}", ValueType.STRING).text("🙂" + "x" * ((1 << 16) - 64))
    for number in range(MAX_TENSORS):
        raw.tensor(f"{number}", (4,))
    path = raw.bytes(64).save(tmp_path / "large.gguf")
    tracemalloc.start()
    try:
        file = read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(file.tensors) == MAX_TENSORS
    assert peak < MEMORY


OTHERS = {
    b"": "empty",
    b"GGUF": "damaged or cut off",
    b"algg" + bytes(40): "LoRA",
    b"tjgg" + bytes(40): "old GGML format",
    b"PK\x03\x04" + bytes(40): "ZIP",
    b"version https://git-lfs.github.com/spec/v1\n": "pointer",
    b"<!DOCTYPE html>": "web page",
    b'{"error": 404}': "JSON",
    b"junk" * 20: "not a GGUF file",
    b"GGUF" + (9).to_bytes(4, "little") + bytes(40): "version 9",
    b"GGUF" + (3).to_bytes(4, "big") + bytes(40): "big-endian",
}


@pytest.mark.parametrize("data", OTHERS, ids=list(OTHERS.values()))
def test_other_files_are_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(data)
    with pytest.raises(AppError, match=OTHERS[data]) as caught:
        read(path)
    assert "other.gguf" in caught.value.problem.message


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"nothing\.gguf is not there"):
        read(tmp_path / "nothing.gguf")
    with pytest.raises(AppError, match="is not a file"):
        read(tmp_path)
