"""What the main buttons do: each act checks its gate and makes the run folder that does the work.

Window and command line call these and then start and watch the folder; nothing here runs anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loragui import project as projects
from loragui.data.job import prepare_plan
from loragui.data.prepare import TEXT_FILE
from loragui.engine import installed
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Plan
from loragui.project import Project
from loragui.training import start


@dataclass(frozen=True, kw_only=True)
class Open:
    """A project with its folder, as it was when it was opened."""

    folder: Path
    project: Project

    @property
    def runs(self) -> Path:
        """Where its trainings, merges and proofs are."""
        return self.folder / "runs"

    @property
    def data(self) -> Path:
        """Where its training text is."""
        return self.folder / "data"

    def engine(self) -> Engine:
        """The chosen engine. AppError when none is chosen or it is gone."""
        if self.project.engine is None:
            raise AppError("No engine is chosen yet.", "Choose or build one in the step “Engine”.", code="no-engine")
        return installed.load(self.project.engine.resolve(self.folder))

    def base_model(self) -> Path:
        """The chosen base model's file. AppError when none is chosen or it is gone."""
        if self.project.base_model is None:
            raise AppError("No base model is chosen yet.", "Choose one in the step “Base model”.", code="no-model")
        return self.project.base_model.resolve(self.folder)


def open_project(folder: Path) -> Open:
    """Read the project of ``folder``."""
    return Open(folder=folder, project=projects.load(folder))


def format_data(opened: Open) -> tuple[RunFolder, Plan]:
    """Turn the project's files into training text below its ``data`` folder."""
    data = opened.project.data
    if not data.files:
        raise AppError(
            "No chats or texts are chosen yet.", "Add some in the step “Training data”.", code="no-data"
        )
    plan = prepare_plan(
        [file.resolve(opened.folder) for file in data.files],
        out="..",
        base_model=opened.base_model(),
        context_size=opened.project.hyperparameters.context_size,
        template=data.template,
        seed=data.seed,
    )
    return RunFolder(opened.data / "run"), plan


def training_text(opened: Open) -> Path:
    """The project's training text. AppError when the data step has not been done."""
    path = opened.data / TEXT_FILE
    if not path.is_file():
        raise AppError(
            "The training text has not been made yet.", "Do the step “Training data” first.", code="no-data"
        )
    return path


def train(opened: Open) -> RunFolder:
    """Make the folder of a new training from the project as it is now."""
    from loragui.data.report import read_report  # noqa: PLC0415

    report = read_report(opened.data)
    return start.create(
        opened.runs,
        data=training_text(opened),
        marker=report.marker,
        samples=report.totals.samples,
        base_model=opened.base_model(),
        engine=opened.engine(),
        settings=opened.project.hyperparameters,
    )
