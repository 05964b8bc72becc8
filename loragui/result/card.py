"""The card of a LoRA: what people write beside one when they publish it, as Markdown.

It tells how the LoRA was made and how it is used, and nothing of the data but sums: no texts, no names of speakers or
of the person's files, no folders (they may hold the person's own name). What is not known is said to be unknown.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from loragui import units
from loragui.model.inspect import short_count
from loragui.paths import write_atomic
from loragui.project import Hyperparameters
from loragui.training.source import DataFacts

NAME = "LoRA-card"
UNKNOWN = "unknown"
SMOOTH = 10
"""Iterations over which the loss is averaged."""


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """A file by its name alone. ``bytes`` of 0 and an empty ``sha256`` are not known."""

    name: str
    bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class LossFacts:
    """``last`` is the loss of the LoRA's iteration, ``lowest`` the lowest mean of ``SMOOTH`` iterations up to it."""

    last: float | None = None
    lowest: float | None = None


@dataclass(frozen=True, kw_only=True)
class BaseFacts:
    """The base model. ``source`` is the file it was converted from, ``changes`` what was changed, ``formats`` of its
    numbers; empty texts are not known.
    """

    file: FileFacts
    name: str = ""
    architecture: str = ""
    parameters: int = 0
    formats: str = ""
    licence: str = ""
    source: FileFacts | None = None
    changes: str = ""


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """All that a card tells. ``iteration`` is the LoRA's, ``iterations`` and ``seconds`` the whole training's."""

    title: str
    merged: FileFacts
    lora: FileFacts
    base: BaseFacts
    output_type: str
    strength: float
    iteration: int
    iterations: int = 0
    seconds: float = 0.0
    loss: LossFacts = LossFacts()
    engine: str = ""
    commit: str = ""
    recipe: str = ""
    marker: str = ""
    settings: Hyperparameters | None = None
    data: DataFacts | None = None


def card(facts: CardFacts) -> str:
    """The card as Markdown."""
    parts = (
        (f"# {' '.join(facts.title.split())}", _intro(facts)),
        ("## Files", _files(facts)),
        ("## Base model", _base_lines(facts.base)),
        ("## Training", _training_lines(facts)),
        ("## Data", _data_lines(facts.data)),
        ("## How to prompt it", _prompt_lines(facts)),
        ("## How to load it", _load_lines(facts)),
    )
    return "\n\n".join(f"{heading}\n\n{text}" for heading, text in parts) + "\n"


def _intro(facts: CardFacts) -> str:
    base = facts.base.source or facts.base.file
    return f"A LoRA of {_code(base.name)}, merged into its base model. Made with loragui."


def _files(facts: CardFacts) -> str:
    return _rows(
        ("Merged model", f"{_file_text(facts.merged)}, type {facts.output_type}"),
        ("LoRA", f"{_file_text(facts.lora)}, saved at iteration {facts.iteration:,}"),
        ("Strength of the LoRA in the merged model", f"{facts.strength:g}"),
    )


def _base_lines(base: BaseFacts) -> str:
    rows = [("File", _file_text(base.file))]
    if base.source:
        rows += [("Converted from", _file_text(base.source)), ("Changes", base.changes or UNKNOWN)]
    parameters = short_count(base.parameters) if base.parameters else UNKNOWN
    return _rows(
        *rows,
        ("Name", base.name or UNKNOWN),
        ("Architecture", base.architecture or UNKNOWN),
        ("Parameters", parameters),
        ("Number format (quantization) of the file", base.formats or UNKNOWN),
        ("Licence", base.licence or UNKNOWN),
    )


def _training_lines(facts: CardFacts) -> str:
    revision = facts.engine or UNKNOWN
    if facts.commit:
        revision += f", commit {_code(facts.commit)}"
    last, lowest = facts.loss.last, facts.loss.lowest
    return _rows(
        ("Engine", revision),
        ("Engine built", facts.recipe or UNKNOWN),
        ("Iterations done", f"{facts.iterations:,}" if facts.iterations else UNKNOWN),
        ("Time", units.duration(facts.seconds) if facts.seconds else UNKNOWN),
        (f"Loss at iteration {facts.iteration:,}", UNKNOWN if last is None else f"{last:.4f}"),
        (f"Lowest loss, mean of {SMOOTH} iterations", UNKNOWN if lowest is None else f"{lowest:.4f}"),
        *_settings(facts.settings),
    )


