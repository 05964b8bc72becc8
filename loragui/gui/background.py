"""Short work away from the window's thread, and one bridge that brings results back to it.

Long work belongs to a run folder and its runner (``jobs``); this is for reading files, probing the PC and saving.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from loragui.errors import AppError, Problem
from loragui.jobs.pyjob import os_problem

Result = TypeVar("Result")


PAINT_FIRST_MS = 30
"""Time for a page that has just been shown to be painted before anything is read for it."""


class Background(QObject):
    """Runs functions in another thread, in the order in which they were given.

    Not in many: two threads that read files hand Python's lock to each other for tenths of a second, and the window
    waits (measured: gaps of 0.35 s with two, none over 0.02 s with one).
    """

    _arrived = Signal(object)
    trouble = Signal(object)
    """A ``Problem`` that nobody asked to be told of."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="background")
        self._open = True
        self._pending = 0
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        owner: QObject,
        work: Callable[[], Result],
        done: Callable[[Result], None] | None = None,
        failed: Callable[[Problem], None] | None = None,
        *,
        after_ms: int = 0,
    ) -> None:
        """Do ``work`` in a thread, then ``done`` with its result, or ``failed``, in the window's thread.

        Nothing is delivered once ``owner`` is gone. Without ``failed`` a problem goes to ``trouble``. ``after_ms``
        milliseconds pass first.
        """
        if not self._open or not shiboken6.isValid(owner):
            return
        self._pending += 1

        def submit() -> None:
            if self._open:
                future = self._pool.submit(work)
                future.add_done_callback(lambda ready: self._announce(owner, ready, done, failed))

        if after_ms:
            QTimer.singleShot(after_ms, self, submit)
        else:
            submit()

    @property
    def busy(self) -> bool:
        """Whether any result is still to come."""
        return self._open and self._pending > 0

    def catch_up(self) -> None:
        """Wait until everything given so far is done. Only for what is short and must not be overtaken: saving."""
        if self._open:
            self._pool.submit(int).result()

    def close(self, *, wait: bool = True) -> None:
        """Take no more work; what was begun is finished, its results are dropped."""
        self._open = False
        self._pool.shutdown(wait=wait, cancel_futures=not wait)

    def _announce(self, *what: Any) -> None:
        if self._open and threading.main_thread().is_alive():
            self._arrived.emit(what)

    def _deliver(self, what: tuple[QObject, Future[Any], Callable[[Any], None] | None, Any]) -> None:
        owner, future, done, failed = what
        self._pending -= 1
        if not self._open or not shiboken6.isValid(owner) or future.cancelled():
            return
        error = future.exception()
        if error is None:
            if done is not None:
                done(future.result())
            return
        problem = _problem(error)
        if problem is None:
            raise error
        (failed or self.trouble.emit)(problem)


class Latest(QObject):
    """Asks one question at a time. What is asked meanwhile waits, and only the last of it is asked then."""

    def __init__(self, background: Background, parent: QObject) -> None:
        super().__init__(parent)
        self._background = background
        self._busy = False
        self._next: Callable[[], None] | None = None

    def ask(
        self,
        work: Callable[[], Result],
        done: Callable[[Result], None],
        failed: Callable[[Problem], None] | None = None,
    ) -> None:
        """Do ``work`` in a thread and hand its result to ``done``, unless something newer was asked by then."""

        def answered(result: Result) -> None:
            if not self._go_on():
                done(result)

        def refused(problem: Problem) -> None:
            if not self._go_on():
                (failed or self._background.trouble.emit)(problem)

        def begin() -> None:
            self._busy = True
            self._background.run(self, work, answered, refused, after_ms=PAINT_FIRST_MS)

        if self._busy:
            self._next = begin
        else:
            begin()

    def _go_on(self) -> bool:
        """Ask what is waiting; whether anything was."""
        begin, self._next, self._busy = self._next, None, False
        if begin is not None:
            begin()
        return begin is not None


def _problem(error: BaseException) -> Problem | None:
    """What an expected failure is in words; None for a mistake of ours."""
    if isinstance(error, AppError):
        return error.problem
    return os_problem(error) if isinstance(error, OSError) else None
