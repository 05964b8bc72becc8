"""Tiny llama models with random numbers, in any number format, for tests that only read or convert them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType
from gguf.quants import quantize

from loragui.gguf.read import GgmlType, GgufFile, ValueType
from loragui.gguf.write import NewArray, NewEntry, TensorSpec, Writer
from loragui.model.convert import unpack

Numbers = np.ndarray

TYPES = {str: ValueType.STRING, int: ValueType.UINT32, float: ValueType.FLOAT32, bool: ValueType.BOOL}


@dataclass(frozen=True, kw_only=True)
class Tiny:
    """What the model is like. ``extra``: more metadata, ``more``: more tensors, ``drop``: left out."""

    arch: str = "llama"
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    head_size: int = 8
    width: int = 32
    inner: int = 64
    vocabulary: int = 24
    tied: bool = True
    kind: str = "Q8_0"
    tokenizer: str = "gpt2"
    pre: str = "smollm"
    seed: int = 1
    extra: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    more: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name to shape as ggml's ``ne``."""
        q, kv = self.heads * self.head_size, self.kv_heads * self.head_size
        found: dict[str, tuple[int, ...]] = {"token_embd.weight": (self.width, self.vocabulary)}
        for layer in range(self.layers):
            block = {
                "attn_norm": (self.width,), "attn_q": (self.width, q), "attn_k": (self.width, kv),
                "attn_v": (self.width, kv), "attn_output": (q, self.width), "ffn_norm": (self.width,),
                "ffn_gate": (self.width, self.inner), "ffn_up": (self.width, self.inner),
                "ffn_down": (self.inner, self.width),
            }  # fmt: skip
            found.update({f"blk.{layer}.{name}.weight": shape for name, shape in block.items()})
        found["output_norm.weight"] = (self.width,)
        if not self.tied:
            found["output.weight"] = (self.width, self.vocabulary)
        found.update(self.more)
        return {name: shape for name, shape in found.items() if name not in self.drop}

    def metadata(self) -> dict[str, str | int | float | bool]:
        """Key to value, without those of ``drop``."""
        arch = self.arch
        found: dict[str, str | int | float | bool] = {
            "general.architecture": arch,
            "general.name": "Tiny",
            "general.file_type": 7,
            f"{arch}.block_count": self.layers,
            f"{arch}.context_length": 128,
            f"{arch}.embedding_length": self.width,
            f"{arch}.feed_forward_length": self.inner,
            f"{arch}.attention.head_count": self.heads,
            f"{arch}.attention.head_count_kv": self.kv_heads,
            f"{arch}.attention.layer_norm_rms_epsilon": 1e-5,
            f"{arch}.rope.dimension_count": self.head_size,
            "tokenizer.ggml.model": self.tokenizer,
            "tokenizer.ggml.pre": self.pre,
        }
        found.update(self.extra)
        return {key: value for key, value in found.items() if key not in self.drop}


def entries(tiny: Tiny) -> list[NewEntry]:
    """The model's metadata entries."""
    found = [NewEntry(key=key, kind=TYPES[type(value)], value=value) for key, value in tiny.metadata().items()]
    tokens = NewArray(kind=ValueType.STRING, values=tuple(f"t{n}" for n in range(tiny.vocabulary)))
    if "tokenizer.ggml.tokens" not in tiny.drop:
        found.append(NewEntry(key="tokenizer.ggml.tokens", kind=ValueType.ARRAY, value=tokens))
    return found


def write(path: Path, tiny: Tiny = Tiny()) -> Path:
    """Write the model to ``path``. Vectors are F32, matrices of the model's kind."""
    random = np.random.default_rng(tiny.seed)
    specs = [
        TensorSpec(name=name, shape=shape, type=GgmlType.F32 if len(shape) == 1 else GgmlType[tiny.kind])
        for name, shape in tiny.shapes().items()
    ]
    with path.open("wb") as out:
        writer = Writer(out, entries(tiny), specs)
        for spec in specs:
            numbers = random.standard_normal(spec.shape[::-1]).astype(np.float32)
            writer.write(packed(numbers, spec.type))
            writer.end(spec.name)
        writer.finish()
    return path


def packed(numbers: Numbers, kind: GgmlType) -> bytes:
    """The numbers in a format that the gguf package can write."""
    return quantize(numbers, GGMLQuantizationType(int(kind))).tobytes()


def numbers(file: GgufFile, name: str) -> Numbers:
    """A tensor as F32, rows first."""
    tensor = file.tensor(name)
    assert tensor is not None
    data = file.path.read_bytes()[tensor.offset : tensor.offset + tensor.nbytes]
    return unpack(data, tensor.type).reshape(tensor.shape[::-1])


def attention(file: GgufFile, layer: int, states: Numbers) -> Numbers:
    """What one attention block makes of ``states`` [tokens, width], as llama.cpp computes it (64-bit)."""
    heads, kv_heads = file.count("llama.attention.head_count"), file.count("llama.attention.head_count_kv")
    assert heads
    assert kv_heads
    weight = {part: numbers(file, f"blk.{layer}.attn_{part}.weight").astype(np.float64) for part in "qkv"}
    query = _turned((states @ weight["q"].T).reshape(len(states), heads, -1))
    key = _turned((states @ weight["k"].T).reshape(len(states), kv_heads, -1))
    value = (states @ weight["v"].T).reshape(len(states), kv_heads, -1)
    mask = np.triu(np.full((len(states), len(states)), -np.inf), k=1)
    mixed = []
    for head in range(heads):
        own = head // (heads // kv_heads)
        scores = query[:, head] @ key[:, own].T / np.sqrt(query.shape[-1]) + mask
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed.append(scores / scores.sum(axis=-1, keepdims=True) @ value[:, own])
    out: Numbers = np.concatenate(mixed, axis=-1) @ numbers(file, f"blk.{layer}.attn_output.weight").T
    return out


def _turned(states: Numbers) -> Numbers:
    """Rope on [tokens, heads, size]: pairs of neighbours are turned, further with every position."""
    size = states.shape[-1]
    angles = np.arange(len(states))[:, None] * 10000.0 ** (-np.arange(0, size, 2) / size)
    turn = np.exp(1j * angles)[:, None, :]
    turned = (states[..., 0::2] + 1j * states[..., 1::2]) * turn
    return np.stack((turned.real, turned.imag), axis=-1).reshape(states.shape)


def names(items: Iterable[object]) -> list[str]:
    """The ``code`` or ``name`` of each item."""
    return [str(getattr(item, "code", "") or getattr(item, "name", "")) for item in items]
