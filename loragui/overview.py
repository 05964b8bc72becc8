"""What there is in a workspace and what is going on in it: projects with their state, and the runs that work now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from loragui import project as projects
from loragui.errors import AppError
from loragui.jobs.folder import NEW, RunFolder
from loragui.jobs.pyjob import os_problem
from loragui.paths import Workspace
from loragui.steps import Step, step_of
from loragui.training import runs
from loragui.training.runs import RunSummary

DAMAGED = "damaged"


@dataclass(frozen=True, kw_only=True)
class ProjectRow:
    """A project as a list shows it. ``state`` is that of its newest training, ``new`` without one, or ``damaged``.

    ``message`` says why it stopped or what is wrong with the project's file. ``changed`` in Unix seconds.
    """

    folder: Path
    name: str
    state: str
    message: str = ""
    iteration: int = 0
    total: int = 0
    changed: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Going:
    """A run that is going on. ``project`` is the folder of the project it belongs to, None for the workspace's own."""

    run: RunFolder
    step: Step | None
    project: Path | None = None


def project_rows(workspace: Workspace, elsewhere: Iterable[Path] = ()) -> tuple[ProjectRow, ...]:
    """The workspace's projects and those ``elsewhere``, the last changed first."""
    rows = (_row(folder) for folder in project_folders(workspace, elsewhere))
    return tuple(sorted(rows, key=lambda row: (-row.changed, row.name)))


def project_folders(workspace: Workspace, elsewhere: Iterable[Path] = ()) -> list[Path]:
    """Every folder that holds a project, once: in the workspace, and of those ``elsewhere`` what still is one."""
    there: dict[Path, Path] = {}
    for folder in (*_children(workspace.projects), *elsewhere):
        there.setdefault(folder.resolve(), folder)
    return [folder for folder in there.values() if (folder / projects.FILE).is_file()]


def _row(folder: Path) -> ProjectRow:
    changed, name = _changed(folder / projects.FILE), folder.name
    try:
        name = projects.load(folder).name
        newest = runs.latest_training(folder)
        training: RunSummary = runs.summarize(newest)
    except AppError as error:
        fresh = error.problem.code == "no-training"
        message = "" if fresh else str(error.problem)
        return ProjectRow(folder=folder, name=name, state=NEW if fresh else DAMAGED, message=message, changed=changed)
    except OSError as error:
        return ProjectRow(folder=folder, name=name, state=DAMAGED, message=str(os_problem(error)), changed=changed)
    return ProjectRow(
        folder=folder,
        name=name,
        state=training.state,
        message=training.message,
        iteration=training.iteration,
        total=training.total,
        changed=max(changed, _changed(newest.events_file)),
    )


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def going_on(workspace: Workspace, elsewhere: Iterable[Path] = ()) -> tuple[Going, ...]:
    """The runs that work now: the workspace's own first, then each project's."""
    found = [Going(run=run, step=step_of(runs.kind_of(run))) for run in _live(_children(workspace.jobs))]
    for project in project_folders(workspace, elsewhere):
        folders = [project / "data" / "run", *_children(project / "runs")]
        found += [Going(run=run, step=step_of(runs.kind_of(run)), project=project) for run in _live(folders)]
    return tuple(found)


def _live(folders: Iterable[Path]) -> Iterator[RunFolder]:
    for folder in folders:
        run = RunFolder(folder)
        if run.pid_file.is_file() and run.is_running():
            yield run


def _children(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
