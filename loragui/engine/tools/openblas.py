"""OpenBLAS on Linux, which makes training on the CPU nearly twice as fast. Builds ask ``pkg-config`` for it."""

from __future__ import annotations

from loragui.engine.tools.found import Found, first, judged
from loragui.engine.tools.looking import library, package_file, program
from loragui.engine.tools.surroundings import Surroundings


def find(s: Surroundings, _kits: str) -> Found | None:
    """The library, its package file and pkg-config."""
    described = package_file(s, "openblas")
    linked = library(s, "libopenblas.so")
    if not described and not linked:
        return None
    asked = program(s, ["pkg-config", "pkgconf"])
    lacks = ""
    if not described:
        lacks = "OpenBLAS is here, but not what is needed to build with it (its package file)."
    elif not asked:
        lacks = "OpenBLAS is here, but the program pkg-config, which the build asks for it, is missing."
    parts = {"library": linked, "pkg-config": asked}
    return judged("openblas", linked or "openblas.pc", version(described), parts, lacks=lacks)


def version(text: str) -> str:
    """Out of a package file, where the version may be a variable of its own."""
    return first(r"^Version: (\d+(?:\.\d+)*)", text) or first(r"^version=(\d+(?:\.\d+)*)", text)
