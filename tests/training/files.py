"""Small checkpoints and LoRAs as b2896 writes them, and an engine that exists on paper only."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import gguf
import numpy as np

from loragui.engine.installed import Engine
from tests.engine.conftest import flags

PROGRAMS = {name: name for name in ("finetune", "main", "quantize", "export-lora")}


def paper_engine(folder: Path) -> Engine:
    """An engine without files: enough to plan with."""
    return Engine(
        name="paper", folder=folder, pin="b2896", commit="", recipe="gcc", built="", size=0,
        programs=PROGRAMS, flags={name: flags(name) for name in PROGRAMS}, environment={"OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip


def write_checkpoint(path: Path, iteration: int, value: float = 1.0, epochs: int = 0) -> Path:
    """A checkpoint of ``iteration`` (``common/train.cpp``, ``save_train_state_gguf``) with one tensor."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_string("training.type", "finetune_lora")
    writer.add_uint64("training.iteration_count", iteration)
    writer.add_uint64("training.sample_count", 20)
    writer.add_uint64("training.epoch_count", epochs)
    writer.add_tensor("optimizer.adam.first_moments", np.array([0.5, value, 0.25], np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def lora_bytes(shapes: Iterable[tuple[str, int, int, int]], value: float = 0.5) -> bytes:
    """A LoRA (``save_as_llama_lora``) with one tensor that is not trained, then base, rank, width, height each."""
    out = bytearray(b"algg" + struct.pack("<3I", 1, 4, 8))
    out += struct.pack("<3I", 0, 0, 0)
    out += b"\0" * (-len(out) % 32)
    for base, rank, width, height in shapes:
        for side, columns, number in (("A", width, 1.0), ("B", height, value)):
            name = f"{base}.lora{side}".encode()
            out += struct.pack("<5I", 2, len(name), 0, rank, columns) + name
            out += b"\0" * (-len(out) % 32)
            out += struct.pack("<f", number) * (rank * columns)
    return bytes(out)


def write_lora(path: Path, value: float = 0.5) -> Path:
    """A LoRA of two tensors."""
    path.write_bytes(lora_bytes((("blk.0.attn_q.weight", 4, 8, 6), ("output.weight", 4, 8, 16)), value))
    return path
