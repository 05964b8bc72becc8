"""The header of a GGUF file: metadata and tensor table, never the tensors themselves.

Versions 1 to 3, little endian. A file may come from anywhere, so nothing it says is believed unchecked: a
damaged one is an ``AppError`` that names it, whatever its bytes are, and memory stays within some 50 MB.

Source: ggml's ``docs/gguf.md``; version 1 (32-bit lengths) from llama.cpp's reader of October 2023.
"""

from __future__ import annotations

import math
import stat
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from loragui.errors import AppError, Problem
from loragui.gguf.lazy import LONG_TEXT, Cursor, DamagedError, Entry, GgufArray, LongText, Value, read_array
from loragui.gguf.types import GgmlType, TensorInfo, ValueType
from loragui.units import size as human_size

__all__ = [
    "Entry",
    "GgmlType",
    "GgufArray",
    "GgufFile",
    "LongText",
    "TensorInfo",
    "Value",
    "ValueType",
    "read",
]

MAGIC = b"GGUF"
VERSIONS = (1, 2, 3)
DEFAULT_ALIGNMENT = 32
MAX_ENTRIES = 1 << 14
MAX_TENSORS = 1 << 15
MAX_TEXT = 6 << 20
"""Bytes of all texts that are kept, together."""
MAX_NAME = 1 << 12
MAX_ELEMENTS = 1 << 48

_OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (b"algg", "It is a LoRA (ggla), not a model."),
    (b"tjgg", "It is a model in the old GGML format (before August 2023)."),
    (b"fmgg", "It is a model in the old GGML format (before August 2023)."),
    (b"lmgg", "It is a model in the old GGML format (before August 2023)."),
    (b"PK\x03\x04", "It is a ZIP archive or a PyTorch file."),
    (
        b"version https://git-lfs",
        "It is only a pointer to the real file (Git LFS), which was not downloaded.",
    ),
    (b"<", "It is a web page: the download brought a page instead of the file."),
    (b"{", "It is a JSON file."),
)


@dataclass(frozen=True, kw_only=True)
class GgufFile:
    """What a GGUF file says about itself.

    ``tensors`` have absolute offsets; ``data_offset`` is where the tensors' part begins; ``size`` is the
    file's, in bytes. ``metadata`` maps keys to values; ``entries`` has the same with exact types,
    in the file's order.
    """

    path: Path
    version: int
    size: int
    alignment: int
    data_offset: int
    metadata: Mapping[str, Value]
    entries: tuple[Entry, ...]
    tensors: tuple[TensorInfo, ...]

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the tensors' part: it is cut off when a tensor ends behind the file's end."""
        if self.tensors and self.needed > self.size:
            missing = human_size(self.needed - self.size)
            return (
                Problem(
                    message=f"{self.path.name} is cut off: its last {missing} are missing.",
                    hint="Download or copy the file again; if it was just made, make it again.",
                    details=f"{self.size} of {self.needed} bytes",
                    code="gguf-truncated",
                ),
            )
        return ()

    @property
    def needed(self) -> int:
        """Bytes the file must at least have for all its tensors."""
        return max((tensor.offset + tensor.nbytes for tensor in self.tensors), default=self.data_offset)

    def text(self, key: str) -> str:
        """The text under ``key``, or an empty one."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> float | None:
        """The number under ``key``, or None when there is none."""
        value = self.metadata.get(key)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def count(self, key: str) -> int | None:
        """The whole number of at least 0 under ``key``, or None."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None

    def array(self, key: str) -> GgufArray | None:
        """The array under ``key``, or None."""
        value = self.metadata.get(key)
        return value if isinstance(value, GgufArray) else None

    def tensor(self, name: str) -> TensorInfo | None:
        """The tensor called ``name``, or None."""
        return next((tensor for tensor in self.tensors if tensor.name == name), None)


def read(path: Path) -> GgufFile:
    """Read the header of ``path``. AppError when it is not a GGUF file, is damaged, or cannot be opened."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise AppError(f"{path.name} is not a file.", "Choose a file that ends in .gguf.", code="not-gguf")
        with path.open("rb") as source:
            return _read(path, source, status.st_size)
    except FileNotFoundError as error:
        raise AppError(
            f"{path} is not there.", "If it was moved, choose it again in its new place.", code="file-missing"
        ) from error
    except OSError as error:
        raise AppError(
            f"{path.name} cannot be read: {error.strerror or error}.",
            "Check that the disk is connected and that you may read the file.",
            details=repr(error),
            code="unreadable",
        ) from error
    except (ValueError, struct.error, OverflowError) as error:
        raise AppError(
            f"{path.name} is damaged or cut off: its description of itself makes no sense.",
            "Download or copy the file again.",
            details=str(error),
            code="gguf-damaged",
        ) from error


