"""The engine's captured trainings replayed, with the files that it announced put where it would have written them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from loragui.jobs.events import Event, Metric, Note, Saved, Trouble
from loragui.jobs.lines import LineSplitter
from loragui.training.checkpoints import last_good, numbers
from loragui.training.reader import TrainingReader
from tests.engine.conftest import Case, cases
from tests.training.files import write_checkpoint, write_lora

CASES = {case.name: case for case in cases() if case.program == "finetune"}
UNWRITTEN = {"lora-folder", "disk-full-quiet", "checkpoint-folder", "disk-full"}
"""Captures in which the engine could not write what it announced."""
ANNOUNCED = re.compile(r"save_\w+: saving to (checkpoint|lora)-(\d+)\.gguf")
Save = Callable[[Path, str, int], None]


def write(folder: Path, kind: str, number: int) -> None:
    """What the engine writes when all is well."""
    (write_lora(folder / f"lora-{number}.gguf")) if kind == "lora" else write_checkpoint(
        folder / f"checkpoint-{number}.gguf", number
    )


def write_nothing(folder: Path, kind: str, number: int) -> None:
    """What the engine writes when it cannot."""


def lines_of(data: bytes) -> list[str]:
    splitter = LineSplitter()
    return [*splitter.feed(data), *splitter.flush()]


def feed(reader: TrainingReader, folder: Path, lines: Iterable[str], returncode: int, save: Save) -> list[Event]:
    """All events up to the first fatal trouble, at which the runner ends the program."""
    found: list[Event] = []
    for line in lines:
        found.extend(reader.line(line, "stdout"))
        if any(isinstance(event, Trouble) and event.fatal for event in found):
            return found
        if announced := ANNOUNCED.match(line):
            save(folder, announced[1], int(announced[2]))
    return [*found, *reader.end(returncode)]


def replay(case: Case, folder: Path, save: Save = write) -> list[Event]:
    lines = lines_of(case.stderr) + lines_of(case.stdout)
    return feed(TrainingReader(folder, case.args), folder, lines, case.returncode, save)


def codes(events: list[Event]) -> list[str]:
    return [event.problem.code for event in events if isinstance(event, Trouble)]


def saved(events: list[Event]) -> list[int]:
    return [event.iteration for event in events if isinstance(event, Saved)]


@pytest.mark.parametrize("name", sorted(set(CASES) - UNWRITTEN))
def test_every_capture_is_understood(name: str, tmp_path: Path) -> None:
    events = replay(CASES[name], tmp_path)
    assert codes(events) == CASES[name].code.split()


def test_a_checkpoint_counts_from_the_next_iteration_line_on(tmp_path: Path) -> None:
    events = replay(CASES["train-ok"], tmp_path)
    assert saved(events) == [3, 6]
    order = [event for event in events if isinstance(event, Metric | Saved)]
    at = order.index(Saved(path="checkpoint-3.gguf", iteration=3))
    before = order[at - 1]
    assert isinstance(before, Metric)
    assert before.iteration == 3
    assert Note(text="Checkpoint at iteration 3 saved and checked.") in events


def test_a_resumed_training_counts_its_own_checkpoint(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write(tmp_path, "checkpoint", number)
    events = replay(CASES["train-resumed"], tmp_path)
    assert saved(events) == [6]
    assert Note(text="Continuing at 3 of 6.") in events
    assert numbers(tmp_path, "checkpoint") == [3, 6]


@pytest.mark.parametrize("name", ["lora-folder", "disk-full-quiet"])
def test_an_exit_of_0_without_a_result_is_none(name: str, tmp_path: Path) -> None:
    events = replay(CASES[name], tmp_path, write_nothing)
    assert codes(events)[-1] == "result-missing"
    assert codes(events).count("result-missing") == 1
    assert saved(events) == []


@pytest.mark.parametrize("name", ["checkpoint-folder", "disk-full"])
def test_what_was_not_written_is_never_saved(name: str, tmp_path: Path) -> None:
    events = replay(CASES[name], tmp_path, write_nothing)
    assert saved(events) == []
    fatal = [event.problem.code for event in events if isinstance(event, Trouble) and event.fatal]
    assert fatal == CASES[name].code.split()


def test_a_damaged_checkpoint_is_told_and_the_training_goes_on(tmp_path: Path) -> None:
    def half(folder: Path, kind: str, number: int) -> None:
        write(folder, kind, number)
        if (kind, number) == ("checkpoint", 3):
            path = folder / "checkpoint-3.gguf"
            path.write_bytes(path.read_bytes()[:-32])

    events = replay(CASES["train-ok"], tmp_path, half)
    assert codes(events) == ["checkpoint-damaged"]
    assert saved(events) == [6]
    assert not any(event.fatal for event in events if isinstance(event, Trouble))


def test_a_checkpoint_of_another_iteration_is_damaged(tmp_path: Path) -> None:
    def stale(folder: Path, kind: str, number: int) -> None:
        write(folder, kind, number)
        if kind == "checkpoint":
            write_checkpoint(folder / f"checkpoint-{number}.gguf", 3)

    events = replay(CASES["train-ok"], tmp_path, stale)
    assert codes(events) == ["checkpoint-damaged", "result-missing"]


def test_a_half_lora_is_no_result(tmp_path: Path) -> None:
    def half(folder: Path, kind: str, number: int) -> None:
        write(folder, kind, number)
        if kind == "lora":
            path = folder / f"lora-{number}.gguf"
            path.write_bytes(path.read_bytes()[:-4])

    assert codes(replay(CASES["train-ok"], tmp_path, half)) == ["result-missing"]


def test_a_run_away_training_never_loses_its_last_good_checkpoint(tmp_path: Path) -> None:
    """Saved at every iteration; the numbers are gone at 4, which the loss shows at 5 only."""

    def poisoned(folder: Path, kind: str, number: int) -> None:
        if kind == "checkpoint":
            write_checkpoint(folder / f"checkpoint-{number}.gguf", number, math.nan if number >= 4 else 1)

    lines = ["train_opt_callback: iter=     0 sample=1/20 sched=0.000000 loss=0.000000 |->"]
    for number in range(1, 7):
        loss = "nan" if number >= 5 else "3.5"
        lines.append(f"save_checkpoint_lora_file: saving to checkpoint-{number}.gguf")
        lines.append(f"train_opt_callback: iter= {number} sample=1/20 sched=1.0 loss={loss} dt=1.0ms eta=1.0ms |->")
    reader = TrainingReader(tmp_path, {"target": 6})
    events = feed(reader, tmp_path, lines, 0, poisoned)
    assert codes(events) == ["nan"]
    assert saved(events) == [1, 2, 3]
    good = last_good(tmp_path)
    assert good is not None
    assert good.iteration == 3


def test_a_training_cut_off_at_any_line_is_complete_only_at_its_end(tmp_path: Path) -> None:
    case = CASES["train-ok"]
    lines = lines_of(case.stdout)
    end = next(number for number, line in enumerate(lines) if line.startswith("main: total training time"))
    for cut in range(len(lines)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        events = feed(TrainingReader(folder, case.args), folder, lines[:cut], 0, write)
        assert (codes(events) == []) == (cut > end), lines[:cut]
        assert set(saved(events)) <= set(numbers(folder, "checkpoint"))
