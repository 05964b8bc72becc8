"""Watches the event loop: the longest time in which the window could not react, as far as that was the program's doing.

A machine whose processors are all busy also delays a window that does nothing. Linux counts for each thread how long it
was ready and had to wait for a processor (``schedstat``, proc(5)); that part is taken off, so what is left is ours.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer

BEAT_MS = 5


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A time without events: ``seconds`` of the clock, of which ``waited`` for a processor; ``at`` since the start."""

    seconds: float
    waited: float
    at: float

    @property
    def ours(self) -> float:
        """Seconds in which the program itself kept the loop busy."""
        return max(0.0, self.seconds - self.waited)


class Pulse(QObject):
    """Beats every few milliseconds from ``start`` on."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.gaps: list[Gap] = []
        self._schedstat = _opened(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._began = self._last = self._waited = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Begin to watch."""
        self.gaps.clear()
        self._began = self._last = time.monotonic()
        self._waited = self._waiting()
        self._timer.start()

    def stop(self) -> Gap:
        """End, and tell the longest gap of our own."""
        self._beat()
        self._timer.stop()
        if self._schedstat is not None:
            os.close(self._schedstat)
            self._schedstat = None
        return max(self.gaps, key=lambda gap: gap.ours)

    def _beat(self) -> None:
        now, waited = time.monotonic(), self._waiting()
        self.gaps.append(Gap(seconds=now - self._last, waited=waited - self._waited, at=now - self._began))
        self._last, self._waited = now, waited

    def _waiting(self) -> float:
        return 0.0 if self._schedstat is None else int(os.pread(self._schedstat, 100, 0).split()[1]) / 1e9


def _opened(path: str) -> int | None:
    """The file, kept open: a beat must not cost more than it measures. None where there is no such file."""
    try:
        return os.open(path, os.O_RDONLY)
    except OSError:
        return None
