"""The merges of a project that are done and whose model is still there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loragui.errors import AppError
from loragui.jobs.events import RunEnded
from loragui.jobs.folder import DONE, RunFolder
from loragui.result import merge as merging
from loragui.result.merge import Merge
from loragui.training.runs import kind_of, run_folders


@dataclass(frozen=True, kw_only=True)
class Merged:
    """One merged model. ``path`` is its file, ``when`` the Unix time at which the merge ended."""

    folder: RunFolder
    merge: Merge
    path: Path
    bytes: int
    when: float


def merges(project: Path) -> tuple[Merged, ...]:
    """The project's merged models, the newest first."""
    found = (_merged(folder) for folder in reversed(run_folders(project)) if kind_of(folder) == merging.KIND)
    return tuple(merged for merged in found if merged is not None)


def _merged(folder: RunFolder) -> Merged | None:
    try:
        if folder.look().state != DONE:
            return None
        what, path = merging.load(folder.path), merging.output_path(folder.path)
        when = max((stamped.time for stamped in folder.scan(RunEnded)), default=0.0)
        return Merged(folder=folder, merge=what, path=path, bytes=path.stat().st_size, when=when)
    except (AppError, OSError):  # its files are gone or damaged: it hides no other
        return None
