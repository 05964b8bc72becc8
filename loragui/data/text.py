"""Bytes to clean text. Whatever a file holds, what comes out can be written as UTF-8 and trained on.

The ladder is: byte order mark, strict UTF-8, UTF-16 by its pattern of zero bytes, UTF-8 with a few damaged
bytes, cp1252 (the usual code page of old Western Windows files).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_LINE_ENDS = re.compile(r"\r\n?")
_DROPPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufeff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Text of a file, the encoding it was read with, and how many places could not be read (now U+FFFD)."""

    text: str
    encoding: str
    damaged: int = 0


def decode(data: bytes) -> Decoded:
    """Text of ``data``. Never fails; what cannot be read becomes U+FFFD and is counted."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode_as(data[len(mark) :], encoding)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and "\x00" not in text[:4096]:
        return Decoded(text=text, encoding="utf-8")
    wide = _utf16_by_zeros(data[:4096])
    if wide:
        return _decode_as(data, wide)
    if text or not data:
        return Decoded(text=text, encoding="utf-8")
    return _damaged_or_cp1252(data)


def _decode_as(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return Decoded(text=text, encoding=encoding, damaged=max(1, text.count("\ufffd")))
    return Decoded(text=text, encoding=encoding)


def _utf16_by_zeros(head: bytes) -> str:
    """The UTF-16 byte order that ``head`` looks like, or nothing: Latin text has a zero in every pair."""
    pairs = len(head) // 2
    if pairs < 2:
        return ""
    first, second = head[0 : pairs * 2 : 2].count(0), head[1 : pairs * 2 : 2].count(0)
    if second > 0.3 * pairs and first < 0.05 * pairs:
        return "utf-16-le"
    return "utf-16-be" if first > 0.3 * pairs and second < 0.05 * pairs else ""


def _damaged_or_cp1252(data: bytes) -> Decoded:
    """UTF-8 with a few bad bytes if most of its non-ASCII characters are good, else cp1252."""
    text = data.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    good = sum(1 for char in data.decode("utf-8", "ignore") if char > "\x7f")
    if good >= damaged:
        return Decoded(text=text, encoding="utf-8", damaged=damaged)
    text = data.decode("cp1252", "replace")
    return Decoded(text=text, encoding="cp1252", damaged=text.count("\ufffd"))


def clean(text: str) -> str:
    """``text`` with line ends as ``\\n``, without control characters (tab stays) and half characters."""
    text = _LINE_ENDS.sub("\n", text)
    return _SURROGATES.sub("\ufffd", _DROPPED.sub("", text))


def one_line(text: str) -> str:
    """``text`` cleaned and put on one line: for names and titles."""
    return _SPACES.sub(" ", clean(text)).strip()