def _read(path: Path, source: BinaryIO, size: int) -> GgufFile:
    head = source.read(32)
    version = _version(path, head)
    cursor = Cursor(source, size, version, 8)
    tensor_count, entry_count = cursor.length(), cursor.length()
    if tensor_count > MAX_TENSORS or entry_count > MAX_ENTRIES:
        raise DamagedError(f"{tensor_count} tensors and {entry_count} entries are announced")
    parse = _Parse(path, cursor, version)
    entries = tuple(parse.entries(entry_count))
    metadata = {entry.key: entry.value for entry in entries}
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 16 or alignment & (alignment - 1):
        raise DamagedError(f"alignment {alignment}")
    tensors = tuple(parse.tensors(tensor_count))
    start = cursor.position + -cursor.position % alignment
    return GgufFile(
        path=path,
        version=version,
        size=size,
        alignment=alignment,
        data_offset=start,
        metadata=metadata,
        entries=entries,
        tensors=tuple(_placed(tensor, start, alignment) for tensor in tensors),
    )


def _version(path: Path, head: bytes) -> int:
    if head[:4] != MAGIC:
        what = "It is empty." if not head else next((t for m, t in _OTHER_FILES if head.startswith(m)), "")
        raise AppError(
            f"{path.name} is not a GGUF file. {what}".rstrip(),
            "Choose a model in GGUF format; its name usually ends in .gguf.",
            details=f"first bytes: {head[:16].hex(' ')}",
            code="not-gguf",
        )
    if len(head) < 8:
        raise DamagedError("the file ends after its first word")
    (version,) = struct.unpack("<I", head[4:8])
    if version in VERSIONS:
        return int(version)
    if version and version & 0xFFFF == 0:
        raise AppError(
            f"{path.name} was made for big-endian computers (such as mainframes).",
            "Choose the ordinary (little-endian) file of this model.",
            code="gguf-big-endian",
        )
    raise AppError(
        f"{path.name} is a GGUF file of version {version}; this program knows versions 1 to 3.",
        "Update loragui, or choose another file of this model.",
        code="gguf-version",
    )


def _placed(tensor: TensorInfo, start: int, alignment: int) -> TensorInfo:
    if tensor.offset % alignment:
        raise DamagedError(f"tensor {tensor.name} at {tensor.offset} is not aligned to {alignment}")
    return TensorInfo(
        name=tensor.name,
        shape=tensor.shape,
        type=tensor.type,
        offset=start + tensor.offset,
        nbytes=tensor.nbytes,
    )


class _Parse:
    """Reads entries and tensors at a cursor, and adds up the texts that are kept."""

    def __init__(self, path: Path, cursor: Cursor, version: int) -> None:
        self._path = path
        self._cursor = cursor
        self._version = version
        self._kept = 0

    def _text(self, limit: int) -> str:
        before = self._cursor.position
        text = self._cursor.text(limit)
        self._kept += self._cursor.position - before
        if self._kept > MAX_TEXT:
            raise DamagedError(f"more than {MAX_TEXT} bytes of text")
        return text

    def entries(self, count: int) -> Iterator[Entry]:
        seen: set[str] = set()
        for _ in range(count):
            key = self._text(MAX_NAME)
            if key in seen:
                raise DamagedError(f"the entry {key!r} is there twice")
            seen.add(key)
            kind = self._cursor.kind()
            yield Entry(key=key, kind=kind, value=self._value(kind))

    def _value(self, kind: ValueType) -> Value:
        if kind is ValueType.ARRAY:
            return read_array(self._cursor, self._path, self._version)
        if kind is not ValueType.STRING:
            return self._cursor.number(kind)
        start = self._cursor.position
        count = self._cursor.length()
        if count > LONG_TEXT:
            offset = self._cursor.position
            self._cursor.skip(count)
            return LongText(path=self._path, offset=offset, nbytes=count)
        self._cursor.back_to(start)
        return self._text(LONG_TEXT)

    def tensors(self, count: int) -> Iterator[TensorInfo]:
        seen: set[str] = set()
        for _ in range(count):
            name = self._text(MAX_NAME)
            if name in seen:
                raise DamagedError(f"the tensor {name!r} is there twice")
            seen.add(name)
            yield self._tensor(name)

    def _tensor(self, name: str) -> TensorInfo:
        cursor = self._cursor
        dims = int(cursor.number(ValueType.UINT32))
        if not 1 <= dims <= 4:
            raise DamagedError(f"tensor {name!r} has {dims} dimensions")
        shape = tuple(cursor.length() for _ in range(dims))
        number = int(cursor.number(ValueType.UINT32))
        offset = int(cursor.number(ValueType.UINT64))
        kind = _known_type(self._path, name, number)
        elements = math.prod(shape)
        if elements > MAX_ELEMENTS or offset > MAX_ELEMENTS or shape[0] % kind.block_size:
            raise DamagedError(f"tensor {name!r} of shape {shape} and type {kind.name} at {offset}")
        return TensorInfo(name=name, shape=shape, type=kind, offset=offset, nbytes=kind.nbytes(elements))


def _known_type(path: Path, name: str, number: int) -> GgmlType:
    try:
        return GgmlType(number)
    except ValueError as error:
        raise AppError(
            f"{path.name} holds numbers in a format that this program does not know (number {number}).",
            "Choose another file of this model, for example one with Q8_0 or F16 in its name.",
            details=f"tensor {name}",
            code="gguf-type",
        ) from error
