"""7-Zip, with which a person unpacks what we cannot."""

from __future__ import annotations

from loragui.engine.tools.found import Found, first, judged
from loragui.engine.tools.looking import program, program_files
from loragui.engine.tools.surroundings import Surroundings

_KEY = r"SOFTWARE\7-Zip"
_UNINSTALL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\7-Zip"


def find(s: Surroundings, _kits: str) -> Found | None:
    """7-Zip's command-line program."""
    places = s.registry("HKLM", _KEY)
    folders = [places.get("Path64", ""), places.get("Path", ""), *program_files(s, "7-Zip")]
    path = program(s, ["7z", "7zz", "7za"], folders)
    if not path:
        return None
    known = s.registry("HKLM", _UNINSTALL).get("DisplayVersion", "")
    return judged("7zip", path, known or version(s.said([path])))


def version(text: str) -> str:
    """Out of ``7-Zip 23.01 (x64) : Copyright``, also of p7zip's ``7-Zip [64] 16.02``."""
    return first(r"7-Zip (?:\([a-z]\) |\[\d+\] )?(\d+(?:\.\d+)+)", text)
