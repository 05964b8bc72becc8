"""Checkpoints of one training folder: found, verified, rotated.

``LATEST`` is overwritten in place by the engine, so a stop in that moment leaves half a file. We therefore only ever
go on from a numbered checkpoint that was read back and found whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from loragui.errors import AppError
from loragui.training.artifacts import Checkpoint, checkpoint_is_finite, lora_is_finite, read_checkpoint, read_lora

KEEP = 2
"""Good checkpoints kept at least."""
KEEP_LORAS = 8
"""Numbered LoRAs kept, to choose from in the end."""

_NUMBERED = re.compile(r"(checkpoint|lora)-(\d+)\.gguf")


def checkpoint_path(folder: Path, iteration: int) -> Path:
    """The file of the checkpoint after ``iteration`` iterations."""
    return folder / f"checkpoint-{iteration}.gguf"


def lora_path(folder: Path, iteration: int) -> Path:
    """The file of the LoRA after ``iteration`` iterations."""
    return folder / f"lora-{iteration}.gguf"


def numbers(folder: Path, kind: str) -> list[int]:
    """Iterations of the numbered files of ``kind`` (``checkpoint`` or ``lora``), ascending."""
    found = (_NUMBERED.fullmatch(path.name) for path in folder.iterdir()) if folder.is_dir() else ()
    return sorted(int(match[2]) for match in found if match and match[1] == kind)


def verify(path: Path, iteration: int) -> Checkpoint:
    """Read a checkpoint back. AppError when it is not whole or was saved at another iteration."""
    checkpoint = read_checkpoint(path)
    if checkpoint.iteration != iteration:
        raise AppError(
            f"{path.name} says it was saved at iteration {checkpoint.iteration}, not {iteration}.",
            "An earlier checkpoint is used instead.",
            code="checkpoint-iteration",
        )
    return checkpoint


def last_good(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that is whole and holds only finite numbers, or None."""
    for iteration in reversed(numbers(folder, "checkpoint")):
        path = checkpoint_path(folder, iteration)
        try:
            checkpoint = verify(path, iteration)
            if checkpoint_is_finite(path):
                return checkpoint
        except (AppError, OSError):
            continue
    return None


def last_good_lora(folder: Path) -> int | None:
    """The iteration of the newest LoRA that is whole and holds only finite numbers, or None.

    A stop in the moment of a save leaves half a LoRA, a training that ran away leaves one without numbers.
    """
    for iteration in reversed(numbers(folder, "lora")):
        try:
            if lora_is_finite(read_lora(lora_path(folder, iteration))):
                return iteration
        except (AppError, OSError):
            continue
    return None


def superfluous(kind: str, existing: Iterable[int], good: Iterable[int]) -> list[int]:
    """Iterations whose files may go: all but the newest ``KEEP`` good checkpoints, or ``KEEP_LORAS`` LoRAs.

    Files newer than the newest good one are never among them (they may just be written).
    """
    keep = KEEP if kind == "checkpoint" else KEEP_LORAS
    kept = sorted(good)[-keep:]
    return [number for number in existing if kept and number not in kept and number < kept[-1]]


def rotate(folder: Path, good: Iterable[int]) -> None:
    """Delete what ``superfluous`` names. ``good`` are iterations of checkpoints that were verified."""
    verified = sorted(set(good))
    if len(verified) < KEEP:
        return
    for number in superfluous("checkpoint", numbers(folder, "checkpoint"), verified):
        checkpoint_path(folder, number).unlink(missing_ok=True)
    loras = numbers(folder, "lora")
    for number in superfluous("lora", loras, loras):
        lora_path(folder, number).unlink(missing_ok=True)
