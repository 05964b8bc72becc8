"""What a converted copy of a base model looks like: which changes, which tensors, how many bytes.

K/V heads: in a llama GGUF the rows of ``attn_k`` are reordered for rope inside each head, never across heads,
so a model with grouped heads becomes one without by repeating whole heads (blocks of rows) in place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from loragui.errors import AppError
from loragui.gguf.read import GgmlType, GgufFile, TensorInfo
from loragui.gguf.write import TensorSpec, nbytes

KEEP = "keep"
OUTPUT_TYPES = ("F32", "F16", KEEP)
OUTPUT = "output.weight"
EMBEDDING = "token_embd.weight"
UNPACKABLE = frozenset(GgmlType) - {
    GgmlType.Q8_1, GgmlType.Q8_K, GgmlType.I8, GgmlType.I16, GgmlType.I32, GgmlType.I64, GgmlType.F64,
}  # fmt: skip
"""Formats that can be unpacked to plain numbers (``gguf.quants`` has them all)."""

_KV = re.compile(r"blk\.\d+\.attn_[kv]\.weight")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The changes of a converted copy.

    ``output_type`` is the number format of matrices (``keep``: as they are; vectors become F32 otherwise).
    ``untie`` gives it an output layer of its own, ``repeat_heads`` is how often each K/V head is repeated
    (1: not), ``pre`` the new name of the pre-tokenizer (empty: unchanged); ``rope_factor`` is written in the
    older way too when not 1.
    """

    output_type: str = "F32"
    untie: bool = False
    repeat_heads: int = 1
    pre: str = ""
    rope_factor: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """The recipe as JSON-able values."""
        return asdict(self)

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Recipe:
        """The inverse of ``to_json``."""
        return Recipe(
            output_type=str(row["output_type"]),
            untie=bool(row["untie"]),
            repeat_heads=int(row["repeat_heads"]),
            pre=str(row["pre"]),
            rope_factor=float(row["rope_factor"]),
        )

    def changes(self) -> tuple[str, ...]:
        """The changes in plain words."""
        found = []
        if self.output_type != KEEP:
            found.append(f"numbers unpacked to {self.output_type}")
        if self.untie:
            found.append("output layer copied from the token embedding")
        if self.repeat_heads > 1:
            found.append(f"each key/value head repeated {self.repeat_heads} times")
        if self.pre:
            found.append(f"pre-tokenizer named {self.pre}, which does the same")
        if self.rope_factor != 1.0:
            found.append(f"rope stretching of {self.rope_factor:g} also written in the older way")
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class CopiedTensor:
    """A tensor of the copy: its source's rows in blocks of ``block_rows``, each of them ``repeat`` times."""

    spec: TensorSpec
    source: TensorInfo
    block_rows: int
    repeat: int

    @property
    def nbytes(self) -> int:
        """Bytes in the copy."""
        return nbytes(self.spec)


def tensors(file: GgufFile, recipe: Recipe) -> tuple[CopiedTensor, ...]:
    """The copy's tensors in order."""
    kv_heads = file.count("llama.attention.head_count_kv") or 1
    copied = []
    for source in file.tensors:
        expanded = recipe.repeat_heads > 1 and _KV.fullmatch(source.name) is not None
        _check(file, source, recipe, kv_heads if expanded else 1)
        repeat = recipe.repeat_heads if expanded else 1
        block = source.rows // kv_heads if expanded else source.rows
        shape = (source.shape[0], source.rows * repeat) if expanded else source.shape
        spec = TensorSpec(name=source.name, shape=shape, type=_type(source, recipe))
        copied.append(CopiedTensor(spec=spec, source=source, block_rows=block, repeat=repeat))
        if recipe.untie and source.name == EMBEDDING:
            spec = TensorSpec(name=OUTPUT, shape=source.shape, type=_type(source, recipe))
            copied.append(CopiedTensor(spec=spec, source=source, block_rows=source.rows, repeat=1))
    return tuple(copied)


def _check(file: GgufFile, source: TensorInfo, recipe: Recipe, kv_heads: int) -> None:
    if source.rows % kv_heads or (recipe.output_type != KEEP and source.type not in UNPACKABLE):
        raise AppError(
            f"{source.name} of {file.path.name} cannot be converted.",
            "Choose another file of this model.",
            details=f"{source}, {kv_heads} key/value heads",
            code="cannot-convert",
        )


def _type(source: TensorInfo, recipe: Recipe) -> GgmlType:
    if recipe.output_type == KEEP:
        return source.type
    return GgmlType.F32 if len(source.shape) == 1 else GgmlType[recipe.output_type]


def copy_bytes(file: GgufFile, recipe: Recipe) -> int:
    """The size of the copy's file, to the nearest few kilobytes."""
    padding = 64 * (len(file.tensors) + 1)
    return file.data_offset + padding + sum(tensor.nbytes for tensor in tensors(file, recipe))
