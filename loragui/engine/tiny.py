"""A small llama model of our own with its training text: what a new engine is tried and measured with.

The vocabulary is written by hand: the three special tokens, the 256 bytes, the letters, and names without a use up
to the wanted size. The weights come from the one generator of numpy whose numbers are the same for ever, so the same
shape gives the same bytes on every PC.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loragui.gguf.types import GgmlType, ValueType
from loragui.gguf.write import NewArray, NewEntry, TensorSpec, Writer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MARKER = "<SAMPLE>"
"""Begins every sample of the training text."""
_STORY = (
    "the sea is calm at night. ",
    "a lamp burns on the hill. ",
    "rain falls on the old roof. ",
    "the boat comes home at dawn. ",
)
_SPECIAL, _BYTES = ("<unk>", "<s>", "</s>"), tuple(f"<0x{number:02X}>" for number in range(256))
_LETTERS = ("\u2581", *string.ascii_lowercase, ".")  # the first is how this kind of vocabulary writes a space
_UNKNOWN, _CONTROL, _BYTE, _NORMAL, _UNUSED = 2, 3, 6, 1, 5
"""``tokenizer.ggml.token_type`` (llama.h, ``llama_token_type``)."""
SMALLEST = len(_SPECIAL) + len(_BYTES) + len(_LETTERS)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The size of the model. ``heads`` divide ``embedding``; ``vocabulary`` and ``context`` in tokens."""

    embedding: int = 32
    feed_forward: int = 64
    layers: int = 2
    heads: int = 4
    context: int = 128
    vocabulary: int = SMALLEST

    @property
    def parameters(self) -> int:
        """How many weights the model has."""
        return sum(spec.shape[0] * (spec.shape[1] if len(spec.shape) > 1 else 1) for spec in _tensors(self))


def training_text(samples: int, context: int) -> str:
    """``samples`` texts that each fill ``context`` tokens exactly (a letter is a token, and one stands before)."""
    turned = ("".join(_STORY[number % 4 :] + _STORY[: number % 4]) for number in range(samples))
    return "".join(MARKER + (story * (context // len(story) + 1))[: context - 1] for story in turned)


def write_tiny(path: Path, shape: Shape, seed: int = 1) -> Path:
    """Write the model to ``path`` (F32) and return it."""
    import numpy as np

    chance = np.random.RandomState(seed)
    with path.open("wb") as out:
        writer = Writer(out, _entries(shape), _tensors(shape))
        for tensor in writer.tensors:
            writer.write(_values(chance, tensor.shape).tobytes())
            writer.end(tensor.name)
        writer.finish()
    return path


def _values(chance: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Norms are 1; matrices keep the size of what goes through them."""
    import numpy as np

    if len(shape) == 1:
        return np.ones(shape, np.float32)
    columns, rows = shape
    evenly = chance.random_sample((rows, columns)) - 0.5
    values: NDArray[np.float32] = (evenly / columns**0.5).astype(np.float32)
    return values


def _entries(shape: Shape) -> Iterator[NewEntry]:
    yield _text("general.architecture", "llama")
    yield _text("general.name", "tiny")
    for key, number in (
        ("general.file_type", 0),
        ("llama.context_length", shape.context),
        ("llama.embedding_length", shape.embedding),
        ("llama.block_count", shape.layers),
        ("llama.feed_forward_length", shape.feed_forward),
        ("llama.attention.head_count", shape.heads),
        ("llama.attention.head_count_kv", shape.heads),
        ("llama.rope.dimension_count", shape.embedding // shape.heads),
    ):
        yield NewEntry(key=key, kind=ValueType.UINT32, value=number)
    yield NewEntry(key="llama.attention.layer_norm_rms_epsilon", kind=ValueType.FLOAT32, value=1e-5)
    yield from _vocabulary(shape.vocabulary)


def _vocabulary(size: int) -> Iterator[NewEntry]:
    unused = tuple(f"<unused{number}>" for number in range(size - SMALLEST))
    pieces = (*_SPECIAL, *_BYTES, *_LETTERS, *unused)
    kinds = (
        *(_UNKNOWN, _CONTROL, _CONTROL), *[_BYTE] * len(_BYTES), *[_NORMAL] * len(_LETTERS), *[_UNUSED] * len(unused)
    )  # fmt: skip
    yield _text("tokenizer.ggml.model", "llama")
    yield _array("tokenizer.ggml.tokens", NewArray(kind=ValueType.STRING, values=pieces))
    yield _array("tokenizer.ggml.scores", NewArray(kind=ValueType.FLOAT32, values=[0.0] * len(pieces)))
    yield _array("tokenizer.ggml.token_type", NewArray(kind=ValueType.INT32, values=kinds))
    for number, name in enumerate(("unknown", "bos", "eos")):
        yield NewEntry(key=f"tokenizer.ggml.{name}_token_id", kind=ValueType.UINT32, value=number)


def _text(key: str, value: str) -> NewEntry:
    return NewEntry(key=key, kind=ValueType.STRING, value=value)


def _array(key: str, value: NewArray) -> NewEntry:
    return NewEntry(key=key, kind=ValueType.ARRAY, value=value)


def _tensors(shape: Shape) -> Iterator[TensorSpec]:
    width, hidden = shape.embedding, shape.feed_forward
    yield _matrix("token_embd", width, shape.vocabulary)
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        yield _norm(f"{block}.attn_norm", width)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield _matrix(f"{block}.{name}", width, width)
        yield _norm(f"{block}.ffn_norm", width)
        yield _matrix(f"{block}.ffn_gate", width, hidden)
        yield _matrix(f"{block}.ffn_up", width, hidden)
        yield _matrix(f"{block}.ffn_down", hidden, width)
    yield _norm("output_norm", width)
    yield _matrix("output", width, shape.vocabulary)


def _matrix(name: str, columns: int, rows: int) -> TensorSpec:
    return TensorSpec(name=f"{name}.weight", shape=(columns, rows), type=GgmlType.F32)


def _norm(name: str, width: int) -> TensorSpec:
    return TensorSpec(name=f"{name}.weight", shape=(width,), type=GgmlType.F32)
