from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest

from loragui.errors import AppError
from loragui.training.artifacts import lora_is_empty, lora_is_finite, read_lora

SHAPES = (("blk.0.attn_q.weight", 4, 8, 6), ("output.weight", 4, 8, 16))


def lora_bytes(value: float = 0.5) -> bytes:
    """A LoRA as b2896 writes it (``save_as_llama_lora``), with one tensor that is not trained."""
    out = bytearray(b"algg" + struct.pack("<3I", 1, 4, 8))
    out += struct.pack("<3I", 0, 0, 0)
    out += b"\0" * (-len(out) % 32)
    for base, rank, width, height in SHAPES:
        for side, columns, number in (("A", width, 1.0), ("B", height, value)):
            name = f"{base}.lora{side}".encode()
            out += struct.pack("<5I", 2, len(name), 0, rank, columns) + name
            out += b"\0" * (-len(out) % 32)
            out += struct.pack("<f", number) * (rank * columns)
    return bytes(out)


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    path = tmp_path / "lora-4.gguf"
    path.write_bytes(lora_bytes())
    return path


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


def test_a_lora_cut_at_any_byte_is_whole_up_to_a_tensor_or_refused(lora: Path) -> None:
    whole = lora.read_bytes()
    ends = {t.offset + t.nbytes: number + 1 for number, t in enumerate(read_lora(lora).tensors)}
    for cut in range(len(whole)):
        lora.write_bytes(whole[:cut])
        if cut in ends:
            assert len(read_lora(lora).tensors) == ends[cut]
            continue
        with pytest.raises(AppError):
            read_lora(lora)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_found(lora: Path, value: float) -> None:
    lora.write_bytes(lora_bytes(value))
    assert not lora_is_finite(read_lora(lora))


def test_a_fresh_lora_changes_nothing(lora: Path) -> None:
    lora.write_bytes(lora_bytes(0.0))
    assert lora_is_empty(read_lora(lora))


@pytest.mark.parametrize("data", [b"", b"GGUF" + b"\0" * 60, b"hello", b"algg" + struct.pack("<3I", 2, 4, 4)])
def test_other_files_are_named(lora: Path, data: bytes) -> None:
    lora.write_bytes(data)
    with pytest.raises(AppError, match=r"lora-4\.gguf"):
        read_lora(lora)
