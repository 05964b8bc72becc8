"""External programs that a build may need: one file each, looked for all at once, nothing changed.

A look at all of them ends within ``SECONDS``, whatever hangs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Thread

from loragui.engine.tools import (
    clblast,
    cmake,
    cuda,
    facts,
    git,
    gnu,
    ninja,
    openblas,
    opencl,
    rocm,
    seven_zip,
    visual_studio,
    vulkan,
    w64devkit,
)
from loragui.engine.tools.found import Found
from loragui.engine.tools.surroundings import Pc, Surroundings
from loragui.errors import AppError
from loragui.paths import Workspace

__all__ = ["FINDERS", "SECONDS", "Found", "find", "survey"]

SECONDS = 2.0

FINDERS: Mapping[str, Callable[[Surroundings, str], Found | None]] = {
    "git": git.find,
    "cmake": cmake.find,
    "ninja": ninja.find,
    "gcc": gnu.find_gcc,
    "gxx": gnu.find_gxx,
    "make": gnu.find_make,
    "w64devkit": w64devkit.find,
    "visual-studio": visual_studio.find,
    "cuda": cuda.find,
    "opencl-sdk": opencl.find,
    "clblast": clblast.find,
    "openblas": openblas.find,
    "rocm": rocm.find,
    "vulkan": vulkan.find,
    "7zip": seven_zip.find,
}
"""Each looks through the surroundings and the workspace's folder of tools."""

_SILENT = Found(path="", good=False, why="It did not answer in time. Look again: a busy disk or a scanner delays it.")


def find(name: str, workspace: Workspace, surroundings: Surroundings | None = None) -> Found | None:
    """One tool; None when it is not there. AppError for an unknown name."""
    facts.tool(name)
    return FINDERS[name](surroundings or Pc(), str(workspace.tools))


def survey(
    workspace: Workspace, surroundings: Surroundings | None = None, *, seconds: float = SECONDS
) -> Mapping[str, Found | None]:
    """Every tool that this system can have, by its id; None for what is not there. Never raises."""
    s = surroundings or Pc()
    answers: dict[str, Found | None] = {}
    names = [tool.id for tool in facts.tools() if s.system in tool.systems]
    # Not a pool of threads: leaving the program would wait for those that hang.
    lookers = [Thread(target=_look, args=(name, workspace, s, answers), daemon=True) for name in names]
    for looker in lookers:
        looker.start()
    end = time.monotonic() + seconds
    for looker in lookers:
        looker.join(max(0.0, end - time.monotonic()))
    given = dict(answers)
    return {name: given.get(name, _SILENT) for name in names}


def _look(name: str, workspace: Workspace, s: Surroundings, answers: dict[str, Found | None]) -> None:
    try:
        answers[name] = find(name, workspace, s)
    except (AppError, OSError, ValueError, LookupError) as error:
        answers[name] = Found(path="", good=False, why=f"Looking for it failed: {error}.")
