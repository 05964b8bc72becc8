"""w64devkit, the guide's compiler for Windows: gcc, g++ and make in one folder.

Its ``bin`` goes in front of PATH for a build; ``w64devkit.exe`` itself only opens a shell.
"""

from __future__ import annotations

from loragui.engine.tools.found import Found, first, judged, numbers
from loragui.engine.tools.looking import below, usual_kits
from loragui.engine.tools.surroundings import Surroundings

_PROGRAMS = "gcc", "g++", "make"
_LIBRARIES = "lib", "gcc", "x86_64-w64-mingw32"


def find(s: Surroundings, kits: str) -> Found | None:
    """The kit in the workspace, on PATH or in the usual folders; a good one goes before others."""
    on_path = s.which("gcc")
    roots = [s.parent(on_path, 2)] if on_path and s.is_file(s.join(s.parent(on_path, 2), "w64devkit.exe")) else []
    roots = [*below(s, [kits], "w64devkit"), *roots, *below(s, usual_kits(s), "w64devkit")]
    found = [_look(s, root) for root in dict.fromkeys(roots) if s.is_file(s.join(root, "w64devkit.exe"))]
    return next((kit for kit in found if kit.good), found[0] if found else None)


def _look(s: Surroundings, root: str) -> Found:
    folder = s.join(root, "bin")
    parts = {name: s.join(folder, s.exe(name)) for name in _PROGRAMS}
    missing = [name for name, path in parts.items() if not s.is_file(path)]
    compiler = max(s.names(s.join(root, *_LIBRARIES)), key=numbers, default="")
    lacks = ""
    if missing:
        lacks = f"This w64devkit lacks {', '.join(missing)}: it was not unpacked whole, or an antivirus took a part."
    elif not compiler:
        lacks = "This w64devkit is the one for 32-bit Windows; the one for 64 bit is needed."
    version = first(r"(\d+(?:\.\d+)+)", s.text(s.join(root, "VERSION.txt"))) or version_of_folder(s.name(root))
    return judged("w64devkit", root, version, {**parts, "bin": folder, "gcc-version": compiler}, lacks=lacks)


def version_of_folder(name: str) -> str:
    """Out of ``w64devkit-1.23.0`` or ``w64devkit-fortran-1.20.0``."""
    return first(r"w64devkit\D*?-(\d+(?:\.\d+)+)$", name.lower())
