"""CLBlast, the matrix library for other graphics cards. Its DLL must lie beside the finished programs."""

from __future__ import annotations

from loragui.engine.tools.found import Found, first, judged
from loragui.engine.tools.looking import below, library, newest, package_file, usual_kits
from loragui.engine.tools.surroundings import Surroundings

_LIBRARIES = ("lib", "clblast.lib"), ("lib", "cmake", "CLBlast", "CLBlastConfig.cmake"), ("bin", "clblast.dll")
_OLDER_DLL = "lib", "clblast.dll"


def find(s: Surroundings, kits: str) -> Found | None:
    """CLBlast in the workspace, where a variable points, or unpacked in the usual folders."""
    if not s.windows:
        return _on_linux(s)
    pointed = s.variable("CLBLAST_DIR")  # CMake's variable, the folder of CLBlastConfig.cmake
    named = [s.variable("CLBLAST_ROOT"), pointed, s.parent(pointed, 3) if pointed else ""]
    top = below(s, [kits, *usual_kits(s)], "clblast")
    roots = [*top, *(inner for folder in top for inner in newest(s, folder, "clblast_release")), *named]
    found = [_look(s, root) for root in filter(None, roots) if s.is_file(s.join(root, "include", "clblast.h"))]
    return next((kit for kit in found if kit.good), found[0] if found else None)


def _look(s: Surroundings, root: str) -> Found:
    linked, config, dll = (s.join(root, *place) for place in _LIBRARIES)
    dll = next((place for place in (dll, s.join(root, *_OLDER_DLL)) if s.is_file(place)), "")
    missing = [s.name(path) for path in (linked, config) if not s.is_file(path)] + ([] if dll else ["clblast.dll"])
    lacks = f"This CLBlast lacks {', '.join(missing)}; unpack it again." if missing else ""
    parts = {"include": s.join(root, "include"), "library": linked, "cmake": s.parent(config), "dll": dll}
    version = version_of_folder(s.name(root)) or version_of_folder(s.name(s.parent(root)))
    return judged("clblast", root, version, parts, lacks=lacks)


def version_of_folder(name: str) -> str:
    """Out of ``clblast-1.6.3`` or ``CLBlast-1.6.2-windows-x64``."""
    return first(r"clblast-(\d+(?:\.\d+)+)", name.lower())


def _on_linux(s: Surroundings) -> Found | None:
    linked = library(s, "libclblast.so")
    header = next((h for h in ("/usr/include/clblast.h", "/usr/local/include/clblast.h") if s.is_file(h)), "")
    if not linked and not header:
        return None
    lacks = "" if linked and header else "Only a part of CLBlast is installed: its headers and its library are needed."
    version = first(r"^Version: (\d+(?:\.\d+)+)", package_file(s, "clblast"))
    parts = {"include": s.parent(header) if header else "", "library": linked}
    return judged("clblast", linked or header, version, parts, lacks=lacks)
