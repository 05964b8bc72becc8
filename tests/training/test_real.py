"""Trainings on the real engine, through the real runner: saved, stopped, killed, resumed, merged, proved."""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
import struct
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.gguf.read import GgmlType, read
from loragui.jobs import client, process
from loragui.jobs.events import Metric, Note, RunEnded, Saved, StepEnded
from loragui.jobs.folder import BROKEN, DONE, FAILED, RunFolder
from loragui.project import Hyperparameters
from loragui.result import merge, prove
from loragui.result.prove import Candidate
from loragui.training import start
from loragui.training.checkpoints import checkpoint_path, last_good, lora_path, numbers
from loragui.training.runs import latest_training, summarize
from tests import tiny

pytestmark = pytest.mark.real

MARKER = "<SAMPLE>"
SETTINGS = Hyperparameters(
    context_size=32, batch_size=2, iterations=12, rank=4, alpha=4, learning_rate=1e-3, threads=1, save_every=4
)
LONG = dataclasses.replace(SETTINGS, iterations=100_000, save_every=20)
Begin = Callable[..., RunFolder]


@pytest.fixture
def begin(engine: Engine, tmp_path: Path) -> Begin:
    """Makes the folder of a training of a tiny model in a project of its own."""
    project = tmp_path / "space" / "projects" / "demo"
    base = tmp_path / "space" / "models" / "base.gguf"
    base.parent.mkdir(parents=True)
    tiny.write(base, tiny.Tiny(embedding=128, feed_forward=256))
    data = project / "data" / "train.txt"
    data.parent.mkdir(parents=True)
    data.write_text(tiny.samples(), encoding="utf-8")

    def make(settings: Hyperparameters = SETTINGS) -> RunFolder:
        return start.create(
            project / "runs", data=data, marker=MARKER, samples=20, base_model=base, engine=engine, settings=settings
        )

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


def shorten(folder: RunFolder, iterations: int) -> None:
    """Make a long training end at ``iterations``, as if it had been planned so."""
    training = start.load(folder.path)
    settings = dataclasses.replace(training.hyperparameters, iterations=iterations)
    changed = dataclasses.replace(training, hyperparameters=settings)
    start.write_json(folder.path / start.FILE, {"schema": start.SCHEMA, **dataclasses.asdict(changed)})


def test_a_training_saves_verifies_and_rotates(begin: Begin, engine: Engine) -> None:
    folder = begin()
    assert client.run_to_end(folder).state == DONE
    assert [event.iteration for event in metrics(folder)] == list(range(1, 13))
    saved = [stamped.event.iteration for stamped in folder.events() if isinstance(stamped.event, Saved)]
    assert saved == [4, 8, 12]
    assert numbers(folder.path, "checkpoint") == [8, 12]
    assert numbers(folder.path, "lora") == [4, 8, 12]
    checkpoint = last_good(folder.path)
    assert checkpoint is not None
    assert checkpoint.iteration == 12
    ended = next(stamped.event for stamped in folder.events() if isinstance(stamped.event, StepEnded))
    assert ended.ok
    with pytest.raises(AppError, match="complete"):
        start.plan(folder.path, start.load(folder.path), engine)


def test_a_stopped_training_goes_on_where_it_was_also_after_a_move(begin: Begin, engine: Engine) -> None:
    whole = begin(dataclasses.replace(SETTINGS, iterations=30, save_every=20))
    assert client.run_to_end(whole).state == DONE
    expected = [event.loss for event in metrics(whole)][20:]
    folder = begin(LONG)
    until_saved(folder, 20)
    client.request_stop(folder)
    assert [stamped.event for stamped in client.follow(folder)][-1].state == "stopped"
    newest = last_good(folder.path)
    assert newest is not None
    for number in numbers(folder.path, "checkpoint"):
        if number > 20:
            checkpoint_path(folder.path, number).unlink()
    if newest.iteration != 20:  # more were saved before the stop was seen, and 20 was rotated away
        shutil.copy(checkpoint_path(whole.path, 20), folder.path)
    space = folder.path.parents[3]
    space.rename(space.with_name("moved"))
    folder = RunFolder(space.with_name("moved") / folder.path.relative_to(space))
    shorten(folder, 30)
    start.prepare_resume(folder, engine)
    argv = folder.load_plan().steps[0].command.argv
    assert argv[argv.index("--adam-iter") + 1] == "10"
    assert argv[argv.index("--checkpoint-in") + 1] == "checkpoint-20.gguf"
    assert argv[argv.index("--train-data") + 1] == "train.txt"
    before = len(metrics(folder))
    assert client.run_to_end(folder).state == DONE
    resumed = metrics(folder)[before:]
    assert [event.iteration for event in resumed] == list(range(21, 31))
    assert [event.loss for event in resumed] == pytest.approx(expected, rel=1e-3), "the shuffle went on"
    assert any("20 of 30" in note for note in notes(folder)), notes(folder)
    assert summarize(folder).state == DONE


def test_stop_after_the_next_checkpoint_loses_nothing(begin: Begin) -> None:
    folder = begin(LONG)
    until_saved(folder, 20)
    client.request_stop(folder, after_save=True)
    ended = [stamped.event for stamped in client.follow(folder)][-1]
    assert isinstance(ended, RunEnded)
    assert ended.state == "stopped"
    saved = [stamped.event for stamped in folder.events() if isinstance(stamped.event, Saved)][-1]
    checkpoint = last_good(folder.path)
    assert checkpoint is not None
    assert checkpoint.iteration >= saved.iteration


