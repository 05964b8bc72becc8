"""Real trainings of a tiny model through the real runner, and what tests ask about them."""

from __future__ import annotations

import dataclasses
import math
import struct
from collections.abc import Callable
from pathlib import Path

from loragui.engine.installed import Engine
from loragui.gguf.read import read
from loragui.jobs import client
from loragui.jobs.events import Metric, Note, RunEnded, Saved, Trouble
from loragui.jobs.folder import STOPPED, RunFolder
from loragui.paths import write_json
from loragui.project import Hyperparameters
from loragui.training import start
from tests import tiny

MARKER = "<SAMPLE>"
SETTINGS = Hyperparameters(
    context_size=32, batch_size=2, iterations=12, rank=4, alpha=4, learning_rate=1e-3, threads=1, save_every=4
)
LONG = dataclasses.replace(SETTINGS, iterations=100_000, save_every=20)
Begin = Callable[..., RunFolder]


def maker(engine: Engine, place: Path) -> Begin:
    """Makes folders of trainings of a tiny model, in a project in a workspace below ``place``."""
    project = place / "space" / "projects" / "demo"
    base = place / "space" / "models" / "base.gguf"
    base.parent.mkdir(parents=True)
    tiny.write(base, tiny.Tiny(embedding=128, feed_forward=256))
    data = project / "data" / "train.txt"
    data.parent.mkdir(parents=True)
    data.write_text(tiny.samples(), encoding="utf-8")

    def make(settings: Hyperparameters = SETTINGS) -> RunFolder:
        request = start.Request(data=data, marker=MARKER, samples=20, base_model=base, engine=engine, settings=settings)
        return start.create(project / "runs", request)

    return make


def metrics(folder: RunFolder) -> list[Metric]:
    return [stamped.event for stamped in folder.events() if isinstance(stamped.event, Metric)]


def notes(folder: RunFolder) -> list[str]:
    return [stamped.event.text for stamped in folder.events() if isinstance(stamped.event, Note)]


def until_saved(folder: RunFolder, iteration: int) -> None:
    """Start, and watch until the checkpoint of ``iteration`` is verified."""
    client.start(folder)
    for stamped in client.follow(folder):
        assert not isinstance(stamped.event, RunEnded), stamped.event
        if isinstance(stamped.event, Saved) and stamped.event.iteration == iteration:
            return


def stop(folder: RunFolder, *, after_save: bool = False) -> None:
    """Ask the run to stop, and wait until it has."""
    client.request_stop(folder, after_save=after_save)
    *_, last = client.follow(folder)
    assert isinstance(last.event, RunEnded)
    assert last.event.state == STOPPED


def shorten(folder: RunFolder, iterations: int) -> None:
    """Make a long training end at ``iterations``, as if it had been planned so."""
    training = start.load(folder.path)
    settings = dataclasses.replace(training.hyperparameters, iterations=iterations)
    changed = dataclasses.replace(training, hyperparameters=settings)
    write_json(folder.path / start.FILE, {"schema": start.SCHEMA, **dataclasses.asdict(changed)})


def codes(folder: RunFolder) -> list[str]:
    """The codes of all problems so far."""
    return [stamped.event.problem.code for stamped in folder.events() if isinstance(stamped.event, Trouble)]


def overwrite(path: Path, tensor: str, value: float = math.nan, count: int = 1) -> None:
    """Put ``value`` in place of the first ``count`` numbers of a tensor of the file."""
    info = read(path).tensor(tensor)
    assert info is not None
    with path.open("r+b") as file:
        file.seek(info.offset)
        file.write(struct.pack("<f", value) * count)
