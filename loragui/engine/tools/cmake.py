"""CMake, which makes the build files. Its folder names its version, so it need not be started."""

from __future__ import annotations

from loragui.engine.tools.found import Found, first, judged, numbers
from loragui.engine.tools.looking import of_visual_studio, program, program_files
from loragui.engine.tools.surroundings import Surroundings

_KEY = r"SOFTWARE\Kitware\CMake"


def find(s: Surroundings, _kits: str) -> Found | None:
    """CMake on PATH, where its Windows installer put it, or the one of Visual Studio."""
    installed = s.registry("HKLM", _KEY).get("InstallDir", "")
    own = [s.join(installed, "bin") if installed else "", *program_files(s, "CMake", "bin")]
    path = program(s, ["cmake"], [*own, *of_visual_studio(s, "CMake", "bin")])
    if not path:
        return None
    share = s.join(s.parent(path, 2), "share")
    return judged("cmake", path, version_of_folders(s.names(share)) or version(s.said([path, "--version"])))


def version_of_folders(names: tuple[str, ...]) -> str:
    """Out of ``cmake-3.27``; the highest when an older one was left behind."""
    found = [first(r"^cmake-(\d+\.\d+)$", name) for name in names]
    return max(filter(None, found), key=numbers, default="")


def version(text: str) -> str:
    """Out of ``cmake version 3.25.1``."""
    return first(r"cmake version (\d+(?:\.\d+)+)", text)
