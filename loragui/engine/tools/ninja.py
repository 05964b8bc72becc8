"""Ninja, which runs a build's compilers side by side."""

from __future__ import annotations

from loragui.engine.tools.found import Found, first, judged
from loragui.engine.tools.looking import of_visual_studio, program
from loragui.engine.tools.surroundings import Surroundings


def find(s: Surroundings, _kits: str) -> Found | None:
    """Ninja on PATH, behind winget's links, or the one of Visual Studio."""
    own = s.variable("LOCALAPPDATA")
    links = s.join(own, "Microsoft", "WinGet", "Links") if own else ""
    path = program(s, ["ninja", "ninja-build"], [links, *of_visual_studio(s, "Ninja")])
    return judged("ninja", path, version(s.said([path, "--version"]))) if path else None


def version(text: str) -> str:
    """Out of ``1.11.1``, which is all that ninja says."""
    return first(r"^(\d+(?:\.\d+)+)", text)
