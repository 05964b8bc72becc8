"""Every capture of the real engine, read whole and cut at every byte, is understood."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import pytest

from loragui.engine.logs import ExportLoraReader, FinetuneReader, GenerateReader, QuantizeReader
from loragui.jobs.events import Event, Metric, Note, Progress, Reader, Result, Trouble
from loragui.jobs.lines import LineSplitter
from tests.engine.conftest import Case, cases

CASES = cases()
READERS = {
    "finetune": FinetuneReader,
    "export-lora": ExportLoraReader,
    "quantize": QuantizeReader,
    "main": GenerateReader,
}


def named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def reader_of(case: Case, folder: Path) -> Reader:
    """The case's reader, in a folder with the files that a good training leaves."""
    if case.code != "result-missing":
        for kind in ("checkpoint", "lora"):
            (folder / f"{kind}-{case.args.get('target')}.gguf").write_bytes(b"x")
    reader: Reader = READERS[case.program](folder, case.args)
    return reader


def chunked(data: bytes, *cuts: int) -> list[str]:
    splitter = LineSplitter()
    edges = (0, *cuts, len(data))
    lines: list[str] = []
    for start, end in itertools.pairwise(edges):
        lines += splitter.feed(data[start:end])
    return lines + splitter.flush()


def replay(case: Case, folder: Path) -> list[Event]:
    """All events, up to the first fatal trouble (there the runner ends the program)."""
    reader = reader_of(case, folder)
    found: list[Event] = []

    def take(events: Iterable[Event]) -> bool:
        found.extend(events)
        return any(isinstance(event, Trouble) and event.fatal for event in found)

    for stream, data in (("stderr", case.stderr), ("stdout", case.stdout)):
        for line in chunked(data):
            if take(reader.line(line, stream)):
                return found
    take(reader.end(case.returncode))
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_understood(case: Case, tmp_path: Path) -> None:
    troubles = [event for event in replay(case, tmp_path) if isinstance(event, Trouble)]
    assert [trouble.problem.code for trouble in troubles] == case.code.split()
    for trouble in troubles:
        assert trouble.problem.message.endswith(".")
        assert trouble.problem.hint.endswith(".")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_cut_at_every_byte(case: Case) -> None:
    for data in (case.stdout, case.stderr):
        whole = chunked(data)
        assert all(chunked(data, cut) == whole for cut in range(len(data)))


def test_every_case_that_ends_well_only_by_its_exit_code() -> None:
    silent = {case.code for case in CASES if case.returncode == 0}
    assert silent >= {"nan", "marker-missing", "checkpoint-ignored", "result-missing", "lora-missing"}


def test_a_training_as_events(tmp_path: Path) -> None:
    events = replay(named("train-ok"), tmp_path)
    metrics = [event for event in events if isinstance(event, Metric)]
    assert [metric.iteration for metric in metrics] == [1, 2, 3, 4, 5, 6]
    assert {metric.total for metric in metrics} == {6}
    assert metrics[0].loss == pytest.approx(6.019707, rel=1e-3)
    assert metrics[-1].eta == 0
    assert metrics[2].seconds is not None
    assert metrics[2].seconds < 1
    values: dict[str, object] = {}
    for event in events:
        if isinstance(event, Result):
            values |= event.values
    assert values == {
        "lora_bytes": 104864,
        "opt_bytes": 107680,
        "input_bytes": 131360,
        "compute_bytes": 532832,
        "work_bytes": 2084,
        "training_tokens": 190,
    }
    assert Progress(done=0, total=6, unit="iterations") in events
    assert Note(text="The training text has 20 samples.") in events
    assert Note(text="Saving a checkpoint at iteration 3.") in events


def test_iterations_go_on_after_a_resume(tmp_path: Path) -> None:
    first = {e.iteration: e.loss for e in replay(named("train-ok"), tmp_path) if isinstance(e, Metric)}
    events = replay(named("train-resumed"), tmp_path)
    again = {event.iteration: event.loss for event in events if isinstance(event, Metric)}
    assert again == {number: first[number] for number in (4, 5, 6)}
    assert Note(text="Continuing at 3 of 6.") in events


def test_an_epoch_is_told(tmp_path: Path) -> None:
    assert Note(text="Pass 1 over the data done.") in replay(named("train-epoch"), tmp_path)


def test_the_reply_of_main(tmp_path: Path) -> None:
    (result,) = (event for event in replay(named("generate-ok"), tmp_path) if isinstance(event, Result))
    assert result.values["text"].startswith(chunked(named("generate-ok").stdout)[0][:5])


def test_tensors_of_quantize_are_progress(tmp_path: Path) -> None:
    progress = [event for event in replay(named("quantize-ok"), tmp_path) if isinstance(event, Progress)]
    assert [event.done for event in progress] == list(range(1, 22))
    assert progress[0].total == 21


def test_captures_hold_no_path_of_a_machine() -> None:
    for case in CASES:
        assert b"/tmp/" not in case.stdout + case.stderr
        assert b"/home/" not in case.stdout + case.stderr
