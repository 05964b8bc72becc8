"""Keeps a PC from going to sleep while work is going on. Windows only; elsewhere the system's own settings rule."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

# SetThreadExecutionState, learn.microsoft.com (winbase): the flags hold until this thread ends or clears them.
_CONTINUOUS = 0x80000000
_SYSTEM_REQUIRED = 0x00000001


@contextmanager
def kept_awake() -> Iterator[None]:
    """While inside, Windows does not sleep by itself (the screen may go dark)."""
    _tell_windows(_CONTINUOUS | _SYSTEM_REQUIRED)
    try:
        yield
    finally:
        _tell_windows(_CONTINUOUS)


def _tell_windows(flags: int) -> None:
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetThreadExecutionState(flags)
