"""What has come out of a project: trainings with their checkpoints, merged models, and what the models answered."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from loragui import acts, demo
from loragui.acts import Open
from loragui.data.demo import load_demo
from loragui.data.folder import TEXT_FILE
from loragui.data.preview import load_preview
from loragui.errors import AppError
from loragui.jobs.folder import DONE, UNFINISHED, RunFolder
from loragui.model.inspect import inspect
from loragui.result import merge, prove
from loragui.result.merge import free_space_needed
from loragui.result.runs import Merged
from loragui.training.runs import RunSummary, kind_of, run_folders, summarize
from loragui.training.start import KIND as TRAINING

MOST_ANSWERS = 10
DEFAULT_TOKENS = 64
COMPARED, PIECE = 1 << 20, 1 << 14
"""Characters of the training text that answers are compared with, and of one piece of it."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A training and the iterations of which a LoRA exists, the newest last."""

    folder: RunFolder
    summary: RunSummary
    checkpoints: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the models said to one prompt, by their ids. ``likeness`` is the share of word triples from the data."""

    number: str
    prompt: str
    texts: Mapping[str, str]
    likeness: Mapping[str, float] = field(default_factory=dict)
    after_merge: bool = True


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Everything that the Result page shows. ``disk_needed`` in bytes, for one more merge; 0 when nobody knows."""

    trained: tuple[Trained, ...] = ()
    merges: tuple[Merged, ...] = ()
    answers: tuple[Answer, ...] = ()
    parameters: int = 0
    disk_needed: int = 0
    prompt: str = ""
    tokens: int = DEFAULT_TOKENS
    unfinished: RunFolder | None = None
    """The newest merge or comparison, when it did not come to its end."""


def outcome(opened: Open) -> Outcome:
    """Read it all from the project's folders; what is damaged hides nothing else."""
    folders = run_folders(opened.folder)
    trained = (_trained(folder) for folder in reversed(folders) if kind_of(folder) == TRAINING)
    merges = acts.merges(opened)
    parameters, needed = _size(opened)
    prompt, tokens = _prompt(opened)
    return Outcome(
        trained=tuple(one for one in trained if one.checkpoints),
        merges=merges,
        answers=_answers(opened, folders, merges),
        parameters=parameters,
        disk_needed=needed,
        prompt=prompt,
        tokens=tokens,
        unfinished=_unfinished(folders),
    )


def _unfinished(folders: list[RunFolder]) -> RunFolder | None:
    newest = next((folder for folder in reversed(folders) if kind_of(folder) in {merge.KIND, prove.KIND}), None)
    return newest if newest is not None and newest.look().state in UNFINISHED else None


def _trained(folder: RunFolder) -> Trained:
    return Trained(folder=folder, summary=summarize(folder), checkpoints=acts.checkpoints(folder))


def _size(opened: Open) -> tuple[int, int]:
    try:
        base = inspect(opened.base_model())
    except AppError:
        return 0, 0
    return base.parameters, free_space_needed(base.parameters, packed=base.file_type not in {"F32", "F16"})


def _prompt(opened: Open) -> tuple[str, int]:
    """A prompt to begin with: the demonstration's, or that of a sample from the middle of the data."""
    try:
        if opened.folder.name == demo.FOLDER and opened.project.name == demo.NAME:
            example = load_demo()
            return example.prompt, example.tokens
        samples = load_preview(opened.data).samples
    except AppError:
        return "", DEFAULT_TOKENS
    return (samples[len(samples) // 2].prompt if samples else ""), DEFAULT_TOKENS


def _answers(opened: Open, folders: list[RunFolder], merges: tuple[Merged, ...]) -> tuple[Answer, ...]:
    newest = merges[0].folder.path.name if merges else ""
    known = _known(opened.data / TEXT_FILE)
    found: list[Answer] = []
    for folder in reversed(folders):
        if len(found) == MOST_ANSWERS:
            break
        if kind_of(folder) == prove.KIND and folder.look().state == DONE:
            said = prove.texts(folder)
            found.append(
                Answer(
                    number=folder.path.name,
                    prompt=_text(folder.path / prove.PROMPT),
                    texts=said,
                    likeness={name: prove.share(prove.triples(text), known) for name, text in said.items()},
                    after_merge=folder.path.name > newest,
                )
            )
    return tuple(found)


def _known(data: Path) -> frozenset[tuple[str, ...]]:
    """The word triples at the beginning of the training text, taken in pieces, so that other threads hardly wait."""
    found: set[tuple[str, ...]] = set()
    with suppress(OSError), data.open(encoding="utf-8", errors="replace") as source:  # without it no likeness is told
        for _ in range(COMPARED // PIECE):
            found |= prove.triples(source.read(PIECE))
    return frozenset(found)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except OSError:
        return ""
