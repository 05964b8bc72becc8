"""Progress in the taskbar. Windows' part is tested with an interface of our own making, called as Windows' would be."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from loragui.gui import taskbar

HANDLE = 0x1_2345_6789
"""Wider than 32 bits, as handles may be."""


class Shell:
    """What Windows has: ``ole32``, and an ITaskbarList3 that notes how it is called."""

    def __init__(self, *, works: bool) -> None:
        self.calls: list[tuple[str, tuple[int, ...]]] = []
        self.made = 0
        pointer, number, wide = ctypes.c_void_p, ctypes.c_int, ctypes.c_ulonglong
        methods = {3: ("begin", ()), 9: ("value", (pointer, wide, wide)), 10: ("state", (pointer, number))}
        self._functions = [
            ctypes.CFUNCTYPE(ctypes.c_long, pointer, *kinds)(self._noting(name))
            for name, kinds in (methods.get(place, ("other", ())) for place in range(11))
        ]
        self._table = (pointer * 11)(*(ctypes.cast(function, pointer) for function in self._functions))
        self._object = ctypes.c_void_p(ctypes.addressof(self._table))
        self.ole32 = SimpleNamespace(
            CoInitialize=lambda _reserved: 0,
            CLSIDFromString=lambda _text, _out: 0,
            CoCreateInstance=self._create if works else lambda *_words: -2147221164,
        )

    def _noting(self, name: str) -> Any:
        def called(me: int, *values: int) -> int:
            assert me == ctypes.addressof(self._object)
            self.calls.append((name, values))
            return 0

        return called

    def _create(self, _cls: Any, _outer: Any, _context: int, _interface: Any, out: Any) -> int:
        self.made += 1
        out._obj.value = ctypes.addressof(self._object)
        return 0


@pytest.fixture(params=[True], ids=["works"])
def shell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Shell:
    made = Shell(works=request.param)
    monkeypatch.setattr(ctypes, "windll", made, raising=False)
    monkeypatch.setattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE, raising=False)
    monkeypatch.setattr(taskbar, "_found", [])
    return made


def test_windows_is_told_how_far_it_is(shell: Shell) -> None:
    taskbar._windows(HANDLE, 0.25)
    taskbar._windows(HANDLE, None)
    assert shell.calls == [
        ("begin", ()), ("state", (HANDLE, 2)), ("value", (HANDLE, 250, 1000)), ("state", (HANDLE, 0)),
    ]  # fmt: skip
    assert shell.made == 1, "made once"


@pytest.mark.parametrize("shell", [False], indirect=True, ids=["refuses"])
def test_without_windows_taskbar_nothing_happens(shell: Shell) -> None:
    taskbar._windows(HANDLE, 0.25)
    taskbar._windows(HANDLE, 0.5)
    assert shell.calls == []


def test_a_system_without_a_dock_does_not_mind(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    taskbar.show_progress(window, 0.5)
    taskbar.show_progress(window, None)
