"""7z archives of any names and marks, honest or not: stored, with right checksums."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

ELSEWHERE = (
    "../evil", "kit/../../evil", "/etc/passwd", "kit//evil", "C:/evil", "C:evil", r"..\evil", r"kit\..\..\evil",
    r"\\server\share\evil", "kit/evil:stream", "kit/nul", "kit/COM1.txt", "kit/aux.h", "kit/evil.", "kit/evil ",
    "kit/ev\nil", "kit/what?", "kit/./evil", ".", "..", "kit/" + "x" * 300, "~/../evil",
)  # fmt: skip
"""Names that may be in no archive."""
MAGIC = b"7z\xbc\xaf\x27\x1c"


def number(value: int) -> bytes:
    """As 7z writes numbers."""
    return bytes([value]) if value < 0x80 else b"\xff" + struct.pack("<Q", value)


def seven_zip(files: Mapping[str, bytes], marks: int = 0x20) -> bytes:
    """An archive of those files, none of them empty; ``marks`` are the attributes of all."""
    body = b"".join(files.values())
    sizes = [len(data) for data in files.values()]
    names = b"\0" + b"".join(f"{name}\0".encode("utf-16-le", "surrogatepass") for name in files)
    crcs = b"".join(struct.pack("<I", zlib.crc32(data)) for data in files.values())
    attributes = b"\1\0" + struct.pack("<I", marks) * len(files)
    streams = (
        b"\x06" + number(0) + number(1) + b"\x09" + number(len(body)) + b"\0"
        b"\x07\x0b\x01\x00\x01\x01\x00\x0c" + number(len(body)) + b"\0"
        b"\x08\x0d" + number(len(files)) + b"\x09" + b"".join(map(number, sizes[:-1])) + b"\x0a\x01" + crcs + b"\0"
    )
    listed = number(len(files)) + b"\x11" + number(len(names)) + names + b"\x15" + number(len(attributes)) + attributes
    header = b"\x01\x04" + streams + b"\0\x05" + listed + b"\0\0"
    start = struct.pack("<QQI", len(body), len(header), zlib.crc32(header))
    return MAGIC + b"\0\4" + struct.pack("<I", zlib.crc32(start)) + start + body + header


def portable_executable() -> bytes:
    """The least that is a program of Windows: its headers, and one empty section before what was appended."""
    section = b".text\0\0\0" + struct.pack("<IIIIIIHHI", 512, 4096, 512, 512, 0, 0, 0, 0, 0x60000020)
    coff = struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x22)
    head = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + coff + b"\x0b\x02" + bytes(238) + section
    return head.ljust(1024, b"\0")
