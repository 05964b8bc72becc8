"""Progress in the system's taskbar: Windows' own interface, and the one that KDE's, Ubuntu's and others' docks read.

Windows' part was not run here (this project has no Windows machine); it never raises, because it is only an ornament.
"""

from __future__ import annotations

import sys
from typing import Any

from PySide6.QtDBus import QDBusConnection, QDBusMessage
from PySide6.QtWidgets import QWidget

DESKTOP = "application://loragui.desktop"
_NO_PROGRESS, _NORMAL = 0, 2
_SCALE = 1000
_BEGIN, _SET_VALUE, _SET_STATE = 3, 9, 10
"""Places in the table of ITaskbarList3 (shobjidl_core.h): HrInit, SetProgressValue, SetProgressState."""


def show_progress(window: QWidget, fraction: float | None) -> None:
    """Show ``fraction`` (0 to 1) at the window's taskbar entry; None shows nothing."""
    if sys.platform == "win32":
        _windows(int(window.winId()), fraction)
    elif sys.platform == "linux":
        bus = QDBusConnection.sessionBus()
        if bus.isConnected():
            bus.send(dock_message(fraction))


def dock_message(fraction: float | None) -> QDBusMessage:
    """The signal that docks listen to (com.canonical.Unity.LauncherEntry, an open interface of Unity and KDE)."""
    message = QDBusMessage.createSignal("/loragui", "com.canonical.Unity.LauncherEntry", "Update")
    shown = fraction is not None
    message.setArguments([DESKTOP, {"progress": float(fraction or 0.0), "progress-visible": shown}])
    return message


def _windows(handle: int, fraction: float | None) -> None:
    import ctypes

    try:
        taskbar = _taskbar_list()
        if taskbar is None:
            return
        state, value = (_NO_PROGRESS, 0) if fraction is None else (_NORMAL, round(fraction * _SCALE))
        window = ctypes.c_void_p(handle)
        _call(taskbar, _SET_STATE, window, ctypes.c_int(state))
        if fraction is not None:
            _call(taskbar, _SET_VALUE, window, ctypes.c_ulonglong(value), ctypes.c_ulonglong(_SCALE))
    except OSError:
        return


_found: list[Any] = []


def _taskbar_list() -> Any:
    """The shell's ITaskbarList3, made once. None where there is none."""
    if not _found:
        import ctypes

        ole: Any = getattr(ctypes, "windll").ole32  # noqa: B009 - exists on Windows only
        ole.CoInitialize(None)
        made = ctypes.c_void_p()
        cls, interface = (ctypes.c_byte * 16)(), (ctypes.c_byte * 16)()
        ole.CLSIDFromString("{56FDF344-FD6D-11D0-958A-006097C9A090}", ctypes.byref(cls))
        ole.CLSIDFromString("{EA1AFB91-9E28-4B86-90E9-9E9F8A5EEFAF}", ctypes.byref(interface))
        if ole.CoCreateInstance(ctypes.byref(cls), None, 1, ctypes.byref(interface), ctypes.byref(made)) == 0:
            _call(made, _BEGIN)
            _found.append(made)
        else:
            _found.append(None)
    return _found[0]


def _call(taskbar: Any, method: int, *values: Any) -> None:
    """Call the method at that place of the interface's table; the types of ``values`` are its parameters'."""
    import ctypes

    kind = getattr(ctypes, "WINFUNCTYPE")(ctypes.c_long, ctypes.c_void_p, *map(type, values))  # noqa: B009
    table = ctypes.cast(taskbar, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p)))[0]
    kind(table[method])(taskbar, *values)
