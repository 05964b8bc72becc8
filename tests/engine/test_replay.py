"""Every capture of the real engine, read whole and cut at every byte, is understood."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from loragui.engine.logs import ExportLoraReader, FinetuneReader, GenerateReader, QuantizeReader
from loragui.jobs.events import Event, Metric, Note, Progress, Reader, Result, Trouble
from loragui.jobs.lines import LineSplitter
from tests.engine import capture
from tests.engine.conftest import REVISIONS, Case, cases

CASES = {f"{revision}-{case.name}": case for revision in REVISIONS for case in cases(revision)}
_SAVED = re.compile(r"saving to ((?:checkpoint|lora)-\d+\.gguf)")
EACH = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
EACH_REVISION = pytest.mark.parametrize("revision", REVISIONS)
READERS = {
    "finetune": FinetuneReader,
    "export-lora": ExportLoraReader,
    "quantize": QuantizeReader,
    "main": GenerateReader,
}


def named(name: str, revision: str = REVISIONS[0]) -> Case:
    return CASES[f"{revision}-{name}"]


def reader_of(case: Case, folder: Path) -> Reader:
    """The case's reader, in a folder with the files that a good training leaves, and the prompt."""
    if case.code != "result-missing":
        for name in _SAVED.findall(case.stdout.decode(errors="replace")):
            (folder / name).write_bytes(b"x")
    (folder / "prompt.txt").write_text(capture.PROMPT)
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


@EACH
def test_understood(case: Case, tmp_path: Path) -> None:
    troubles = [event for event in replay(case, tmp_path) if isinstance(event, Trouble)]
    assert [trouble.problem.code for trouble in troubles] == case.code.split()
    for trouble in troubles:
        assert trouble.problem.message.endswith(".")
        assert trouble.problem.hint.endswith(".")


@EACH
def test_cut_at_every_byte(case: Case) -> None:
    for data in (case.stdout, case.stderr):
        whole = chunked(data)
        assert all(chunked(data, cut) == whole for cut in range(len(data)))


def test_every_case_that_ends_well_only_by_its_exit_code() -> None:
    silent = {case.code for case in CASES.values() if case.returncode == 0}
    assert silent >= {"nan", "marker-missing", "checkpoint-ignored", "result-missing", "lora-missing"}


@pytest.mark.parametrize(
    ("revision", "loss", "lora", "optimizer"),
    [("b2896", 6.019707, 104864, 107680), ("b2321", 6.019707, 104864, 107680), ("b1298", 6.078854, 99488, 107488)],
)
def test_a_training_as_events(revision: str, loss: float, lora: int, optimizer: int, tmp_path: Path) -> None:
    """b1298 begins with other random values."""
    events = replay(named("train-ok", revision), tmp_path)
    metrics = [event for event in events if isinstance(event, Metric)]
    assert [metric.iteration for metric in metrics] == [1, 2, 3, 4, 5, 6]
    assert {metric.total for metric in metrics} == {6}
    assert metrics[0].loss == pytest.approx(loss, rel=1e-3)
    assert metrics[-1].eta == 0
    assert metrics[2].seconds is not None
    assert metrics[2].seconds < 1
    values: dict[str, object] = {}
    for event in events:
        if isinstance(event, Result):
            values |= event.values
    assert values == {
        "lora_bytes": lora,
        "opt_bytes": optimizer,
        "input_bytes": 131360,
        "compute_bytes": 532832,
        "work_bytes": 2084,
        "training_tokens": 190,
    }
    assert Progress(done=0, total=6, unit="iterations") in events
    assert Note(text="The training text has 20 samples.") in events
    assert Note(text="Saving a checkpoint at iteration 3.") in events


@EACH_REVISION
def test_iterations_go_on_after_a_resume(revision: str, tmp_path: Path) -> None:
    first = {e.iteration: e.loss for e in replay(named("train-ok", revision), tmp_path) if isinstance(e, Metric)}
    events = replay(named("train-resumed", revision), tmp_path)
    again = {event.iteration: event.loss for event in events if isinstance(event, Metric)}
    assert again == {number: first[number] for number in (4, 5, 6)}
    assert Note(text="Continuing at 3 of 6.") in events


@EACH_REVISION
def test_an_epoch_is_told(revision: str, tmp_path: Path) -> None:
    assert Note(text="Pass 1 over the data done.") in replay(named("train-epoch", revision), tmp_path)


@EACH_REVISION
@pytest.mark.parametrize(("case", "reached"), [("train-epochs-done", 10), ("train-converged", 3)])
def test_a_training_that_ends_before_its_target_as_asked(
    case: str, reached: int, revision: str, tmp_path: Path
) -> None:
    events = replay(named(case, revision), tmp_path)
    last = [event for event in events if isinstance(event, Metric)][-1]
    assert (last.iteration, last.total) == (reached, 40)
    ended = f"The training is over; saving the result. It ended at iteration {reached} of 40, as the settings ask for."
    assert Note(text=ended) in events


def test_samples_that_are_meant_to_overlap_are_not_told_as_cut(tmp_path: Path) -> None:
    case = named("train-too-long")
    meant = dataclasses.replace(case, args={**case.args, "overlapping": True})
    assert any(isinstance(event, Trouble) for event in replay(case, tmp_path))
    assert not any(isinstance(event, Trouble) for event in replay(meant, tmp_path))


@EACH_REVISION
def test_the_reply_of_main(revision: str, tmp_path: Path) -> None:
    """b1298 cannot be told not to write the prompt first."""
    case = named("generate-ok", revision)
    (result,) = (event for event in replay(case, tmp_path) if isinstance(event, Result))
    whole = "\n".join(chunked(case.stdout))
    assert whole == (" The lamp is" if revision == "b1298" else "") + result.values["text"]
    assert result.values["text"]


@EACH_REVISION
def test_tensors_of_quantize_are_progress(revision: str, tmp_path: Path) -> None:
    progress = [event for event in replay(named("quantize-ok", revision), tmp_path) if isinstance(event, Progress)]
    assert [event.done for event in progress] == list(range(1, 22))
    assert progress[0].total == 21


def test_captures_hold_no_path_of_a_machine() -> None:
    for case in CASES.values():
        assert b"/tmp/" not in case.stdout + case.stderr
        assert b"/home/" not in case.stdout + case.stderr
