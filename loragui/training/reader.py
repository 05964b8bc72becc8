"""Watches a training: the engine's lines become events, every checkpoint is read back when it is complete.

The engine announces a save before it writes and says nothing after, so a checkpoint counts as complete at the next
iteration line or at the program's end. Only a verified one becomes a ``Saved`` event and lets an older one go: one that
holds values that are not numbers ends the training, often an iteration before the loss shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from loragui.engine.finetune import FinetuneReader
from loragui.errors import AppError, Problem
from loragui.jobs.events import Event, Metric, Note, Saved, Trouble
from loragui.training.artifacts import checkpoint_is_finite, read_lora
from loragui.training.checkpoints import checkpoint_path, lora_path, rotate, verify

_SAVING = re.compile(r"save_checkpoint_lora_file: saving to checkpoint-(\d+)\.gguf")


class TrainingReader:
    """Reader of ``finetune`` in a training's folder. ``args`` are those of ``FinetuneReader``."""

    def __init__(self, folder: Path, args: Mapping[str, object]) -> None:
        self._folder = folder
        self._engine = FinetuneReader(folder, args)
        self._target = int(str(args["target"]))
        resumed = int(str(args.get("resumed_at", 0)))
        self._good = {resumed} if resumed else set()
        self._unverified: list[int] = []

    def line(self, text: str, stream: str) -> Iterable[Event]:
        """Events of one output line."""
        saving = _SAVING.match(text)
        if saving:
            self._unverified.append(int(saving[1]))
        found = list(self._engine.line(text, stream))
        if self._unverified and any(isinstance(event, Metric) for event in found):
            found.extend(self._verified())
        return found

    def end(self, returncode: int) -> Iterable[Event]:
        """What was wrong in the end; a training counts only when its last checkpoint and LoRA are there."""
        found = [*self._verified(), *self._engine.end(returncode)]
        troubled = any(isinstance(event, Trouble) and event.fatal for event in found)
        if returncode == 0 and not troubled and not self._is_complete():
            found.append(Trouble(problem=_incomplete(self._target)))
        return found

    def _is_complete(self) -> bool:
        try:
            read_lora(lora_path(self._folder, self._engine.reached))
        except (AppError, OSError):
            return False
        return self._engine.reached in self._good

    def _verified(self) -> Iterator[Event]:
        waiting, self._unverified = self._unverified, []
        for iteration in waiting:
            path = checkpoint_path(self._folder, iteration)
            try:
                verify(path, iteration)
                finite = checkpoint_is_finite(path)
            except (AppError, OSError) as error:
                yield Trouble(problem=_bad_checkpoint(iteration, error), fatal=False)
                continue
            if not finite:
                yield Trouble(problem=_run_away(iteration))
                return
            self._good.add(iteration)
            yield Saved(path=path.name, iteration=iteration)
            yield Note(text=f"Checkpoint at iteration {iteration} saved and checked.")
        if waiting:
            rotate(self._folder, self._good)


def _bad_checkpoint(iteration: int, error: Exception) -> Problem:
    return Problem(
        message=f"The checkpoint at iteration {iteration} was not written properly.",
        hint="The training goes on, and earlier checkpoints are kept. Check that the disk is not nearly full.",
        details=str(error),
        code="checkpoint-damaged",
        blocking=False,
    )


def _run_away(iteration: int) -> Problem:
    return Problem(
        message=f"At iteration {iteration} the LoRA holds values that are not numbers: the training has run away.",
        hint="Start a new training with a lower learning rate (a third of it, for example).",
        code="nan",
    )


def _incomplete(target: int) -> Problem:
    return Problem(
        message=f"The training program ended without saving its result at iteration {target}.",
        hint="Check that the disk has room, then choose Resume; it goes on from the last good checkpoint.",
        code="result-missing",
    )
