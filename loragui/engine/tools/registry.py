"""The Windows registry in its 64-bit view; empty on other systems. HKLM and HKCU only."""

from __future__ import annotations

import sys
from collections.abc import Mapping

if sys.platform == "win32":
    import winreg

    _HIVES = {"HKLM": winreg.HKEY_LOCAL_MACHINE, "HKCU": winreg.HKEY_CURRENT_USER}
    _ACCESS = winreg.KEY_READ | winreg.KEY_WOW64_64KEY

    def values(hive: str, key: str) -> Mapping[str, str]:
        """The texts and numbers of a key by name; empty when there is no such key."""
        found: dict[str, str] = {}
        try:
            with winreg.OpenKey(_HIVES[hive], key, 0, _ACCESS) as opened:
                for index in range(winreg.QueryInfoKey(opened)[1]):
                    name, value, _kind = winreg.EnumValue(opened, index)
                    if isinstance(value, str | int):
                        found[name] = str(value)
        except OSError:
            return found
        return found

    def keys(hive: str, key: str) -> tuple[str, ...]:
        """The names of the keys below a key."""
        try:
            with winreg.OpenKey(_HIVES[hive], key, 0, _ACCESS) as opened:
                return tuple(winreg.EnumKey(opened, index) for index in range(winreg.QueryInfoKey(opened)[0]))
        except OSError:
            return ()

else:

    def values(hive: str, key: str) -> Mapping[str, str]:  # noqa: ARG001
        """Nothing: there is no registry here."""
        return {}

    def keys(hive: str, key: str) -> tuple[str, ...]:  # noqa: ARG001
        """Nothing: there is no registry here."""
        return ()
