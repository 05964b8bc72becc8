"""A training and a merge that are done on paper: their folders say so, and no program ever ran."""

from __future__ import annotations

import shutil
from pathlib import Path

from loragui import acts
from loragui.jobs import events
from loragui.jobs.events import Event, Metric, RunEnded, RunStarted, StepEnded
from loragui.jobs.folder import RunFolder
from loragui.training.checkpoints import lora_path
from tests.training.files import write_lora

LOSSES = (9.0, 8.0, 7.0, 6.5, 6.0, 5.5, 5.0, 4.5, 4.0, 3.5, 3.0, 2.5)


def tell(folder: RunFolder, *happened: Event, at: float = 1_764_000_000.0) -> None:
    """Add to what happened in a run."""
    with folder.events_file.open("a", encoding="utf-8") as out:
        out.writelines(events.to_line(event, at) + "\n" for event in happened)


def training(opened: acts.Open) -> RunFolder:
    """A training of twelve iterations, whose last LoRA is there."""
    folder = acts.train(opened)
    losses = (Metric(iteration=number, total=12, loss=loss) for number, loss in enumerate(LOSSES, start=1))
    ended = StepEnded(id="train", ok=True, seconds=95.0)
    tell(folder, RunStarted(title="Training"), *losses, ended, RunEnded(state="done"))
    write_lora(lora_path(folder.path, 12))
    return folder


def merge(opened: acts.Open, training: RunFolder, *, at: float = 1_764_000_000.0, state: str = "done") -> RunFolder:
    """A merge of it, whose model is a copy of the base model."""
    folder = acts.merge(opened, training, acts.MergeRequest(strength=0.8))
    tell(folder, RunStarted(title="Merging"), RunEnded(state=state), at=at)
    name = folder.load_plan().facts["output"]
    shutil.copyfile(opened.base_model(), folder.path / str(name))
    return folder


def model(folder: RunFolder) -> Path:
    """The merged file in ``folder``."""
    return folder.path / str(folder.load_plan().facts["output"])
