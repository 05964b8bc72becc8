"""Trainings on the real engine, through the real runner: saved, stopped, killed, resumed."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from pathlib import Path

import psutil
import pytest

from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.gguf.read import GgmlType, read
from loragui.jobs import client, process
from loragui.jobs.events import Saved, StepEnded
from loragui.jobs.folder import BROKEN, DONE, FAILED, RunFolder
from loragui.result import merge
from loragui.training import start
from loragui.training.checkpoints import checkpoint_path, last_good, numbers
from loragui.training.runs import latest_training, summarize
from tests.training.trainings import (
    LONG,
    SETTINGS,
    Begin,
    codes,
    maker,
    metrics,
    notes,
    overwrite,
    shorten,
    stop,
    until_saved,
)  # fmt: skip

pytestmark = pytest.mark.real


@pytest.fixture
def begin(engine: Engine, tmp_path: Path) -> Begin:
    return maker(engine, tmp_path)


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
    stop(folder)
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
    assert "Continuing at 20 of 30." in notes(folder)
    assert codes(folder) == [], "the engine knows its data again"
    assert summarize(folder).state == DONE


def test_stop_after_the_next_checkpoint_loses_nothing(begin: Begin) -> None:
    folder = begin(LONG)
    until_saved(folder, 20)
    stop(folder, after_save=True)
    saved = [stamped.event for stamped in folder.events() if isinstance(stamped.event, Saved)][-1]
    checkpoint = last_good(folder.path)
    assert checkpoint is not None
    assert checkpoint.iteration >= saved.iteration


def test_a_killed_runner_leaves_no_orphan_and_the_training_resumes(begin: Begin, engine: Engine) -> None:
    folder = begin(LONG)
    until_saved(folder, 40)
    owner = folder.owner()
    assert owner is not None
    runner = psutil.Process(owner["pid"])
    assert process.marked(owner["run_id"]), "the engine is at work"
    runner.kill()
    psutil.wait_procs([runner])
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


def test_a_loss_that_is_not_a_number_stops_the_run_at_once(begin: Begin) -> None:
    folder = begin(LONG)
    overwrite(start.load(folder.path).base_model.resolve(folder.path), "output_norm.weight")
    ended = client.run_to_end(folder)
    assert ended.state == FAILED
    assert ended.problem is not None
    assert ended.problem.code == "nan"
    assert len(metrics(folder)) <= 2


@pytest.mark.parametrize("scale", [100, 1e37])
def test_a_training_that_runs_away_keeps_a_good_checkpoint(begin: Begin, scale: float) -> None:
    """With logits near the largest number the LoRA is lost an iteration before the loss shows it."""
    wild = dataclasses.replace(SETTINGS, iterations=500, learning_rate=9.9, warmup=0, save_every=1)
    folder = begin(wild)
    base = start.load(folder.path).base_model.resolve(folder.path)
    overwrite(base, "output_norm.weight", scale, 128)
    ended = client.run_to_end(folder)
    assert ended.problem is not None
    assert ended.problem.code == "nan"
    good = last_good(folder.path)
    assert good is not None
    saved = [stamped.event.iteration for stamped in folder.events() if isinstance(stamped.event, Saved)]
    assert saved[-1] == good.iteration
    assert merge.merge_of("Wild", folder.path, iteration=None, output_type="F32", strength=1).iteration == saved[-1]


def test_a_poisoned_checkpoint_is_passed_over(begin: Begin) -> None:
    folder = begin()
    assert client.run_to_end(folder).state == DONE
    path = checkpoint_path(folder.path, 12)
    overwrite(path, next(tensor.name for tensor in read(path).tensors if tensor.type == GgmlType.F32))
    good = last_good(folder.path)
    assert good is not None
    assert good.iteration == 8


def test_resume_refuses_changed_data_another_engine_and_a_running_training(begin: Begin, engine: Engine) -> None:
    folder = begin(LONG)
    until_saved(folder, 20)
    with pytest.raises(AppError, match="already running"):
        start.prepare_resume(folder, engine)
    stop(folder)
    with pytest.raises(AppError, match="was started with engine"):
        start.prepare_resume(folder, dataclasses.replace(engine, pin="b1298"))
    data = folder.path / start.DATA
    data.write_text(data.read_text() + "more")
    with pytest.raises(AppError, match="was changed"):
        start.prepare_resume(folder, engine)


@pytest.mark.skipif(os.name == "nt", reason="renames an open folder")
def test_nothing_of_the_person_is_written(begin: Begin) -> None:
    folder = begin()
    data = folder.path.parents[1] / "data" / "train.txt"
    before = (data.read_bytes(), data.stat().st_mtime_ns)
    assert client.run_to_end(folder).state == DONE
    assert (data.read_bytes(), data.stat().st_mtime_ns) == before
