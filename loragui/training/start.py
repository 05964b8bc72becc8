"""Start a training, or go on with one: the folder, its frozen snapshot, and the plan.

A training's folder holds everything it needs under short relative ASCII names, because the engine cannot open other
names on Windows, and because its shuffle is tied to the data path string. Data and settings are copied into it, so
later edits of the project change nothing that runs.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loragui.engine import classic, tuning
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan, Step
from loragui.jobs.pyjob import os_problem
from loragui.paths import file_sha256, write_json
from loragui.project import FileRef, Hyperparameters, hyperparameters_of
from loragui.training.checkpoints import last_good

SCHEMA = 1
FILE = "training.json"
DATA = "train.txt"
KIND = "train"


@dataclass(frozen=True, kw_only=True)
class Training:
    """The snapshot of one training: what it was started with. Written once."""

    base_model: FileRef
    engine: str
    pin: str
    hyperparameters: Hyperparameters
    marker: str
    samples: int
    data_sha256: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a training is to be started with. ``data`` is the marker text written by the data step."""

    data: Path
    marker: str
    samples: int
    base_model: Path
    engine: Engine
    settings: Hyperparameters


def snapshot(folder: Path, request: Request) -> Training:
    """The snapshot of ``request`` for a training in ``folder``. OSError when the data cannot be read."""
    return Training(
        base_model=FileRef.of(request.base_model, folder),
        engine=request.engine.name,
        pin=request.engine.pin,
        hyperparameters=request.settings,
        marker=request.marker,
        samples=request.samples,
        data_sha256=file_sha256(request.data),
    )


def create(runs: Path, request: Request) -> RunFolder:
    """Make the next numbered folder below ``runs`` with data, snapshot and plan; nothing is started.

    The data is copied. AppError for an unreadable file.
    """
    try:
        folder = RunFolder(next_folder(runs))
    except OSError as error:
        raise AppError.of(os_problem(error)) from error
    try:
        copied = dataclasses.replace(request, data=shutil.copyfile(request.data, folder.path / DATA))
        training = snapshot(folder.path, copied)
        write_json(folder.path / FILE, {"schema": SCHEMA, **dataclasses.asdict(training)})
        folder.save_plan(plan(folder.path, training, request.engine))
    except BaseException as error:
        shutil.rmtree(folder.path, ignore_errors=True)  # made a moment ago, by us, with copies only
        if isinstance(error, OSError):
            raise AppError.of(os_problem(error)) from error
        raise
    return folder


def _same_data(data: Path, training: Training) -> bool:
    try:
        return file_sha256(data) == training.data_sha256
    except OSError:
        return False


def next_folder(runs: Path) -> Path:
    """A new folder ``0001``, ``0002``, … below ``runs``; two callers never get the same."""
    runs.mkdir(parents=True, exist_ok=True)
    number = max((int(path.name) for path in runs.iterdir() if path.name.isdigit()), default=0) + 1
    while True:
        folder = runs / f"{number:04d}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def load(folder: Path) -> Training:
    """The snapshot of a training's folder. AppError when there is none, or it is damaged or newer."""
    path = folder / FILE
    try:
        row: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if row["schema"] > SCHEMA:
            raise AppError.newer(path)
        return Training(
            base_model=FileRef(**row["base_model"]),
            engine=str(row["engine"]),
            pin=str(row["pin"]),
            hyperparameters=hyperparameters_of(row["hyperparameters"]),
            marker=str(row["marker"]),
            samples=int(row["samples"]),
            data_sha256=str(row["data_sha256"]),
        )
    except FileNotFoundError as error:
        raise AppError(f"{folder} holds no training.", "Choose the folder of a training run.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise AppError(f"{path} is damaged.", "Start a new training.", details=repr(error)) from error


def plan(folder: Path, training: Training, engine: Engine) -> Plan:
    """What is left to do in a training's folder: from the last good checkpoint on, or from the start.

    The engine counts ``--adam-iter`` from where it resumes, so it gets the remaining iterations. AppError when
    nothing is left.
    """
    settings = training.hyperparameters
    checkpoint = last_good(folder)
    done, epochs = (checkpoint.iteration, checkpoint.epochs) if checkpoint else (0, 0)
    if done >= settings.iterations or epochs >= (settings.max_epochs or epochs + 1):
        passes = "" if done >= settings.iterations else f" They make {epochs} passes, the most that the settings allow."
        raise AppError(
            f"This training is complete: {done} of {settings.iterations} iterations are done.{passes}",
            "Go on to the result, or start a new training with more iterations.",
            code="complete",
        )
    argv = classic.finetune_argv(
        engine,
        settings,
        base_model=relative(training.base_model.resolve(folder), folder),
        data=DATA,
        marker=training.marker,
        checkpoint_in=checkpoint.path.name if checkpoint else None,
        iterations=settings.iterations - done,
        epochs_done=epochs,
    )
    title = f"Training, from iteration {done} to {settings.iterations}" if done else "Training"
    command = Command(
        argv=argv,
        env=tuning.environment(engine, settings.threads),
        reader="train",
        reader_args={
            "target": settings.iterations,
            "resumed_at": done,
            "samples": training.samples,
            "context_size": settings.context_size,
            "overlapping": settings.overlapping_samples,
        },
    )
    return Plan(kind=KIND, title=title, steps=(Step(id="train", title=title, command=command),))


def prepare_resume(folder: RunFolder, engine: Engine) -> None:
    """Write the plan that goes on with a stopped or failed training. AppError when it runs or nothing is left."""
    if folder.is_running():
        raise AppError("This training is already running.", "Watch it, or stop it first.", code="already-running")
    folder.look()  # ends what a killed runner left behind
    training = load(folder.path)
    if engine.pin != training.pin:
        raise AppError(
            f"This training was started with engine {training.pin}, not {engine.pin}.",
            "Choose the engine it was started with.",
            code="other-engine",
        )
    if not _same_data(folder.path / DATA, training):
        raise AppError(
            f"{DATA} in {folder.path} was changed since the training began.",
            "Put the original back, or start a new training with the changed data.",
            code="data-changed",
        )
    folder.save_plan(plan(folder.path, training, engine))


def relative(path: Path, folder: Path) -> str:
    """``path`` as seen from ``folder``, with forward slashes; absolute when it lies on another drive."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.as_posix()
