"""A project as one frozen value, and its file. Parts are replaced, never changed in place.

``project.json`` carries a schema number. An older file is lifted step by step by ``MIGRATIONS``, a newer one is
refused. Paths are kept twice, absolute and relative to the project's folder, so that a project goes on working when it
was moved alone, and when it was moved together with its workspace.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any

from loragui.errors import AppError
from loragui.paths import slug, write_json

SCHEMA = 1
FILE = "project.json"
MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Schema n to a function that lifts a file of schema n to n + 1."""


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """How a LoRA is trained. Names are the field's; the engine adapter turns them into flags.

    ``context_size`` in tokens, ``batch_size`` in samples, ``iterations`` in optimizer steps in all,
    ``learning_rate`` the peak after ``warmup`` iterations, ``save_every`` in iterations, ``threads`` in CPU threads.
    ``cosine_decay_steps`` of 0 keeps the engine's own. None leaves a setting to the engine: to what the base model
    says, to the rank of the whole LoRA, or to the engine's own value (``engine/flags.py``).
    """

    context_size: int = 256
    batch_size: int = 1
    gradient_accumulation: int = 1
    iterations: int = 256
    rank: int = 8
    alpha: int = 8
    learning_rate: float = 3e-4
    warmup: int = 10
    cosine_decay_steps: int = 0
    threads: int = 2
    seed: int = 1
    save_every: int = 10
    gradient_checkpointing: bool = True
    flash_attention: bool = True
    rope_freq_base: float | None = None
    rope_freq_scale: float | None = None
    norm_rms_eps: float | None = None
    max_epochs: int | None = None
    # What the engine makes of the samples.
    include_sample_start: bool = False
    overlapping_samples: bool = False
    fill_with_next_samples: bool = False
    separate_with_eos: bool = False
    separate_with_bos: bool = True
    sample_random_offsets: bool = False
    force_reshuffle: bool = False
    # Ranks of single parts of the model.
    rank_token_embeddings: int | None = None
    rank_output: int | None = None
    rank_query: int | None = None
    rank_key: int | None = None
    rank_value: int | None = None
    rank_attention_output: int | None = None
    rank_ffn_gate: int | None = None
    rank_ffn_down: int | None = None
    rank_ffn_up: int | None = None
    rank_attention_norm: int | None = None
    rank_ffn_norm: int | None = None
    rank_output_norm: int | None = None
    # The optimizer.
    cosine_restarts: bool = False
    cosine_restart_factor: float | None = None
    cosine_decay_minimum: float | None = None
    minimum_learning_rate: float | None = None
    weight_decay: float | None = None
    weight_decay_min_dimensions: int | None = None
    adam_beta1: float | None = None
    adam_beta2: float | None = None
    gradient_clipping: float | None = None
    convergence_past: int | None = None
    convergence_delta: float | None = None
    convergence_epsilon: float | None = None
    max_no_improvement: int | None = None


@dataclass(frozen=True, kw_only=True)
class FileRef:
    """A file or folder outside or inside the project: absolute, and relative to the project's folder."""

    absolute: str
    relative: str = ""

    @staticmethod
    def of(path: Path, project: Path) -> FileRef:
        """A reference to ``path`` as seen from the folder ``project``."""
        path = Path(os.path.abspath(path))  # noqa: PTH100 - links stay links
        try:
            relative = Path(os.path.relpath(path, Path(os.path.abspath(project)))).as_posix()  # noqa: PTH100
        except ValueError:  # another drive
            relative = ""
        return FileRef(absolute=str(path), relative=relative)

    def resolve(self, project: Path) -> Path:
        """Where it is now. AppError when it is in neither place."""
        near = project / self.relative if self.relative else None
        for path in (near, Path(self.absolute)):
            if path is not None and path.exists():
                return Path(os.path.normpath(path))
        raise AppError(
            f"{self.absolute} is not there any more.",
            "If it was moved, choose it again in its new place; if a disk is missing, connect it.",
            code="file-missing",
        )


@dataclass(frozen=True, kw_only=True)
class DataChoice:
    """The person's files and how they become samples."""

    files: tuple[FileRef, ...] = ()
    template: str = "guide-appendix-b"
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Project:
    """Everything a person has chosen. ``name`` may be anything; the folder's name is its slug."""

    name: str
    engine: FileRef | None = None
    base_model: FileRef | None = None
    data: DataChoice = field(default_factory=DataChoice)
    hyperparameters: Hyperparameters = field(default_factory=Hyperparameters)


def save(folder: Path, project: Project) -> None:
    """Write the project's file, atomically."""
    write_json(folder / FILE, {"schema": SCHEMA, **dataclasses.asdict(project)})


def load(folder: Path) -> Project:
    """Read the project of ``folder``. AppError when there is none, it is damaged, or it is newer than this program."""
    path = folder / FILE
    try:
        return _parse(_lifted(json.loads(path.read_text(encoding="utf-8")), path))
    except FileNotFoundError as error:
        raise AppError(
            f"{folder} holds no project.", "Choose a folder with a project.json in it.", code="no-project"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise AppError(
            f"{path} is damaged and cannot be read.",
            "Put back an older copy of it. Your runs and results beside it are not touched.",
            details=repr(error),
            code="project-damaged",
        ) from error


def _lifted(value: dict[str, Any], path: Path) -> dict[str, Any]:
    schema = value["schema"]
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise TypeError("no schema number")
    if schema > SCHEMA:
        raise AppError.newer(path)
    while schema < SCHEMA:
        value = MIGRATIONS[schema](value)
        schema += 1
    return value


def _parse(value: dict[str, Any]) -> Project:
    data = value["data"]
    return Project(
        name=_text(value["name"]),
        engine=_ref(value["engine"]),
        base_model=_ref(value["base_model"]),
        data=DataChoice(
            files=tuple(_existing(row) for row in data["files"]),
            template=_text(data["template"]),
            seed=_number(data["seed"]),
        ),
        hyperparameters=hyperparameters_of(value["hyperparameters"]),
    )


_KINDS: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "bool": (bool,),
    "float": (int, float),
    "int | None": (int, NoneType),
    "float | None": (int, float, NoneType),
}
"""Types of a hyperparameter, and what JSON may hold for them."""


def hyperparameters_of(row: Mapping[str, Any]) -> Hyperparameters:
    """Hyperparameters from JSON. A missing one takes its default; TypeError for a wrong kind of value."""
    known: dict[str, Any] = {}
    for spec in dataclasses.fields(Hyperparameters):
        if spec.name not in row:
            continue
        value, kinds = row[spec.name], _KINDS[str(spec.type)]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise TypeError(f"{spec.name}: {value!r}")
        known[spec.name] = value
    return Hyperparameters(**known)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected: {value!r}")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"number expected: {value!r}")
    return value


def _ref(value: Any) -> FileRef | None:
    return None if value is None else _existing(value)


def _existing(value: Any) -> FileRef:
    return FileRef(absolute=_text(value["absolute"]), relative=_text(value["relative"]))


def create(projects: Path, name: str, settings: Hyperparameters | None = None) -> Path:
    """Make a folder for a new project called ``name`` below ``projects``, save it with ``settings``, return it."""
    for folder in _candidates(projects, name):
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        save(folder, Project(name=name, hyperparameters=settings or Hyperparameters()))
        return folder
    raise AssertionError("unreachable: the candidates never end")


def _candidates(projects: Path, name: str) -> Iterator[Path]:
    base = slug(name)
    yield projects / base
    number = 2
    while True:
        yield projects / f"{base}-{number}"
        number += 1
