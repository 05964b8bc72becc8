"""The runner's writing hand: events and raw output appended to the run folder, with a way out when the disk is full.

A small reserve file is kept while a run goes on. When the disk is full it is given back, so that the last events
(what happened, what to do) still find room.
"""

from __future__ import annotations

import time
from typing import BinaryIO

from loragui.jobs import events
from loragui.jobs.events import Event, Progress
from loragui.jobs.folder import RunFolder

RESERVE_BYTES = 64 * 1024
PROGRESS_EVERY = 0.25
"""Seconds between two Progress events that are written; what comes faster is skipped, the last one is kept."""


class Journal:
    """Open files of one attempt. Every method may raise OSError: the disk is full, or the folder is gone."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        folder.reserve_file.write_bytes(b"\0" * RESERVE_BYTES)
        self._events = folder.events_file.open("ab", buffering=0)
        self._output: BinaryIO = folder.output_file.open("ab", buffering=0)
        self._waiting: Progress | None = None
        self._wrote_progress = 0.0
        self._end_torn_line()

    def _end_torn_line(self) -> None:
        with self._folder.events_file.open("rb") as existing:
            end = existing.seek(0, 2)
            existing.seek(max(end - 1, 0))
            if end and existing.read() != b"\n":
                self._events.write(b"\n")

    def write(self, *found: Event) -> None:
        """Append events. Progress that comes too fast is held back until the next other event."""
        now = time.time()
        lines = []
        for event in found:
            if isinstance(event, Progress) and now - self._wrote_progress < PROGRESS_EVERY:
                self._waiting = event
                continue
            if isinstance(event, Progress):
                self._wrote_progress = now
            elif self._waiting is not None:
                lines.append(events.to_line(self._waiting, now))
            self._waiting = None
            lines.append(events.to_line(event, now))
        if lines:
            self._append("".join(f"{line}\n" for line in lines).encode())

    def _append(self, data: bytes) -> None:
        while data:  # an unbuffered file may take less than all of it when the disk fills up
            data = data[self._events.write(data) or 0 :]

    def raw(self, data: bytes) -> None:
        """Append the tool's output as it came."""
        self._output.write(data)

    def last_words(self, *found: Event) -> bool:
        """Write the final events even on a full disk; False when that was not possible (the folder is gone)."""
        for attempt in range(2):
            try:
                if attempt:
                    self._end_torn_line()
                self.write(*found)
            except OSError:
                self._release_reserve()
            else:
                return self._folder.plan_file.exists()
        return False

    def _release_reserve(self) -> None:
        try:
            self._folder.reserve_file.unlink(missing_ok=True)
        except OSError:
            return

    def close(self) -> None:
        """Close the files and give the reserve back."""
        self._release_reserve()
        self._events.close()
        self._output.close()
