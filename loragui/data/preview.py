"""A look into the finished samples that is small enough to be read at once, however many samples there are."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loragui.data.conversation import Place
from loragui.data.samples import Sample
from loragui.errors import AppError
from loragui.paths import write_atomic

FILE = "preview.json"
SCHEMA = 1

MOST_SAMPLES = 40
MOST_BINS = 64
LEFT_OUT = "\n[…]\n"  # stands where the middle of a long text was left out
_PROMPT, _REPLY, _SPEAKER = 12_000, 6_000, 1_000  # bytes of JSON that a text may take


@dataclass(frozen=True, kw_only=True)
class PreviewSample:
    """One sample. ``number`` counts all samples from 1. ``LEFT_OUT`` stands for the middle of a very long text."""

    number: int
    prompt: str
    reply: str
    tokens: int
    speaker: str
    place: Place
    turns_before: int
    turns_left_out: int
    shortened: bool = False


@dataclass(frozen=True, kw_only=True)
class Preview:
    """How long the samples are, and some of them from the first to the last.

    ``counts[i]`` samples have ``edges[i]`` tokens or more and fewer than ``edges[i + 1]``; the last bin includes
    its upper edge, the ``context_size``.
    """

    context_size: int
    edges: tuple[int, ...]
    counts: tuple[int, ...]
    samples: tuple[PreviewSample, ...]


def preview_of(samples: Sequence[Sample], context_size: int) -> Preview:
    """The preview of all ``samples``, with those it shows spread evenly."""
    width = -(-context_size // MOST_BINS)
    edges = (*range(0, context_size, width), context_size)
    counts = [0] * (len(edges) - 1)
    for sample in samples:
        counts[min(sample.tokens // width, len(counts) - 1)] += 1
    return Preview(
        context_size=context_size,
        edges=edges,
        counts=tuple(counts),
        samples=tuple(_shown(index + 1, samples[index]) for index in spread(len(samples), MOST_SAMPLES)),
    )


def spread(count: int, most: int) -> tuple[int, ...]:
    """At most ``most`` indices below ``count`` at even distances, the first and the last among them."""
    if count <= most:
        return tuple(range(count))
    return tuple(index * (count - 1) // (most - 1) for index in range(most))


def _shown(number: int, sample: Sample) -> PreviewSample:
    return PreviewSample(
        number=number,
        prompt=capped(sample.prompt, _PROMPT),
        reply=capped(sample.reply, _REPLY),
        tokens=sample.tokens,
        speaker=capped(sample.speaker, _SPEAKER),
        place=sample.place,
        turns_before=sample.turns_before,
        turns_left_out=sample.turns_left_out,
        shortened=sample.shortened,
    )


def capped(text: str, most: int) -> str:
    """``text`` without its middle, so that it takes at most ``most`` bytes as JSON."""
    kept, shown = len(text), text
    while (size := len(json.dumps(shown))) > most:
        kept = min(kept - 1, kept * most // size)
        shown = text[: kept - kept // 2] + LEFT_OUT + text[len(text) - kept // 2 :]
    return shown


def write_preview(folder: Path, preview: Preview) -> None:
    """Write ``preview.json`` into ``folder``, atomically."""
    value = {"schema": SCHEMA, **dataclasses.asdict(preview)}
    write_atomic(folder / FILE, json.dumps(value, indent=1) + "\n")


def load_preview(folder: Path) -> Preview:
    """The preview in ``folder``. AppError if there is none, or it is damaged or newer than this program."""
    path = folder / FILE
    try:
        value = json.loads(path.read_text("utf-8"))
        if type(value["schema"]) is int and value["schema"] > SCHEMA:
            raise AppError.newer(path)
        return _parsed(value)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise AppError(
            f"{path} could not be read.",
            "Format the training data again; your own files are untouched.",
            details=repr(error),
            code="preview-damaged",
        ) from error


def _parsed(value: dict[str, Any]) -> Preview:
    if value["schema"] != SCHEMA:
        raise ValueError("no known schema")
    preview = Preview(
        context_size=value["context_size"],
        edges=tuple(value["edges"]),
        counts=tuple(value["counts"]),
        samples=tuple(PreviewSample(**{**row, "place": Place(**row["place"])}) for row in value["samples"]),
    )
    numbers = [preview.context_size, *preview.edges, *preview.counts]
    texts: list[object] = []
    for row in preview.samples:
        numbers += [row.number, row.tokens, row.turns_before, row.turns_left_out]
        texts += [row.prompt, row.reply, row.speaker, row.place.file]
    if not all(type(number) is int for number in numbers) or not all(isinstance(text, str) for text in texts):
        raise TypeError("a number or a text is of another kind")
    if len(preview.edges) != len(preview.counts) + 1 or list(preview.edges) != sorted(set(preview.edges)):
        raise ValueError("the edges do not rise, or are not one more than the counts")
    return preview
