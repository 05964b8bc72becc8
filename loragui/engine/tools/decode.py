"""The compressed streams of a 7z archive as plain bytes, with Python's own LZMA."""

from __future__ import annotations

import itertools
import lzma
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

Method = tuple[bytes, bytes]
"""A method's id and its properties."""

_COPY, _LZMA, _LZMA2 = b"\x00", b"\x03\x01\x01", b"\x21"
_X86 = b"\x03\x03\x01\x03", b"\x04"
_MOST_DICTIONARY = 256 << 20
_PIECE = 1 << 16
_PLAIN = {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}


class SevenZipError(Exception):
    """The archive is damaged, or of a kind that is not read here."""


class Stream:
    """One compressed stream, read from its start; ``part`` gives the next file of it."""

    def __init__(self, source: BinaryIO, offset: int, packed: int, methods: Sequence[Method]) -> None:
        pieces = _pieces(source, offset, packed)
        for method in methods:
            pieces = _decoded(pieces, *method)
        self._pieces, self._rest = pieces, b""

    def part(self, size: int, crc: int | None) -> Iterator[bytes]:
        """The next ``size`` bytes. SevenZipError when they are not there or their checksum differs."""
        found, left = 0, size
        while left:
            piece = self._rest or next(self._pieces, b"")
            if not piece:
                raise SevenZipError("a part of its content is missing")
            piece, self._rest = piece[:left], piece[left:]
            found, left = zlib.crc32(piece, found), left - len(piece)
            yield piece
        if crc is not None and found != crc:
            raise SevenZipError("the checksum of a file in it differs")


def _pieces(source: BinaryIO, offset: int, left: int) -> Iterator[bytes]:
    while left:
        source.seek(offset)
        piece = source.read(min(left, _PIECE))
        if not piece:
            return
        offset, left = offset + len(piece), left - len(piece)
        yield piece


def _decoded(pieces: Iterator[bytes], method: bytes, properties: bytes) -> Iterator[bytes]:
    if method == _COPY:
        return pieces
    if method == _LZMA:
        return _run(pieces, [_lzma(properties)])
    if method == _LZMA2:
        return _run(pieces, [_lzma2(properties)])
    if method in _X86:
        # The filter holds the last bytes back until its stream ends, which LZMA does not say: so wrapped as LZMA2.
        return _run(_wrapped(pieces), [{"id": lzma.FILTER_X86}, _PLAIN])
    raise SevenZipError(f"it uses the method {method.hex()}")


def _lzma(properties: bytes) -> dict[str, Any]:
    if len(properties) != 5 or properties[0] >= 225:
        raise SevenZipError("a method of it is damaged")
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    dictionary = _dictionary(struct.unpack("<I", properties[1:])[0])
    return {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}


def _lzma2(properties: bytes) -> dict[str, Any]:
    if len(properties) != 1 or properties[0] > 40:
        raise SevenZipError("a method of it is damaged")
    bits = properties[0]
    return {"id": lzma.FILTER_LZMA2, "dict_size": _dictionary((2 | bits & 1) << (bits // 2 + 11))}


def _dictionary(size: int) -> int:
    if size > _MOST_DICTIONARY:
        raise SevenZipError(f"it needs {size} bytes of memory")
    return max(size, 4096)


def _run(pieces: Iterable[bytes], filters: list[dict[str, Any]]) -> Iterator[bytes]:
    try:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        for piece in pieces:
            if decoder.eof:
                return
            out = decoder.decompress(piece, _PIECE)
            while out:
                yield out
                out = b"" if decoder.eof else decoder.decompress(b"", _PIECE)
    except (lzma.LZMAError, EOFError, ValueError) as error:
        raise SevenZipError(f"its content is damaged ({error})") from error


def _wrapped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes as an LZMA2 stream of stored chunks."""
    for number, piece in enumerate(itertools.chain.from_iterable(map(_short, pieces))):
        yield (b"\x02" if number else b"\x01") + struct.pack(">H", len(piece) - 1) + piece
    yield b"\x00"


def _short(piece: bytes) -> Iterator[bytes]:
    return (piece[at : at + _PIECE] for at in range(0, len(piece), _PIECE))
