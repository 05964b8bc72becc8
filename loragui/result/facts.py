"""What the card of a LoRA tells, read from the folders of its merge and its training and from its base model."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from loragui.engine import catalogue
from loragui.engine.catalogue import Pin
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.gguf.read import GgufFile, read
from loragui.jobs.events import Event, Metric
from loragui.jobs.folder import RunFolder
from loragui.model import convert, inspect
from loragui.paths import file_sha256
from loragui.result import merge as merging
from loragui.result.card import SMOOTH, BaseFacts, CardFacts, FileFacts, LossFacts
from loragui.training import start
from loragui.training.runs import summarize
from loragui.training.source import data_facts

CHEAP = 32 << 20
"""Bytes up to which a file is hashed without being asked: a fraction of a second."""


def card_facts(
    title: str, merge_folder: Path, *, data: Path, template: str, engine: Engine | None, hash_up_to: int = CHEAP
) -> CardFacts:
    """Read what there is about a finished merge. Files of more than ``hash_up_to`` bytes are not hashed.

    ``data``, ``template`` and ``engine`` are the project's of now; what was made with others is not told of them.
    AppError when the merge is not finished; a training or base model that is gone only leaves gaps.
    """
    what, output = merging.load(merge_folder), merging.output_path(merge_folder)
    folder = RunFolder(Path(what.lora).parent)
    run = summarize(folder)
    training = _training(folder.path)
    pin = _pin(training)
    revision = training.pin if training else ""
    return CardFacts(
        title=title,
        merged=_file(output, hash_up_to),
        lora=_file(Path(what.lora), hash_up_to),
        base=_base(Path(what.base_model), hash_up_to),
        output_type=what.output_type,
        strength=what.strength,
        iteration=what.iteration,
        iterations=run.iteration,
        seconds=run.seconds,
        loss=loss_facts((stamped.event for stamped in folder.scan(Metric)), what.iteration),
        engine=pin.name if pin else revision,
        commit=pin.commit if pin else "",
        recipe=_recipe(training, engine),
        marker=training.marker if training else "",
        settings=training.hyperparameters if training else None,
        data=data_facts(data, template, training) if training else None,
    )


def _training(folder: Path) -> start.Training | None:
    try:
        return start.load(folder)
    except AppError:
        return None


def _pin(training: start.Training | None) -> Pin | None:
    known = (pin for pin in catalogue.pins() if training and pin.id == training.pin)
    return next(known, None)


def _recipe(training: start.Training | None, engine: Engine | None) -> str:
    if training is None or engine is None or engine.name != training.engine:
        return ""
    known = catalogue.known_recipe(engine.recipe)
    return known.name if known is not None else engine.recipe


def _file(path: Path, hash_up_to: int) -> FileFacts:
    try:
        count = path.stat().st_size
        return FileFacts(name=path.name, bytes=count, sha256=file_sha256(path) if count <= hash_up_to else "")
    except OSError:
        return FileFacts(name=path.name)


def _base(path: Path, hash_up_to: int) -> BaseFacts:
    file = _file(path, hash_up_to)
    try:
        header = read(path)
    except AppError:
        return BaseFacts(file=file)
    model = inspect.of(header)
    return BaseFacts(
        file=file,
        name=header.text("general.name"),
        architecture=model.architecture,
        parameters=model.parameters,
        formats=inspect.formats(model),
        licence=model.licence,
        source=_source(header),
        changes=header.text(convert.NOTE_CHANGES),
    )


def _source(header: GgufFile) -> FileFacts | None:
    name = header.text(convert.NOTE_SOURCE)
    return FileFacts(name=name, sha256=header.text(convert.NOTE_HASH)) if name else None


def loss_facts(events: Iterable[Event], iteration: int) -> LossFacts:
    """The loss up to ``iteration``. What a resumed training did again counts once, as it was done the last time."""
    losses = {event.iteration: event.loss for event in events if isinstance(event, Metric)}
    row = [losses[number] for number in sorted(losses) if number <= iteration]
    means = [sum(row[at : at + SMOOTH]) / SMOOTH for at in range(len(row) - SMOOTH + 1)]
    last = losses.get(iteration)
    return LossFacts(
        last=last if last is not None and math.isfinite(last) else None,
        lowest=min((mean for mean in means if math.isfinite(mean)), default=None),
    )
