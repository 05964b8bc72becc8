from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QTimer
from pytestqt.qtbot import QtBot

from loragui.gui import collector
from loragui.gui.collector import Collector


class Ring(QObject):
    """An object in a circle of references, with a timer as Qt ties it to its thread."""

    def __init__(self) -> None:
        super().__init__()
        self.me = self
        self.timer = QTimer()
        self.timer.start(1000)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    monkeypatch.setattr(collector, "LOOK_MS", 10)
    made = Collector()
    yield made
    made.release()


def test_garbage_of_any_thread_dies_in_the_windows_thread(quick: Collector, qtbot: QtBot) -> None:
    died: list[bool] = []
    main = threading.main_thread()
    for _ in range(50):
        weakref.finalize(Ring(), lambda: died.append(threading.current_thread() is main))

    def allocate() -> None:
        for _ in range(50_000):
            ring: list[object] = []
            ring.append(ring)

    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(died) == 50, timeout=20_000)
    assert all(died)


def test_python_collects_again_after_it(qapp: object) -> None:
    made = Collector()
    assert not gc.isenabled()
    made.release()
    assert gc.isenabled()
    gc.disable()  # as the fixture of all these tests wants it
