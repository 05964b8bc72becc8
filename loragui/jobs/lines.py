"""A program's output, as bytes in any chunks, split into lines.

Progress bars end their lines with a carriage return, Windows programs with both, and a chunk may end inside a
character or between ``\\r`` and ``\\n``.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

LONGEST = 65536
"""Characters after which a line is given out although it has not ended."""

_END = re.compile(r"\r\n|\n|\r(?!\Z)")


class LineSplitter:
    """Collects chunks of bytes and gives out complete lines without their ends.

    Bytes that are not UTF-8 are shown as ``\\xe9``.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now. A ``\\r`` at the very end waits for a possible ``\\n``."""
        *lines, self._rest = _END.split(self._rest + self._decoder.decode(data))
        found = [piece for line in lines for piece in _pieces(line)]
        while len(self._rest.removesuffix("\r")) > LONGEST:
            found.append(self._rest[:LONGEST])
            self._rest = self._rest[LONGEST:]
        return found

    def flush(self) -> list[str]:
        """What is left when the output has ended."""
        rest, self._rest = self._rest + self._decoder.decode(b"", final=True), ""
        return list(_pieces(rest.removesuffix("\r"))) if rest else []


def _pieces(line: str) -> Iterator[str]:
    """The line, cut where it is too long."""
    yield line[:LONGEST]
    for start in range(LONGEST, len(line), LONGEST):
        yield line[start : start + LONGEST]
