"""A reader of 7z archives with what Python has: LZMA, LZMA2, the x86 filter, stored files; nothing encrypted.

Archives of other methods (BCJ2, PPMd) are refused by name. Nothing is written here; see ``unpack.py``.
"""

from __future__ import annotations

import itertools
import lzma
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from loragui.engine.tools.decode import Method, SevenZipError, Stream

MAGIC = b"7z\xbc\xaf\x27\x1c"
_MOST = 1_000_000
_MOST_HEADER = 64 << 20
_MOST_LAYERS = 4
_FARTHEST = 1 << 40
_END, _HEADER, _MAIN, _FILES, _PACK, _UNPACK, _SUB = 0, 1, 4, 5, 6, 7, 8
_SIZE, _CRC, _FOLDER, _SIZES, _COUNTS, _EMPTY, _EMPTY_FILE, _NAMES, _ATTRIBUTES, _ENCODED = (
    9, 10, 11, 12, 13, 14, 15, 17, 21, 23,
)  # fmt: skip
_OTHERS = {b"\x03\x03\x01\x1b": "BCJ2", b"\x03\x04\x01": "PPMd", b"\x06\xf1\x07\x01": "encryption"}


@dataclass(frozen=True, kw_only=True)
class Member:
    """One entry. ``attributes`` are those of Windows, with Unix' mode in the upper half if bit 15 is set."""

    name: str
    size: int
    folder: bool
    attributes: int


@dataclass(frozen=True, kw_only=True)
class _Folder:
    """A compressed stream: its methods in the order of decoding, and where it lies."""

    methods: tuple[Method, ...]
    offset: int
    packed: int
    sizes: tuple[int, ...]
    crcs: tuple[int | None, ...]


