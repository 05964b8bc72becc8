from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QTimer


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal there (PEP 683)")
def test_void_calls_keep_the_references_of_none(qapp: object) -> None:
    """PySide6 6.12.0 takes one away with each void call on Python 3.11, until the interpreter aborts."""
    timer = QTimer()
    before = sys.getrefcount(None)
    for _ in range(2000):
        timer.setInterval(10)
    assert sys.getrefcount(None) > before - 200
