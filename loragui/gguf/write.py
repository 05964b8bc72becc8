"""Writing a GGUF file (version 3): the header first, then the tensors, in pieces of any size.

Nothing is kept in memory: arrays of another file's metadata are copied through.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from loragui.errors import AppError
from loragui.gguf.lazy import CHUNK, Entry, GgufArray, LongText, Value
from loragui.gguf.types import NUMBER_FORMATS, GgmlType, TensorInfo, ValueType

VERSION = 3


@dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """A tensor that is going to be written. ``shape`` as ggml's ``ne``: the length of a row first."""

    name: str
    shape: tuple[int, ...]
    type: GgmlType


@dataclass(frozen=True, kw_only=True)
class NewArray:
    """An array of numbers, truth values or texts that is going to be written."""

    kind: ValueType
    values: Sequence[int | float | bool | str]


@dataclass(frozen=True, kw_only=True)
class NewEntry:
    """A metadata entry that is going to be written."""

    key: str
    kind: ValueType
    value: Value | NewArray


class Writer:
    """Writes the header to ``out`` at once; then every tensor is written in order with ``write`` and ``end``.

    ``tensors`` are the announced tensors with their places in the file.
    """

    def __init__(
        self,
        out: BinaryIO,
        entries: Iterable[Entry | NewEntry],
        tensors: Iterable[TensorSpec],
        *,
        alignment: int = 32,
    ) -> None:
        self._out = out
        self._alignment = alignment
        self.tensors = _header(out, list(entries), list(tensors), alignment)
        self._at = out.tell()
        self._pad()
        self._next = 0
        self._written = 0

    def write(self, data: bytes | memoryview) -> None:
        """More bytes of the tensor whose turn it is."""
        self._out.write(data)
        self._written += len(data)

    def end(self, name: str) -> None:
        """The tensor called ``name`` is complete. ValueError when it is not its turn or bytes are missing."""
        tensor = self.tensors[self._next]
        if tensor.name != name or self._written != tensor.nbytes:
            raise ValueError(f"{name}: {self._written} bytes, expected {tensor.name}: {tensor.nbytes} bytes")
        self._at += self._written
        self._pad()
        self._next += 1
        self._written = 0

    def finish(self) -> None:
        """All is written. ValueError when a tensor is missing."""
        if self._next != len(self.tensors):
            raise ValueError(f"{self.tensors[self._next].name} is missing")

    def _pad(self) -> None:
        count = -self._at % self._alignment
        self._out.write(bytes(count))
        self._at += count


def _header(
    out: BinaryIO, entries: list[Entry | NewEntry], specs: list[TensorSpec], alignment: int
) -> tuple[TensorInfo, ...]:
    out.write(struct.pack("<4sIQQ", b"GGUF", VERSION, len(specs), len(entries)))
    for entry in entries:
        _text(out, entry.key)
        out.write(struct.pack("<I", entry.kind))
        _value(out, entry.kind, entry.value)
    offset, placed = 0, []
    for spec in specs:
        info = TensorInfo(name=spec.name, shape=spec.shape, type=spec.type, offset=offset, nbytes=nbytes(spec))
        _text(out, info.name)
        dims = len(info.shape)
        out.write(struct.pack(f"<I{dims}QIQ", dims, *info.shape, info.type, info.offset))
        placed.append(info)
        offset += info.nbytes + -info.nbytes % alignment
    start = out.tell()
    start += -start % alignment
    return tuple(
        TensorInfo(name=t.name, shape=t.shape, type=t.type, offset=start + t.offset, nbytes=t.nbytes) for t in placed
    )


def nbytes(spec: TensorSpec) -> int:
    """Bytes of the tensor in the file. ValueError when its rows are not whole blocks."""
    elements = 1
    for length in spec.shape:
        elements *= length
    if not 1 <= len(spec.shape) <= 4 or spec.shape[0] % spec.type.block_size:
        raise ValueError(f"{spec.name}: shape {spec.shape} does not suit {spec.type.name}")
    return spec.type.nbytes(elements)


def _text(out: BinaryIO, text: str) -> None:
    data = text.encode("utf-8", "surrogateescape")
    out.write(struct.pack("<Q", len(data)) + data)


def _value(out: BinaryIO, kind: ValueType, value: Value | NewArray) -> None:
    if isinstance(value, LongText):
        out.write(struct.pack("<Q", value.nbytes))
        _copy(out, value.path, value.offset, value.nbytes)
    elif isinstance(value, GgufArray | NewArray):
        _array(out, value)
    elif isinstance(value, str):
        _text(out, value)
    else:
        out.write(struct.pack("<" + NUMBER_FORMATS[kind], value))


def _array(out: BinaryIO, array: GgufArray | NewArray) -> None:
    if isinstance(array, NewArray):
        out.write(struct.pack("<IQ", array.kind, len(array.values)))
        for value in array.values:
            _value(out, array.kind, value)
        return
    out.write(struct.pack("<IQ", array.kind, array.count))
    if array.version == 1 and array.kind in {ValueType.STRING, ValueType.ARRAY}:  # other lengths
        for item in array:
            _value(out, array.kind, item)
    else:
        _copy(out, array.path, array.offset, array.nbytes)


def _copy(out: BinaryIO, path: Path, offset: int, count: int) -> None:
    out.writelines(pieces(path, offset, count))


def pieces(path: Path, offset: int, count: int, size: int = CHUNK) -> Iterator[bytes]:
    """``count`` bytes of the file from ``offset`` on, in pieces of ``size``. AppError when it ends before."""
    with path.open("rb") as source:
        source.seek(offset)
        while count > 0:
            data = source.read(min(size, count))
            if not data:
                raise AppError(
                    f"{path.name} ended while it was read.",
                    "Download or copy the file again.",
                    details=f"{count} bytes missing behind {source.tell()}",
                    code="gguf-truncated",
                )
            count -= len(data)
            yield data