_SAME_RESULT = {"gradient_checkpointing", "flash_attention"}


def _settings(chosen: Hyperparameters | None) -> Iterator[tuple[str, str]]:
    if chosen is None:
        yield "Settings", UNKNOWN
        return
    yield "Rank", str(chosen.rank)
    yield "Alpha", str(chosen.alpha)
    yield "Learning rate", f"{chosen.learning_rate:g}, reached after {chosen.warmup} iterations"
    yield "Decay steps of the learning rate", str(chosen.cosine_decay_steps or "the engine's own")
    yield "Iterations planned", f"{chosen.iterations:,}"
    yield "Batch size", f"{chosen.batch_size}, gradient accumulation {chosen.gradient_accumulation}"
    yield "Context size", f"{chosen.context_size} tokens"
    yield "Seed", str(chosen.seed)
    for spec in fields(chosen):  # the rare ones, where somebody changed them
        value = getattr(chosen, spec.name)
        rare = spec.default is None or isinstance(spec.default, bool)
        if rare and value != spec.default and spec.name not in _SAME_RESULT:
            name = spec.name.replace("_", " ").capitalize()
            yield name, ("on" if value else "off") if isinstance(value, bool) else f"{value:g}"


def _data_lines(data: DataFacts | None) -> str:
    if data is None:
        return _rows(("Training data", UNKNOWN))
    about = "" if data.exact else "about "
    return _rows(
        ("Files", f"{data.files:,}"),
        ("Conversations", f"{data.conversations:,}"),
        ("Samples", f"{data.samples:,}"),
        ("Tokens", f"{about}{data.tokens:,}"),
        ("Longest sample", f"{about}{data.longest:,} tokens"),
        ("Median sample", f"{about}{data.median:,} tokens"),
        ("Template", data.template),
    )


def _prompt_lines(facts: CardFacts) -> str:
    prompt = facts.data.prompt if facts.data else ""
    if prompt:
        form = f"Write prompts in this form, with no space or line after the end:\n\n{textwrap.indent(prompt, '    ')}"
    else:
        form = f"The form of a prompt is {UNKNOWN}."
    if not facts.marker:
        return form
    marker = f"In the training text {_code(facts.marker)} stood before every sample."
    return f"{form}\n\n{marker} It only told the samples apart and belongs in no prompt."


def _load_lines(facts: CardFacts) -> str:
    merged, lora = _code(facts.merged.name), _code(facts.lora.name)
    old = f"`main --lora` of that same llama.cpp revision ({facts.commit or facts.engine or UNKNOWN})"
    return (
        f"Open {merged} in any program that runs GGUF models, such as koboldcpp or llama.cpp's llama-server.\n\n"
        f"{lora} is in the old `ggla` format: only {old} reads it, together with the base model above."
    )


def _rows(*rows: tuple[str, str]) -> str:
    return "\n".join(f"- {label}: {' '.join(text.split())}" for label, text in rows)


def _file_text(file: FileFacts) -> str:
    count = f"{file.bytes:,} bytes" if file.bytes else f"size {UNKNOWN}"
    return f"{_code(file.name)}, {count}, sha256 {_code(file.sha256) if file.sha256 else UNKNOWN}"


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def write_card(merge_folder: Path, text: str) -> Path:
    """Write the card beside the merged model, and return its path. A card that was edited stays as it is."""
    number = 1
    while True:
        path = merge_folder / (f"{NAME}.md" if number == 1 else f"{NAME}-{number}.md")
        if not path.exists():
            write_atomic(path, text)
            return path
        if path.read_bytes() == text.encode():
            return path
        number += 1