class _Cursor:
    """Reads the archive's header, byte by byte; IndexError at its end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def take(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            raise SevenZipError("the header ends early")
        self._at += count
        return self._data[self._at - count : self._at]

    def rest(self) -> bytes:
        return self.take(len(self._data) - self._at)

    def number(self) -> int:
        first, mask, value = self.byte(), 0x80, 0
        for index in range(8):
            if not first & mask:
                return value + ((first & (mask - 1)) << (8 * index))
            value |= self.byte() << (8 * index)
            mask >>= 1
        return value

    def count(self) -> int:
        found = self.number()
        if found > _MOST:
            raise SevenZipError(f"{found} entries")
        return found

    def bits(self, count: int) -> list[bool]:
        data = self.take((count + 7) // 8)
        return [bool(data[i // 8] & (0x80 >> i % 8)) for i in range(count)]

    def some(self, count: int) -> list[bool]:
        return [True] * count if self.byte() else self.bits(count)

    def crcs(self, count: int) -> list[int | None]:
        return [struct.unpack("<I", self.take(4))[0] if known else None for known in self.some(count)]


class SevenZip:
    """An opened archive: its ``members``, and their content in that order."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        try:
            self._folders, self.members = self._open()
        except (IndexError, struct.error, ValueError, lzma.LZMAError, EOFError, OverflowError) as error:
            raise SevenZipError(f"its header is damaged ({error!r})") from error

    def contents(self) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Each member with its content in pieces, to be read before the next is asked for."""
        filled = iter([member for member in self.members if member.size])
        for member in self.members:
            if not member.size:
                yield member, iter(())
        for folder in self._folders:
            stream = Stream(self._source, folder.offset, folder.packed, folder.methods)
            for size, crc in zip(folder.sizes, folder.crcs, strict=True):
                if size:
                    yield next(filled), stream.part(size, crc)

    def _open(self) -> tuple[list[_Folder], tuple[Member, ...]]:
        header = self._plain()
        return _header(_Cursor(header)) if header else ([], ())

    def _plain(self) -> bytes:
        """The header, unpacked when it is packed; empty when there is nothing in the archive."""
        start = self._source.read(32)
        if start[:6] != MAGIC:
            raise SevenZipError("it is not a 7z archive")
        offset, size, crc = struct.unpack("<QQI", start[12:32])
        if zlib.crc32(start[12:32]) != struct.unpack("<I", start[8:12])[0] or offset > _FARTHEST or size > _MOST_HEADER:
            raise SevenZipError("its first bytes are damaged")
        self._source.seek(32 + offset)
        header = self._source.read(size)
        if len(header) != size or zlib.crc32(header) != crc:
            raise SevenZipError("its end is missing or damaged")
        for _ in range(_MOST_LAYERS):
            if header[:1] != bytes([_ENCODED]):
                break
            cursor = _Cursor(header)
            cursor.byte()
            folder = _streams(cursor)[0]
            if folder.sizes[0] > _MOST_HEADER:
                raise SevenZipError("its header is too long")
            stream = Stream(self._source, folder.offset, folder.packed, folder.methods)
            header = b"".join(stream.part(folder.sizes[0], folder.crcs[0]))
        return header


def _header(cursor: _Cursor) -> tuple[list[_Folder], tuple[Member, ...]]:
    folders: list[_Folder] = []
    members: tuple[Member, ...] = ()
    if (kind := cursor.byte()) != _HEADER:
        raise SevenZipError(f"its header is of kind {kind}")
    while (kind := cursor.byte()) != _END:
        if kind == _MAIN:
            folders = _streams(cursor)
        elif kind == _FILES:
            members = _files(cursor, [size for folder in folders for size in folder.sizes])
        else:
            raise SevenZipError(f"its header has a part {kind}")
    if sum(1 for member in members if member.size) != sum(1 for folder in folders for size in folder.sizes if size):
        raise SevenZipError("its list of files does not fit its content")
    return folders, members


def _streams(cursor: _Cursor) -> list[_Folder]:
    start, packed = 0, list[int]()
    raw: list[tuple[tuple[Method, ...], int, int | None]] = []
    parts: tuple[list[list[int]], list[list[int | None]]] | None = None
    while (kind := cursor.byte()) != _END:
        if kind == _PACK:
            start, packed = _pack(cursor)
        elif kind == _UNPACK:
            raw = _unpack(cursor)
        elif kind == _SUB:
            parts = _parts(cursor, raw)
        else:
            raise SevenZipError(f"its streams have a part {kind}")
    if len(packed) != len(raw):
        raise SevenZipError("a stream is made of several (BCJ2)")
    offsets = [32 + start, *(32 + start + end for end in itertools.accumulate(packed))]
    if offsets[-1] > _FARTHEST:
        raise SevenZipError("it ends early")
    sizes, crcs = parts or ([[size] for _, size, _ in raw], [[crc] for _, _, crc in raw])
    return [
        _Folder(
            methods=methods,
            offset=offsets[i],
            packed=packed[i],
            sizes=tuple(sizes[i]),
            crcs=tuple(crcs[i]),
        )
        for i, (methods, _, _) in enumerate(raw)
    ]


def _pack(cursor: _Cursor) -> tuple[int, list[int]]:
    start, count, sizes = cursor.number(), cursor.count(), list[int]()
    while (kind := cursor.byte()) != _END:
        if kind == _SIZE:
            sizes = [cursor.number() for _ in range(count)]
        else:
            cursor.crcs(count)
    return start, sizes


def _unpack(cursor: _Cursor) -> list[tuple[tuple[Method, ...], int, int | None]]:
    if cursor.byte() != _FOLDER:
        raise SevenZipError("its streams are not described")
    count = cursor.count()
    if cursor.byte():
        raise SevenZipError("its description lies outside")
    chains = [_chain(cursor) for _ in range(count)]
    sizes, crcs = [0] * count, list[int | None]([None] * count)
    while (kind := cursor.byte()) != _END:
        if kind == _SIZES:
            every = [[cursor.number() for _ in methods] for methods, _ in chains]
            sizes = [own[last] for own, (_, last) in zip(every, chains, strict=True)]
        else:
            crcs = cursor.crcs(count)
    return [(methods, size, crc) for (methods, _), size, crc in zip(chains, sizes, crcs, strict=True)]


def _chain(cursor: _Cursor) -> tuple[tuple[Method, ...], int]:
    """The methods in the order of decoding, and the number of the one whose output is the content."""
    methods = []
    for _ in range(cursor.count()):
        flags = cursor.byte()
        method = cursor.take(flags & 15)
        if method in _OTHERS or flags & 0x10:
            raise SevenZipError(f"it uses {_OTHERS.get(method, 'a method of several streams')}")
        methods.append((method, cursor.take(cursor.count()) if flags & 0x20 else b""))
    pairs = {cursor.count(): cursor.count() for _ in range(len(methods) - 1)}  # whose input is whose output
    order = [next(i for i in range(len(methods)) if i not in pairs.values())] if methods else []
    while order and order[-1] in pairs and len(order) < len(methods):
        order.append(pairs[order[-1]])
    if len(order) != len(methods) or not order:
        raise SevenZipError("its methods do not form a chain")
    return tuple(methods[i] for i in reversed(order)), order[0]


def _parts(
    cursor: _Cursor, raw: Sequence[tuple[object, int, int | None]]
) -> tuple[list[list[int]], list[list[int | None]]]:
    """Sizes and checksums of the files in each stream."""
    counts = [1] * len(raw)
    kind = cursor.byte()
    if kind == _COUNTS:
        counts = [cursor.count() for _ in raw]
        kind = cursor.byte()
    sizes = []
    for (_, whole, _), count in zip(raw, counts, strict=True):
        own = [cursor.number() for _ in range(count - 1)] if kind == _SIZE else []
        sizes.append([*own, whole - sum(own)][:count])
        if count and (len(sizes[-1]) != count or sizes[-1][-1] < 0):
            raise SevenZipError("the sizes of its files do not fit")
    kind = cursor.byte() if kind == _SIZE else kind
    known: list[list[int | None] | None]
    known = [[crc] if count == 1 and crc is not None else None for (_, _, crc), count in zip(raw, counts, strict=True)]
    if kind == _CRC:
        asked = sum(count for count, crc in zip(counts, known, strict=True) if crc is None)
        given = iter(cursor.crcs(asked))
        crcs = [crc or [next(given) for _ in range(n)] for n, crc in zip(counts, known, strict=True)]
        kind = cursor.byte()
    else:
        crcs = [list[int | None](crc or [None] * n) for n, crc in zip(counts, known, strict=True)]
    if kind != _END:
        raise SevenZipError(f"the list of its streams has a part {kind}")
    return sizes, crcs


def _files(cursor: _Cursor, sizes: Sequence[int]) -> tuple[Member, ...]:
    count = cursor.count()
    empty, hollow, names, attributes = [False] * count, list[bool](), [""] * count, [0] * count
    while (kind := cursor.number()) != _END:
        part = _Cursor(cursor.take(cursor.number()))
        if kind == _EMPTY:
            empty = part.bits(count)
        elif kind == _EMPTY_FILE:
            hollow = part.bits(sum(empty))
        elif kind in {_NAMES, _ATTRIBUTES}:
            known = part.some(count) if kind == _ATTRIBUTES else []
            if part.byte():
                raise SevenZipError("its list of files lies outside")
            if kind == _NAMES:
                names = part.rest().decode("utf-16-le").split("\0")[:count]
            else:
                attributes = [struct.unpack("<I", part.take(4))[0] if one else 0 for one in known]
    if len(names) != count or len(sizes) != count - sum(empty):
        raise SevenZipError("its list of files does not fit its content")
    given, files = iter(sizes), iter(hollow)
    rows = zip(names, empty, attributes, strict=True)
    return tuple(
        Member(
            name=name,
            size=0 if bare else next(given),
            folder=bare and not next(files, False),
            attributes=marks,
        )
        for name, bare, marks in rows
    )
