"""Ninja, which runs a build's compilers side by side."""

from __future__ import annotations

from loragui.engine.tools.found import Found, first, judged
from loragui.engine.tools.looking import program
from loragui.engine.tools.surroundings import Surroundings


def find(s: Surroundings, _kits: str) -> Found | None:
    """Ninja on PATH, or behind winget's links."""
    own = s.variable("LOCALAPPDATA")
    path = program(s, ["ninja", "ninja-build"], [s.join(own, "Microsoft", "WinGet", "Links") if own else ""])
    return judged("ninja", path, version(s.said([path, "--version"]))) if path else None


def version(text: str) -> str:
    """Out of ``1.11.1``, which is all that ninja says."""
    return first(r"^(\d+(?:\.\d+)+)", text)
