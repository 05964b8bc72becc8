"""The history of a project's runs, as their folders tell it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loragui.errors import AppError
from loragui.jobs.events import Metric, StepEnded, Usage
from loragui.jobs.folder import RunFolder
from loragui.training.start import FILE, KIND


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One run. ``message`` and ``code`` say what was wrong, ``seconds`` how long it has worked, over all attempts."""

    number: str
    kind: str
    title: str
    state: str
    message: str
    code: str
    iteration: int
    total: int
    loss: float | None
    seconds: float
    peak_rss: int


def summarize(folder: RunFolder) -> RunSummary:
    """What a run folder says. One with a damaged plan is told as such, so that it hides no other."""
    try:
        plan = folder.load_plan()
        kind, title, damage = plan.kind, plan.title, ""
    except AppError as error:
        kind, title, damage = kind_of(folder), "Unreadable run", str(error)
    look = folder.look()
    iteration, total, loss, seconds, peak = 0, 0, None, 0.0, 0
    for stamped in folder.scan(StepEnded, Usage):
        match stamped.event:
            case StepEnded() as ended:
                seconds += ended.seconds
                peak = max(peak, ended.peak_rss)
            case Usage() as usage:
                peak = max(peak, usage.peak)
    metric = folder.last(Metric)
    if metric is not None:
        iteration, total, loss = metric.iteration, metric.total, metric.loss
    if look.state == "done" and total:
        iteration = total
    return RunSummary(
        number=folder.path.name,
        kind=kind,
        title=title,
        state=look.state,
        message=damage or (str(look.problem) if look.problem else ""),
        code=look.problem.code if look.problem else "",
        iteration=iteration,
        total=total,
        loss=loss,
        seconds=seconds,
        peak_rss=peak,
    )


def run_folders(project: Path) -> list[RunFolder]:
    """The project's run folders, oldest first."""
    runs = project / "runs"
    if not runs.is_dir():
        return []
    return [RunFolder(path) for path in sorted(runs.iterdir()) if (path / "plan.json").is_file()]


def kind_of(folder: RunFolder) -> str:
    """What sort of work a run folder is for. A damaged plan tells nothing, except that a resume mends a training's."""
    try:
        return folder.load_plan().kind
    except AppError:
        return KIND if (folder.path / FILE).is_file() else ""


def latest_training(project: Path, number: str | None = None) -> RunFolder:
    """The training run with that number, or the newest one. AppError when there is none."""
    for folder in reversed(run_folders(project)):
        if number in {None, folder.path.name} and kind_of(folder) == KIND:
            return folder
    wanted = f"training {number}" if number else "training"
    raise AppError(f"This project has no {wanted} yet.", "Start a training first.", code="no-training")