def test_a_killed_runner_leaves_no_orphan_and_the_training_resumes(begin: Begin, engine: Engine) -> None:
    folder = begin(LONG)
    until_saved(folder, 40)
    owner = folder.owner()
    assert owner is not None
    psutil.Process(owner["pid"]).kill()
    while folder.is_running():
        pass
    began = time.monotonic()
    assert folder.look().state == BROKEN
    assert time.monotonic() - began < 2
    assert process.marked(owner["run_id"]) == []
    checkpoint = last_good(folder.path)
    assert checkpoint is not None
    shorten(folder, checkpoint.iteration + 3)
    start.prepare_resume(folder, engine)
    assert client.run_to_end(folder).state == DONE
    assert latest_training(folder.path.parents[1]).path == folder.path


def poison(path: Path, tensor: str) -> None:
    """Write a number that is none into a tensor of the file."""
    info = read(path).tensor(tensor)
    assert info is not None
    with path.open("r+b") as file:
        file.seek(info.offset)
        file.write(struct.pack("<f", math.nan))


def test_a_loss_that_is_not_a_number_stops_the_run_at_once(begin: Begin) -> None:
    folder = begin(LONG)
    poison(start.load(folder.path).base_model.resolve(folder.path), "output_norm.weight")
    ended = client.run_to_end(folder)
    assert ended.state == FAILED
    assert ended.problem is not None
    assert ended.problem.code == "nan"
    assert len(metrics(folder)) <= 2


def test_a_poisoned_checkpoint_is_passed_over(begin: Begin) -> None:
    folder = begin()
    assert client.run_to_end(folder).state == DONE
    path = checkpoint_path(folder.path, 12)
    poison(path, next(tensor.name for tensor in read(path).tensors if tensor.type == GgmlType.F32))
    good = last_good(folder.path)
    assert good is not None
    assert good.iteration == 8


def test_resume_refuses_changed_data_another_engine_and_a_running_training(begin: Begin, engine: Engine) -> None:
    folder = begin(LONG)
    until_saved(folder, 20)
    with pytest.raises(AppError, match="already running"):
        start.prepare_resume(folder, engine)
    client.request_stop(folder)
    list(client.follow(folder))
    with pytest.raises(AppError, match="was started with engine"):
        start.prepare_resume(folder, dataclasses.replace(engine, pin="b1298"))
    data = folder.path / start.DATA
    data.write_text(data.read_text() + "more")
    with pytest.raises(AppError, match="was changed"):
        start.prepare_resume(folder, engine)


def test_the_merged_model_says_what_base_and_lora_say(begin: Begin, engine: Engine) -> None:
    training = begin(dataclasses.replace(SETTINGS, iterations=60, save_every=30, learning_rate=1e-2))
    assert client.run_to_end(training).state == DONE
    runs = training.path.parent
    wanted = merge.merge_of("Tiny", training.path, iteration=None, output_type="Q8_0", strength=1.0, keep_f32=True)
    folder = merge.create(runs, wanted, engine)
    ended = client.run_to_end(folder)
    assert ended.state == DONE, ended.problem
    merged = merge.output_path(folder.path)
    assert merged.name == "tiny-0001-60.Q8_0.gguf"
    base = Path(wanted.base_model)
    candidates = (
        Candidate(id="base", title="Base", model=base),
        Candidate(id="lora", title="LoRA", model=base, lora=Path(wanted.lora)),
        Candidate(id="wide", title="Wide", model=folder.path / merge.MERGED_F32),
        Candidate(id="merged", title="Merged", model=merged),
    )
    asked = prove.create(runs, engine, candidates, "The lamp", tokens=24, threads=1, seed=1)
    assert client.run_to_end(asked).state == DONE
    proof = prove.weigh(prove.texts(asked), tiny.samples())
    assert proof.agreement > 0.95
    assert proof.texts["base"] != proof.texts["lora"]


def test_a_lora_of_another_base_is_refused(begin: Begin, engine: Engine) -> None:
    training = begin()
    assert client.run_to_end(training).state == DONE
    wanted = merge.merge_of("Tiny", training.path, iteration=8, output_type="Q8_0", strength=1.0)
    other = training.path / "other.gguf"
    tiny.write(other, tiny.Tiny(embedding=64, feed_forward=128))
    folder = merge.create(training.path.parent, dataclasses.replace(wanted, base_model=str(other)), engine)
    ended = client.run_to_end(folder)
    assert ended.problem is not None
    assert ended.problem.code == "other-base"
    with pytest.raises(AppError, match="not produced a model"):
        merge.output_path(folder.path)
    with pytest.raises(AppError, match="no LoRA of iteration 7"):
        merge.merge_of("Tiny", training.path, iteration=7, output_type="Q8_0", strength=1.0)
    lora_path(training.path, 8).write_bytes(checkpoint_path(training.path, 12).read_bytes())
    folder = merge.create(training.path.parent, wanted, engine)
    ended = client.run_to_end(folder)
    assert ended.problem is not None
    assert ended.problem.code == "not-a-lora"


@pytest.mark.skipif(os.name == "nt", reason="renames an open folder")
def test_nothing_of_the_person_is_written(begin: Begin) -> None:
    folder = begin()
    data = folder.path.parents[1] / "data" / "train.txt"
    before = (data.read_bytes(), data.stat().st_mtime_ns)
    assert client.run_to_end(folder).state == DONE
    assert (data.read_bytes(), data.stat().st_mtime_ns) == before
