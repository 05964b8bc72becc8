"""gcc, g++ and make as Linux has them. On Windows they come with w64devkit."""

from __future__ import annotations

from loragui.engine.tools.found import Found, first, judged
from loragui.engine.tools.looking import program
from loragui.engine.tools.surroundings import Surroundings


def find_gcc(s: Surroundings, _kits: str) -> Found | None:
    """The C compiler."""
    return _compiler(s, "gcc", "gcc")


def find_gxx(s: Surroundings, _kits: str) -> Found | None:
    """The C++ compiler."""
    return _compiler(s, "gxx", "g++")


def find_make(s: Surroundings, _kits: str) -> Found | None:
    """GNU make; another make cannot read llama.cpp's Makefile."""
    path = program(s, ["make", "gmake"])
    if not path:
        return None
    said = s.said([path, "--version"])
    lacks = "" if "GNU Make" in said or not said else "This make is not GNU make, which llama.cpp's Makefile needs."
    return judged("make", path, make_version(said), lacks=lacks)


def _compiler(s: Surroundings, name: str, command: str) -> Found | None:
    path = program(s, [command])
    return judged(name, path, gcc_version(s.said([path, "-dumpfullversion"]))) if path else None


def gcc_version(text: str) -> str:
    """Out of ``12.2.0``, which is all that gcc says when asked so."""
    return first(r"^(\d+(?:\.\d+)*)\s*$", text)


def make_version(text: str) -> str:
    """Out of ``GNU Make 4.3``."""
    return first(r"GNU Make (\d+(?:\.\d+)+)", text)
