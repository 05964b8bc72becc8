from __future__ import annotations

from pathlib import Path

import pytest

from loragui.errors import AppError, Problem
from loragui.jobs import events
from loragui.jobs.events import Event, Metric, RunEnded, RunStarted, StepEnded, Usage
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Plan
from loragui.training.runs import latest_training, run_folders, summarize


def run_of(project: Path, number: str, kind: str, *happened: Event) -> RunFolder:
    folder = RunFolder(project / "runs" / number)
    folder.save_plan(Plan(kind=kind, title=kind.title(), steps=()))
    lines = (events.to_line(event, 1.0) + "\n" for event in happened)
    folder.events_file.write_text("".join(lines), encoding="utf-8")
    return folder


def test_a_run_is_summed_up_over_all_attempts(tmp_path: Path) -> None:
    folder = run_of(
        tmp_path, "0001", "train",
        RunStarted(title="Train"), Metric(iteration=7, total=20, loss=3.5),
        StepEnded(id="train", ok=False, seconds=10, peak_rss=500), RunEnded(state="stopped"),
        RunStarted(title="Train", attempt=2), Usage(rss=100, peak=700), Metric(iteration=9, total=20, loss=3.25),
        StepEnded(id="train", ok=False, seconds=5, peak_rss=600),
        RunEnded(state="failed", problem=Problem(message="The disk is full.", hint="Free some.")),
    )  # fmt: skip
    found = summarize(folder)
    assert (found.number, found.kind, found.state) == ("0001", "train", "failed")
    assert (found.iteration, found.total, found.loss) == (9, 20, 3.25)
    assert (found.seconds, found.peak_rss) == (15, 700)
    assert "The disk is full." in found.message


def test_a_run_that_never_began_is_new(tmp_path: Path) -> None:
    found = summarize(run_of(tmp_path, "0001", "merge"))
    assert (found.state, found.iteration, found.loss, found.message) == ("new", 0, None, "")


def test_the_newest_training_is_found_among_other_runs(tmp_path: Path) -> None:
    for number, kind in (("0001", "train"), ("0002", "train"), ("0003", "merge"), ("0010", "prove")):
        run_of(tmp_path, number, kind)
    (tmp_path / "runs" / "0011").mkdir()
    assert [folder.path.name for folder in run_folders(tmp_path)] == ["0001", "0002", "0003", "0010"]
    assert latest_training(tmp_path).path.name == "0002"
    assert latest_training(tmp_path, "0001").path.name == "0001"
    for number in ("0003", "0099"):
        with pytest.raises(AppError, match=f"no training {number}"):
            latest_training(tmp_path, number)


def test_a_damaged_run_hides_no_other(tmp_path: Path) -> None:
    run_of(tmp_path, "0001", "train")
    run_of(tmp_path, "0002", "merge").plan_file.write_text("{")
    assert latest_training(tmp_path).path.name == "0001"
    with pytest.raises(AppError, match="no training 0002"):
        latest_training(tmp_path, "0002")
    training = run_of(tmp_path, "0003", "train")
    training.plan_file.write_text("")
    (training.path / "training.json").write_text("{}")
    assert latest_training(tmp_path).path.name == "0003", "a resume writes its plan anew"


def test_a_damaged_run_is_told_in_the_history(tmp_path: Path) -> None:
    damaged = run_of(tmp_path, "0001", "train", RunStarted(title="Train"), RunEnded(state="done"))
    damaged.plan_file.write_text("{")
    run_of(tmp_path, "0002", "merge")
    first, second = (summarize(folder) for folder in run_folders(tmp_path))
    assert (first.title, first.state) == ("Unreadable run", "done")
    assert "plan.json is damaged" in first.message
    assert (second.title, second.message) == ("Merge", "")


def test_a_project_without_runs_has_none(tmp_path: Path) -> None:
    assert run_folders(tmp_path) == []
    with pytest.raises(AppError, match="no training yet"):
        latest_training(tmp_path)
