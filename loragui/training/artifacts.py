"""The two files that ``finetune`` writes, read back: checkpoints (GGUF) and LoRAs (its own ``ggla`` format).

Nothing that a crashed or full machine left behind may pass for good: every tensor must lie wholly in the file, and on
demand every number must be finite. Standard library only, because the runner process uses it.

Sources: llama.cpp b2896, ``common/train.cpp`` (training.* keys), ``examples/finetune/finetune.cpp`` (``write_tensor``,
``save_as_llama_lora``).
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from loragui.errors import AppError
from loragui.gguf.read import GgmlType, read

LORA_MAGIC = b"algg"  # the 32-bit number 'ggla', little endian
LORA_VERSION = 1
_ALIGNMENT = 32
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A training's state after ``iteration`` iterations and ``epochs`` whole passes over the samples."""

    path: Path
    iteration: int
    samples: int
    tensors: int
    size: int
    epochs: int = 0


@dataclass(frozen=True, kw_only=True)
class LoraTensor:
    """One of a pair: ``base`` is the tensor it changes, ``side`` is ``A`` or ``B``; ``shape`` as ggml's ne."""

    base: str
    side: str
    shape: tuple[int, ...]
    offset: int
    nbytes: int


@dataclass(frozen=True, kw_only=True)
class Lora:
    """A LoRA file. The change of each base tensor is scaled by ``alpha / rank``."""

    path: Path
    rank: int
    alpha: int
    tensors: tuple[LoraTensor, ...]


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint's counts, after checking that the file is whole. AppError when it is not a good checkpoint."""
    file = read(path)
    if file.metadata.get("training.type") != "finetune_lora":
        raise AppError(f"{path.name} is not a checkpoint of a LoRA training.", "Choose a checkpoint-….gguf file.")
    problems = file.problems()
    if problems:
        raise AppError.of(problems[0])
    iteration = file.metadata.get("training.iteration_count")
    samples = file.metadata.get("training.sample_count")
    if not isinstance(iteration, int) or not isinstance(samples, int):
        raise AppError(f"{path.name} does not say at which iteration it was saved.", "Use another checkpoint.")
    epochs = file.metadata.get("training.epoch_count")
    return Checkpoint(
        path=path,
        iteration=iteration,
        samples=samples,
        tensors=len(file.tensors),
        size=path.stat().st_size,
        epochs=epochs if isinstance(epochs, int) else 0,
    )


def checkpoint_is_finite(path: Path) -> bool:
    """Whether every 32-bit number in the checkpoint is finite. Reads the whole file (about 1 GB/s or more)."""
    spans = ((t.offset, t.nbytes) for t in read(path).tensors if t.type == GgmlType.F32)
    return _finite(path, spans)


def lora_is_finite(lora: Lora) -> bool:
    """Whether every number in the LoRA is finite."""
    return _finite(lora.path, ((t.offset, t.nbytes) for t in lora.tensors))


def lora_is_empty(lora: Lora) -> bool:
    """Whether the LoRA changes nothing: a fresh one has every B at zero."""
    with lora.path.open("rb") as source:
        for tensor in lora.tensors:
            if tensor.side == "B" and any(
                any(_floats(chunk)) for chunk in _chunks(source, tensor.offset, tensor.nbytes)
            ):
                return False
    return True


def read_lora(path: Path) -> Lora:
    """The LoRA's header and tensor table. AppError when it is something else or not whole."""
    size = path.stat().st_size
    with path.open("rb") as source:
        head = source.read(16)
        if head[:4] == b"GGUF":
            raise AppError(
                f"{path.name} is a checkpoint or a model, not a LoRA.",
                "Choose the lora-….gguf file beside it.",
                code="not-a-lora",
            )
        if len(head) < 16 or head[:4] != LORA_MAGIC:
            raise AppError(f"{path.name} is not a LoRA file.", "Choose a lora-….gguf file.", code="not-a-lora")
        version, rank, alpha = struct.unpack("<3I", head[4:])
        if version != LORA_VERSION or not rank:
            raise AppError(f"{path.name} is a LoRA of an unknown kind.", "Choose another one.", code="not-a-lora")
        try:
            tensors = tuple(_lora_tensors(source, size))
        except (struct.error, ValueError, UnicodeDecodeError) as error:
            raise damaged_lora(path, repr(error)) from error
    if not tensors:
        raise AppError(f"{path.name} holds no tensors.", "Use the LoRA of another checkpoint.", code="lora-empty")
    if len(tensors) % 2 or any(
        a.base != b.base or a.side + b.side != "AB" for a, b in zip(tensors[::2], tensors[1::2], strict=True)
    ):
        raise damaged_lora(path, "a tensor without its twin")
    return Lora(path=path, rank=rank, alpha=alpha, tensors=tensors)


def damaged_lora(path: Path, details: str) -> AppError:
    """The error for a LoRA that was not written to its end."""
    return AppError(
        f"{path.name} is cut off or damaged.",
        "Use the LoRA of an earlier checkpoint.",
        details=details,
        code="lora-damaged",
    )


def _lora_tensors(source: BinaryIO, size: int) -> Iterator[LoraTensor]:
    at = 16
    while at < size:
        dims, name_length, kind = struct.unpack("<3I", _exactly(source, at, 12))
        at += 12
        if dims == 0:  # a tensor that is not trained
            at += -at % _ALIGNMENT
            continue
        if dims > 4 or name_length > 128 or kind != GgmlType.F32:
            raise ValueError(f"tensor header at {at - 12}")
        shape = struct.unpack(f"<{dims}I", _exactly(source, at, 4 * dims))
        name = _exactly(source, at + 4 * dims, name_length).decode()
        at += 4 * dims + name_length
        at += -at % _ALIGNMENT
        nbytes = 4 * math.prod(shape)
        base, dot, side = name.rpartition(".lora")
        if not dot or side not in {"A", "B"} or at + nbytes > size:
            raise ValueError(f"tensor {name}")
        yield LoraTensor(base=base, side=side, shape=shape, offset=at, nbytes=nbytes)
        at += nbytes


def _exactly(source: BinaryIO, at: int, count: int) -> bytes:
    source.seek(at)
    data = source.read(count)
    if len(data) != count:
        raise ValueError(f"the file ends at {at + len(data)}, inside a header")
    return data


def _chunks(source: BinaryIO, at: int, count: int) -> Iterator[bytes]:
    """The ``count`` bytes at ``at``, a megabyte at a time."""
    source.seek(at)
    while count > 0 and (chunk := source.read(min(_CHUNK, count))):
        count -= len(chunk)
        yield chunk


def _floats(chunk: bytes) -> array[float]:
    """The little-endian 32-bit numbers of ``chunk``."""
    numbers = array("f", chunk)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _finite(path: Path, spans: Iterable[tuple[int, int]]) -> bool:
    with path.open("rb") as source:
        return all(_is_finite(chunk) for at, count in spans for chunk in _chunks(source, at, count))


def _is_finite(chunk: bytes) -> bool:
    """Whether all numbers are finite. Fast where all are below 2**127, as in any training that goes well.

    The highest byte holds the sign and seven bits of the exponent; all seven are set only from 2**127 on. A sum of
    32-bit numbers in 64 bits cannot overflow, so it is finite exactly when all of them are.
    """
    highest = chunk[3::4]
    return not (b"\x7f" in highest or b"\xff" in highest) or math.isfinite(sum(_floats(chunk)))
