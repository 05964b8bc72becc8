"""The demonstration as a project: what it is made of, and what comes next in it. Nothing here runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from loragui import project as projects
from loragui.data.demo import Demo, load_demo
from loragui.engine.tuning import suggested_threads
from loragui.jobs.folder import DONE
from loragui.machine import Machine
from loragui.paths import Workspace
from loragui.project import DataChoice, FileRef, Project, hyperparameters_of
from loragui.result import merge, prove
from loragui.steps import Gate, Step
from loragui.training.runs import kind_of, run_folders

FOLDER = "demo"
NAME = "Demo"
SAVE_EVERY = 5


def project(example: Demo, pc: Machine, folder: Path, *, engine: Path | None, model: Path | None) -> Project:
    """The demonstration's project in ``folder`` for this PC."""
    threads = suggested_threads(engine, pc)
    return Project(
        name=NAME,
        engine=FileRef.of(engine, folder) if engine else None,
        base_model=FileRef.of(model, folder) if model else None,
        data=DataChoice(
            files=tuple(FileRef.of(path, folder) for path in example.files),
            template=example.template,
            seed=example.seed,
        ),
        hyperparameters=hyperparameters_of(
            {"context_size": example.context_size, "save_every": SAVE_EVERY, "threads": threads, **example.training}
        ),
    )


def ensure(workspace: Workspace, pc: Machine) -> Path:
    """The folder of the demonstration's project; made when it is not there, left as it is when it is."""
    folder = workspace.projects / FOLDER
    if not (folder / projects.FILE).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        projects.save(folder, project(load_demo(), pc, folder, engine=None, model=None))
    return folder


def next_step(folder: Path, gates: Mapping[Step, Gate]) -> Step | None:
    """The step that is to be done next; None when all are done and the models were compared."""
    for step in Step:
        if not gates[step].done:
            return step
    return None if _compared(folder) else Step.RESULT


def _compared(folder: Path) -> bool:
    """Whether the models were asked after the newest merge."""
    for run in reversed(run_folders(folder)):
        kind = kind_of(run)
        if kind == prove.KIND and run.look().state == DONE:
            return True
        if kind == merge.KIND:
            return False
    return False
