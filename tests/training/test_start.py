"""What a training's folder holds, the exact plan, and what a resume refuses; nothing runs here."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from loragui.engine import tuning
from loragui.engine.installed import Engine
from loragui.engine.tuning import Tuning
from loragui.errors import AppError
from loragui.jobs import process
from loragui.jobs.folder import RunFolder
from loragui.machine import cpu_name
from loragui.paths import file_sha256, write_json
from loragui.project import Hyperparameters
from loragui.training import start
from tests.training.files import paper_engine, write_checkpoint

SETTINGS = Hyperparameters(
    context_size=32, batch_size=2, iterations=40, rank=4, alpha=8, learning_rate=1e-3, threads=1, save_every=4
)
Begin = Callable[..., RunFolder]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return paper_engine(tmp_path / "engine")


@pytest.fixture
def begin(tmp_path: Path, engine: Engine) -> Begin:
    """Makes a training in ``space/projects/tale``, with its base model in ``space/models``."""
    space = tmp_path / "space"
    for path, text in (("models/base.gguf", "base"), ("projects/tale/data/train.txt", "<S>one<S>two")):
        (space / path).parent.mkdir(parents=True)
        (space / path).write_text(text)

    def make(settings: Hyperparameters = SETTINGS, data: str = "train.txt") -> RunFolder:
        project = space / "projects" / "tale"
        request = start.Request(
            data=project / "data" / data, marker="<S>", samples=2,
            base_model=space / "models" / "base.gguf", engine=engine, settings=settings,
        )  # fmt: skip
        return start.create(project / "runs", request)

    return make


def argv_of(folder: RunFolder) -> tuple[str, ...]:
    (step,) = folder.load_plan().steps
    return step.command.argv


def after(argv: tuple[str, ...], flag: str) -> str:
    return argv[argv.index(flag) + 1]


def test_a_training_is_a_folder_with_everything_it_needs(begin: Begin, engine: Engine) -> None:
    folder = begin()
    assert folder.path.name == "0001"
    assert sorted(path.name for path in folder.path.iterdir()) == ["plan.json", "train.txt", "training.json"]
    training = start.load(folder.path)
    assert training.hyperparameters == SETTINGS
    assert (training.marker, training.samples, training.pin) == ("<S>", 2, "b2896")
    assert training.data_sha256 == file_sha256(folder.path / "train.txt")
    (step,) = folder.load_plan().steps
    assert step.command.argv == (
        str(engine.folder / "finetune"),
        "--model-base", "../../../../models/base.gguf", "--train-data", "train.txt", "--sample-start", "<S>",
        "--checkpoint-in", "", "--checkpoint-out", "checkpoint-ITERATION.gguf", "--lora-out", "lora-ITERATION.gguf",
        "--adam-iter", "40", "--save-every", "4", "--seed", "1", "--threads", "1", "--ctx", "32", "--batch", "2",
        "--grad-acc", "1", "--adam-alpha", "0.001", "--warmup", "10", "--lora-r", "4", "--lora-alpha", "8",
        "--use-checkpointing", "--use-flash",
    )  # fmt: skip
    assert step.command.cwd == "."
    assert step.command.env == engine.environment
    assert step.command.reader == "train"
    assert step.command.reader_args == {
        "target": 40, "resumed_at": 0, "samples": 2, "context_size": 32, "overlapping": False,
    }  # fmt: skip


def test_the_measured_threads_of_openblas_go_with_the_measured_threads(begin: Begin, engine: Engine) -> None:
    found = Tuning(
        date="", cpu=cpu_name(), cores=8, threads=SETTINGS.threads, blas_threads=7, seconds_default=2, seconds_best=1
    )
    for threads, blas in ((SETTINGS.threads, "7"), (SETTINGS.threads + 1, "1")):
        tuning.save(engine.folder, dataclasses.replace(found, threads=threads))
        (step,) = begin().load_plan().steps
        assert step.command.env == {**engine.environment, tuning.BLAS: blas}


def test_later_edits_of_the_project_change_nothing(begin: Begin) -> None:
    folder = begin()
    (folder.path.parents[1] / "data" / "train.txt").write_text("<S>other")
    assert (folder.path / "train.txt").read_text() == "<S>one<S>two"


def test_trainings_are_numbered_and_a_failed_start_leaves_nothing(begin: Begin) -> None:
    runs = begin().path.parent
    assert begin().path.name == "0002"
    (runs / "notes").mkdir()
    (runs / "0041").mkdir()
    assert begin().path.name == "0042"
    with pytest.raises(AppError) as missing:
        begin(data="missing.txt")
    assert missing.value.problem.code == "file-missing"
    with pytest.raises(AppError, match="context size"):
        begin(dataclasses.replace(SETTINGS, context_size=0))
    assert sorted(path.name for path in runs.iterdir()) == ["0001", "0002", "0041", "0042", "notes"]


def test_a_place_where_no_folder_can_be_made_is_told(begin: Begin) -> None:
    runs = begin().path.parent
    runs.rename(runs.with_name("old"))
    runs.touch()
    with pytest.raises(AppError):
        begin()


def test_a_resume_gets_the_iterations_that_are_left(begin: Begin, engine: Engine) -> None:
    folder = begin()
    fresh = argv_of(folder)
    write_checkpoint(folder.path / "checkpoint-8.gguf", 8)
    write_checkpoint(folder.path / "checkpoint-12.gguf", 12)
    write_checkpoint(folder.path / "checkpoint-16.gguf", 16, math.nan)
    (folder.path / "checkpoint-20.gguf").write_bytes(b"GGUF")
    (folder.path / "checkpoint-LATEST.gguf").write_bytes(b"GGUF")
    start.prepare_resume(folder, engine)
    plan = folder.load_plan()
    resumed = plan.steps[0].command
    changed = {a: b for a, b in zip(resumed.argv, fresh, strict=True) if a != b}
    assert changed == {"checkpoint-12.gguf": "", "28": "40"}
    assert after(resumed.argv, "--checkpoint-in") == "checkpoint-12.gguf"
    assert after(resumed.argv, "--adam-iter") == "28"
    assert resumed.reader_args["resumed_at"] == 12
    assert resumed.reader_args["target"] == 40
    assert "from iteration 12 to 40" in plan.title


def test_a_resume_asks_for_the_passes_that_are_left(begin: Begin, engine: Engine) -> None:
    folder = begin(settings=dataclasses.replace(SETTINGS, max_epochs=3))
    assert after(argv_of(folder), "--epochs") == "3"
    write_checkpoint(folder.path / "checkpoint-12.gguf", 12, epochs=2)
    start.prepare_resume(folder, engine)
    assert after(argv_of(folder), "--epochs") == "1"
    write_checkpoint(folder.path / "checkpoint-16.gguf", 16, epochs=3)
    with pytest.raises(AppError, match="They make 3 passes") as caught:
        start.prepare_resume(folder, engine)
    assert caught.value.problem.code == "complete"


def test_without_a_good_checkpoint_it_begins_anew(begin: Begin, engine: Engine) -> None:
    folder = begin()
    fresh = argv_of(folder)
    (folder.path / "checkpoint-4.gguf").write_bytes(b"GGUF")
    start.prepare_resume(folder, engine)
    assert argv_of(folder) == fresh


def test_a_resume_refuses_what_would_not_be_the_same_training(begin: Begin, engine: Engine) -> None:
    folder = begin()
    before = folder.plan_file.read_bytes()

    def refused(engine: Engine = engine) -> str:
        with pytest.raises(AppError) as error:
            start.prepare_resume(folder, engine)
        return error.value.problem.code

    assert refused(dataclasses.replace(engine, pin="b2321")) == "other-engine"
    data = folder.path / "train.txt"
    content = data.read_text()
    data.write_text(content + " ")
    assert refused() == "data-changed"
    data.unlink()
    assert refused() == "data-changed"
    data.write_text(content)
    me = psutil.Process()
    write_json(folder.pid_file, {"pid": me.pid, "create_time": me.create_time(), "run_id": "mine"})
    assert refused() == "already-running"
    folder.pid_file.unlink()
    write_checkpoint(folder.path / "checkpoint-40.gguf", 40)
    assert refused() == "complete"
    assert folder.plan_file.read_bytes() == before


def test_a_project_moved_alone_or_with_its_workspace_goes_on(begin: Begin, engine: Engine, tmp_path: Path) -> None:
    folder = begin()
    space = tmp_path / "space"
    moved = RunFolder(tmp_path / "elsewhere" / "tale" / "runs" / "0001")
    moved.path.parents[2].mkdir()
    (space / "projects" / "tale").rename(tmp_path / "elsewhere" / "tale")
    start.prepare_resume(moved, engine)
    assert after(argv_of(moved), "--model-base") == "../../../../space/models/base.gguf"
    assert after(argv_of(moved), "--train-data") == "train.txt"
    (tmp_path / "elsewhere" / "tale").rename(space / "projects" / "tale")
    space.rename(tmp_path / "new")
    back = RunFolder(tmp_path / "new" / folder.path.relative_to(space))
    start.prepare_resume(back, engine)
    assert after(argv_of(back), "--model-base") == "../../../../models/base.gguf"
    (tmp_path / "new" / "models" / "base.gguf").unlink()
    with pytest.raises(AppError, match="not there any more"):
        start.prepare_resume(back, engine)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"schema": 99}, "newer version"),
        ({"samples": "many"}, "damaged"),
        ({"hyperparameters": {"rank": "4"}}, "damaged"),
        ({"base_model": {"path": "x"}}, "damaged"),
        ({"schema": None}, "damaged"),
    ],
)
def test_a_snapshot_that_cannot_be_trusted_is_refused(begin: Begin, change: dict[str, object], problem: str) -> None:
    folder = begin()
    file = folder.path / start.FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(AppError, match=problem):
        start.load(folder.path)


@pytest.mark.parametrize("content", ["", "[]", "null", "{"])
def test_a_snapshot_that_is_none_is_refused(begin: Begin, content: str) -> None:
    folder = begin()
    (folder.path / start.FILE).write_text(content)
    with pytest.raises(AppError, match="damaged"):
        start.load(folder.path)
    (folder.path / start.FILE).unlink()
    with pytest.raises(AppError, match="holds no training"):
        start.load(folder.path)


def test_a_resume_ends_what_a_killed_runner_left_before_it_looks_at_checkpoints(begin: Begin, engine: Engine) -> None:
    folder = begin()
    orphan = subprocess.Popen(
        [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"],
        env={**os.environ, process.MARK: "killed"}, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert orphan.stdout is not None
    try:
        orphan.stdout.readline()
        write_json(folder.pid_file, {"pid": 2**22 + 1, "create_time": 1.0, "run_id": "killed"})
        start.prepare_resume(folder, engine)
        assert orphan.poll() is not None
    finally:
        orphan.kill()
        orphan.wait()
        orphan.stdout.close()
    assert not folder.pid_file.exists()
