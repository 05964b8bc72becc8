"""The growing events of a training as lines, a piece at a time, for whoever draws the curve while it grows."""

from __future__ import annotations

from loragui.jobs.folder import RunFolder
from loragui.training.series import LossSeries

PIECE = 1 << 18
"""Bytes read at once: some 2,000 iterations, which a curve takes in a few milliseconds."""


class Feed:
    """Remembers how far it has read. Used by one thread at a time."""

    def __init__(self, folder: RunFolder) -> None:
        self._file = folder.events_file
        self._at = 0

    def lines(self) -> list[str]:
        """The next complete lines; none when there are no new ones. A file that was cut short is read anew."""
        try:
            with self._file.open("rb") as source:
                if self._at > source.seek(0, 2):
                    self._at = 0
                source.seek(self._at)
                data = source.read(PIECE)
                while b"\n" not in data and (more := source.read(PIECE)):
                    data += more
        except FileNotFoundError:
            return []
        complete = data[: data.rfind(b"\n") + 1]
        self._at += len(complete)
        return complete.decode("utf-8", "replace").splitlines()

    def series(self) -> LossSeries:
        """The curve up to now."""
        found = LossSeries()
        while lines := self.lines():
            found.add_lines(lines)
        return found
