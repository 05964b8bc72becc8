from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace

import pytest

from loragui.jobs import process


def test_programs_stop_in_no_window_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for before stays: SetErrorMode sets all of it anew."""
    asked: list[int] = []
    kernel = SimpleNamespace(GetErrorMode=lambda: 0x8000, SetErrorMode=asked.append)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    process.no_error_boxes()
    assert asked == []
    monkeypatch.setattr(sys, "platform", "win32")
    process.no_error_boxes()
    assert asked == [0x8003]


def test_folders_are_put_before_the_path_that_is_there_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"PATH": f"/kit:{process.OWN_PATH}", "OTHER": process.OWN_PATH}
    for path in ("/bin", "/usr/bin:/bin"):
        monkeypatch.setenv("PATH", path)
        found = process.overlaid(changes)
        assert (found["PATH"], found["OTHER"]) == (f"/kit:{path}", process.OWN_PATH)
    monkeypatch.delenv("PATH")
    assert "PATH" not in process.overlaid({})
