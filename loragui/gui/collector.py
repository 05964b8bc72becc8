"""Python's cyclic garbage collection, only ever in the window's thread.

Python collects in whatever thread happens to allocate. A background thread would then destroy Qt objects that belong to
the window's thread, which crashes now and then (seen here: “Timers cannot be stopped from another thread”, then a
segmentation fault), and a long collection there would hold the window up.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

LOOK_MS = 1000
PATIENCE = 20
"""Collections of the young and middle generation before the oldest is looked at, too."""


class Collector(QObject):
    """Takes over from Python's automatic collection until ``release``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rounds = 0
        gc.collect()
        gc.freeze()  # modules and types live as long as the program; no collection needs to walk through them
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect what has become due."""
        young, middle, _ = gc.get_count()
        if young < gc.get_threshold()[0] and middle == 0:
            return
        self._rounds += 1
        gc.collect(2 if self._rounds % PATIENCE == 0 else 1)

    def release(self) -> None:
        """Give the work back to Python."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()
