"""A place in a GGUF file, and the values that are too large to keep: they are read when they are used.

Every number that comes from the file (lengths, counts) is checked against the file's size before it is
believed, so a damaged or hostile file costs neither memory nor time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from loragui.errors import AppError
from loragui.gguf.types import NUMBER_FORMATS, ValueType

CHUNK = 1 << 18
"""Bytes read at once."""
LONG_TEXT = 1 << 18
"""Texts of more bytes stay in the file."""
MAX_ITEMS = 1 << 22
"""Texts in all arrays of a file; the largest vocabularies with their merges have about a million."""
MAX_DEPTH = 4
"""How deep arrays may lie in arrays."""


class DamagedError(ValueError):
    """The file says something that cannot be true. Turned into an ``AppError`` that names the file."""


class Cursor:
    """A position in a GGUF file of ``size`` bytes, moved by reading. Lengths have 32 bits in version 1."""

    def __init__(self, source: BinaryIO, size: int, version: int, start: int = 0) -> None:
        self._source = source
        self._size = size
        self._length = struct.Struct("<I" if version == 1 else "<Q")
        self._base = start
        self._buffer = b""
        self._at = 0
        self._items = 0

    @property
    def position(self) -> int:
        """Bytes from the beginning of the file."""
        return self._base + self._at

    @property
    def left(self) -> int:
        """Bytes up to the end of the file (negative when something led beyond it)."""
        return self._size - self.position

    def _fill(self, count: int) -> None:
        if count > self.left:
            raise DamagedError(f"{count} bytes are announced at {self.position}, the file has {self._size}")
        self._base, self._at = self.position, 0
        self._source.seek(self._base)
        self._buffer = self._source.read(max(count, CHUNK))
        if len(self._buffer) < count:
            raise DamagedError(f"the file became shorter while it was read (at {self._base})")

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if self._at + count > len(self._buffer):
            self._fill(count)
        self._at += count
        return self._buffer[self._at - count : self._at]

    def skip(self, count: int) -> None:
        """Move on by ``count`` bytes, which must be there."""
        if count > self.left:
            raise DamagedError(f"{count} bytes are announced at {self.position}, the file has {self._size}")
        self._at += count

    def back_to(self, position: int) -> None:
        """Go back to a place that was passed since the last reading."""
        self._at = position - self._base
        if self._at < 0:
            self._base, self._at, self._buffer = position, 0, b""

    def number(self, kind: ValueType) -> int | float | bool:
        """The next value of a type of fixed size."""
        form = struct.Struct("<" + NUMBER_FORMATS[kind])
        value: int | float | bool = form.unpack(self.take(form.size))[0]
        return value

    def length(self) -> int:
        """The next length or count."""
        value: int = self._length.unpack(self.take(self._length.size))[0]
        return value

    def kind(self) -> ValueType:
        """The next type of a value."""
        return ValueType(int(self.number(ValueType.UINT32)))

    def text(self, limit: int) -> str:
        """The next text of at most ``limit`` bytes. Bytes that are not UTF-8 survive as surrogates."""
        count = self.length()
        if count > limit:
            raise DamagedError(f"a text of {count} bytes at {self.position}")
        return self.take(count).decode("utf-8", "surrogateescape")

    def expect(self, count: int) -> None:
        """Count the items of lists, and refuse more than any real file has."""
        self._items += count
        if self._items > MAX_ITEMS:
            raise DamagedError(f"{count} items are announced at {self.position}")

    def skip_texts(self, count: int) -> None:
        """Move over ``count`` texts. The inner loop of reading a vocabulary, so it is written for speed."""
        self.expect(count)
        unpack, width = self._length.unpack_from, self._length.size
        buffer, at = self._buffer, self._at
        for _ in range(count):
            if at + width > len(buffer):
                self._at = at
                self._fill(width)
                buffer, at = self._buffer, 0
            at += width + unpack(buffer, at)[0]
        self._at = at
        if self.left < 0:
            raise DamagedError("a list of texts leads beyond the end of the file")


@dataclass(frozen=True, kw_only=True)
class LongText:
    """A text of ``nbytes`` bytes that stays in the file."""

    path: Path
    offset: int
    nbytes: int

    def read(self) -> str:
        """The text."""
        with self.path.open("rb") as source:
            source.seek(self.offset)
            return source.read(self.nbytes).decode("utf-8", "surrogateescape")


@dataclass(frozen=True, kw_only=True)
class GgufArray:
    """``count`` values of type ``kind`` that stay in the file: iterate over it, as often as needed.

    Values are ``int``, ``float``, ``bool``, ``str`` or, for arrays in arrays, ``GgufArray``. ``offset`` is
    the place of the first one, ``nbytes`` the length of all in the file.
    """

    path: Path
    version: int
    kind: ValueType
    count: int
    offset: int
    nbytes: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int | float | bool | str | GgufArray]:
        try:
            with self.path.open("rb") as source:
                cursor = Cursor(source, self.offset + self.nbytes, self.version, self.offset)
                yield from self._values(cursor)
        except (ValueError, struct.error, OSError) as error:
            raise AppError(
                f"{self.path.name} changed or became unreadable while it was read.",
                "Check that the disk is connected and no other program writes the file, then try again.",
                details=repr(error),
                code="gguf-changed",
            ) from error

    def _values(self, cursor: Cursor) -> Iterator[int | float | bool | str | GgufArray]:
        if self.kind is ValueType.STRING:
            for _ in range(self.count):
                yield cursor.text(LONG_TEXT)
        elif self.kind is ValueType.ARRAY:
            for _ in range(self.count):
                yield read_array(cursor, self.path, self.version)
        else:
            form = struct.Struct("<" + NUMBER_FORMATS[self.kind])
            left = self.count
            while left:
                count = min(left, CHUNK // form.size)
                for value in form.iter_unpack(cursor.take(count * form.size)):
                    yield value[0]
                left -= count

    def texts(self) -> Iterator[str]:
        """The values of an array of texts; nothing for an array of another type."""
        return (value for value in self if isinstance(value, str))

    def numbers(self) -> Iterator[int | float]:
        """The values of an array of numbers; nothing for an array of another type."""
        return (value for value in self if isinstance(value, int | float))


Value = int | float | bool | str | GgufArray | LongText


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One metadata entry with its exact type. Arrays and very long texts stay in the file until used."""

    key: str
    kind: ValueType
    value: Value


def read_array(cursor: Cursor, path: Path, version: int, depth: int = 1) -> GgufArray:
    """The array whose type and count stand at the cursor, which is moved behind its last value."""
    kind, count = cursor.kind(), cursor.length()
    start = cursor.position
    if kind is ValueType.STRING:
        cursor.skip_texts(count)
    elif kind is ValueType.ARRAY:
        if depth >= MAX_DEPTH:
            raise DamagedError(f"arrays within arrays within arrays at {start}")
        cursor.expect(count)
        for _ in range(count):
            read_array(cursor, path, version, depth + 1)
    else:
        cursor.skip(count * struct.calcsize("<" + NUMBER_FORMATS[kind]))
    return GgufArray(path=path, version=version, kind=kind, count=count, offset=start, nbytes=cursor.position - start)
