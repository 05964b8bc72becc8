"""Where a project's newest training stands, and what can be done with it: go on, begin anew, go to the result."""

from __future__ import annotations

from dataclasses import dataclass

from loragui.jobs.folder import RUNNING, UNFINISHED, RunFolder
from loragui.training import runs, start
from loragui.training.checkpoints import last_good
from loragui.training.runs import RunSummary
from loragui.training.start import Training

HOPELESS = frozenset({"nan"})
"""Codes of problems that would come again when the training goes on."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A training. ``saved`` is the iteration from which it would go on, 0 for the beginning.

    ``changed``: the project's choices are others now than those it was started with.
    """

    folder: RunFolder
    summary: RunSummary
    training: Training
    saved: int
    can_resume: bool
    changed: bool = False


def standing(folder: RunFolder, wanted: Training | None = None) -> Standing:
    """How the training in ``folder`` stands against what would be started now. AppError when it is damaged."""
    training, summary = start.load(folder.path), runs.summarize(folder)
    saved = 0
    if summary.state != RUNNING:
        checkpoint = last_good(folder.path)
        saved = checkpoint.iteration if checkpoint else 0
    left = saved < training.hyperparameters.iterations
    resumable = summary.state in UNFINISHED and left
    return Standing(
        folder=folder,
        summary=summary,
        training=training,
        saved=saved,
        can_resume=resumable and summary.code not in HOPELESS,
        changed=wanted is not None and _choices(wanted) != _choices(training),
    )


def _choices(training: Training) -> tuple[object, ...]:
    base = training.base_model.relative or training.base_model.absolute  # a workspace may have been moved
    return training.hyperparameters, training.data_sha256, base, training.engine


def lost_by_stopping(iteration: int, saved: int, seconds: float | None) -> tuple[int, float]:
    """Iterations, and seconds of work, that stopping now would lose. ``seconds`` is what one iteration takes."""
    lost = max(0, iteration - saved)
    return lost, lost * (seconds or 0.0)


def wait_for_save(iteration: int, save_every: int, seconds: float | None) -> float:
    """Seconds until the next checkpoint is saved; 0 when nobody can tell yet."""
    if save_every < 1 or seconds is None:
        return 0.0
    return (save_every - iteration % save_every) * seconds
