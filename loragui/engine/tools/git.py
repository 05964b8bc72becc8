"""Git, which fetches llama.cpp's source at the exact commit."""

from __future__ import annotations

from loragui.engine.tools.found import Found, first, judged
from loragui.engine.tools.looking import program, program_files
from loragui.engine.tools.surroundings import Surroundings

_KEY = r"SOFTWARE\GitForWindows"


def find(s: Surroundings, _kits: str) -> Found | None:
    """Git on PATH, or where its Windows installer put it."""
    installed = s.registry("HKLM", _KEY) or s.registry("HKCU", _KEY)
    folder = installed.get("InstallPath", "")
    path = program(s, ["git"], [s.join(folder, "cmd") if folder else "", *program_files(s, "Git", "cmd")])
    if not path:
        return None
    known = installed.get("CurrentVersion", "") if folder and s.parent(path, 2).lower() == folder.lower() else ""
    return judged("git", path, known or version(s.said([path, "--version"])))


def version(text: str) -> str:
    """Out of ``git version 2.43.0.windows.1``."""
    return first(r"git version (\d+(?:\.\d+)+)", text).rstrip(".")
