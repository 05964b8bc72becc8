"""Reads one program's output until its end, turns it into events, and measures the program's memory."""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, Protocol

from loragui.errors import Problem
from loragui.jobs import process
from loragui.jobs.events import Event, Reader, StepEnded, Trouble, Usage
from loragui.jobs.lines import LineSplitter
from loragui.jobs.plan import Step

LOOK_EVERY = 0.2
"""Seconds between two looks at the cancel file and the folder."""
USAGE_EVERY = 5.0
"""Seconds between two measurements of the step's memory."""
DRAIN = 2.0
"""Seconds for which output is awaited after the program itself has ended."""


class Attempt(Protocol):
    """What the follower asks of the runner. Each may raise, which ends the program."""

    def write(self, *found: Event) -> None:
        """Append events."""
        ...

    def raw(self, data: bytes) -> None:
        """Append raw output."""
        ...

    def look_around(self) -> None:
        """Raise when the work has to end."""
        ...


class Follower:
    """Reads one program's output until its end and turns it into events."""

    def __init__(self, child: subprocess.Popen[bytes], reader: Reader, attempt: Attempt) -> None:
        self._child = child
        self._reader = reader
        self._attempt = attempt
        self._chunks: queue.Queue[tuple[str, bytes]] = queue.Queue(maxsize=256)
        self._splitters = {"stdout": LineSplitter(), "stderr": LineSplitter()}
        self._peak = 0
        self._told = 0
        self._measured = 0.0
        self._pumps: list[threading.Thread] = []
        self._closing = False
        self.last_line = ""

    def ended(self, step: Step, *, ok: bool, seconds: float) -> StepEnded:
        """The step's last event."""
        return StepEnded(id=step.id, ok=ok, seconds=round(seconds, 3), peak_rss=self._peak)

    def follow(self) -> Problem | None:
        """Until the program ends and its output is drained. The first fatal problem ends the program."""
        for name, pipe in (("stdout", self._child.stdout), ("stderr", self._child.stderr)):
            self._pumps.append(threading.Thread(target=self._pump, args=(name, pipe), daemon=True))
            self._pumps[-1].start()
        open_pipes, looked, heard = 2, 0.0, time.monotonic()
        while open_pipes:
            try:
                stream, data = self._chunks.get(timeout=LOOK_EVERY)
            except queue.Empty:
                if self._child.poll() is not None and time.monotonic() - heard > DRAIN:
                    break  # something it started still holds the pipe
            else:
                heard = time.monotonic()
                open_pipes -= not data
                if problem := self._take(stream, data):
                    return problem
            if time.monotonic() - looked >= LOOK_EVERY:
                looked = time.monotonic()
                self._attempt.look_around()
                self._measure()
        return self._fatal(self._reader.end(self._child.wait()))

    def close(self) -> None:
        """End what is left of the program and let go of its pipes."""
        self._closing = True
        if self._child.poll() is None:
            process.end(process.descendants(self._child.pid))
        for pump, pipe in zip(self._pumps, (self._child.stdout, self._child.stderr), strict=False):
            pump.join(timeout=DRAIN)
            if pipe is not None and not pump.is_alive():
                pipe.close()
        self._child.wait()

    def _pump(self, name: str, pipe: IO[bytes]) -> None:
        with suppress(OSError, ValueError):
            while data := pipe.read(65536):
                self._put(name, data)
        self._put(name, b"")

    def _put(self, name: str, data: bytes) -> None:
        while not self._closing:
            with suppress(queue.Full):
                self._chunks.put((name, data), timeout=LOOK_EVERY)
                break

    def _take(self, stream: str, data: bytes) -> Problem | None:
        splitter = self._splitters[stream]
        self._attempt.raw(data)
        found: list[Event] = []
        for line in splitter.feed(data) if data else splitter.flush():
            self.last_line = line.strip() or self.last_line
            found.extend(self._reader.line(line, stream))
        return self._fatal(found)

    def _fatal(self, found: Iterable[Event]) -> Problem | None:
        events = list(found)
        self._attempt.write(*events)
        return next((e.problem for e in events if isinstance(e, Trouble) and e.fatal), None)

    def _measure(self) -> None:
        if time.monotonic() - self._measured < (USAGE_EVERY if self._peak else 0.5):
            return
        self._measured = time.monotonic()
        rss = process.memory(self._child.pid)
        self._peak = max(self._peak, rss)
        if abs(rss - self._told) > 0.01 * max(self._told, 1 << 20):
            self._told = rss
            self._attempt.write(Usage(rss=rss, peak=self._peak))
