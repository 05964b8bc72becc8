from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from loragui import project as projects
from loragui.gui.session import Session
from loragui.jobs import client
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan
from loragui.jobs.plan import Step as RunStep
from loragui.overview import Going
from loragui.steps import Step
from tests import paper

Settle = Callable[[Session], None]


def save(folder: RunFolder, kind: str, program: str = "import time; time.sleep(600)") -> RunFolder:
    command = Command(argv=(sys.executable, "-c", program))
    folder.save_plan(Plan(kind=kind, title=f"A {kind}", steps=(RunStep(id="s", title="s", command=command),)))
    return folder


def stop(folder: RunFolder) -> None:
    client.request_stop(folder)
    list(client.follow(folder))


def test_gates_follow_every_edit(opened: Session, qtbot: QtBot) -> None:
    assert opened.gates[Step.SETTINGS].done
    with qtbot.waitSignal(opened.gates_changed):
        opened.store.edit_settings(context_size=64)
    assert not opened.gates[Step.DATA].done
    assert opened.gates[Step.TRAIN].locked


def test_the_latest_question_wins(opened: Session, settle: Settle) -> None:
    for size in (64, 128, paper.CONTEXT):
        opened.store.edit_settings(context_size=size)
    assert not opened.gates_are_current
    settle(opened)
    assert opened.gates_are_current
    assert opened.gates[Step.DATA].done


def test_gates_of_a_project_that_was_left_are_dropped(opened: Session, settle: Settle) -> None:
    opened.refresh_gates()
    opened.store.open(projects.create(opened.workspace.projects, "Other"))
    settle(opened)
    assert not opened.gates[Step.ENGINE].done


def test_a_watcher_is_the_same_for_everyone(session: Session) -> None:
    folder = RunFolder(session.workspace.jobs / "x")
    assert session.watch(folder) is session.watch(RunFolder(session.workspace.jobs / "x"))


def test_running_work_is_found_and_belongs_to_its_step(opened: Session, qtbot: QtBot, settle: Settle) -> None:
    assert opened.store.opened is not None
    build = save(RunFolder(opened.workspace.jobs / "engine-x"), "engine-build")
    train = save(RunFolder(opened.store.opened.runs / "0001"), "train")
    other = projects.create(opened.workspace.projects, "Other")
    foreign = save(RunFolder(other / "runs" / "0001"), "merge")
    for folder in (build, train, foreign):
        client.start(folder)
    found: list[Going] = []
    opened.discover((), found.extend)
    settle(opened)
    qtbot.waitUntil(lambda: len(opened.running()) == 3, timeout=20_000)
    assert {(one.step, one.project and one.project.name) for one in found} == {
        (Step.ENGINE, None), (Step.TRAIN, "demo"), (Step.RESULT, "other"),
    }  # fmt: skip
    running = opened.running_step(Step.ENGINE)
    assert running is not None
    assert running.folder.path == build.path
    assert opened.running_step(Step.TRAIN) is not None
    assert opened.running_step(Step.RESULT) is None, "it is another project's"
    for folder in (build, train, foreign):
        stop(folder)


def test_gates_are_asked_again_when_work_ends(opened: Session, qtbot: QtBot) -> None:
    watcher = opened.watch(RunFolder(opened.workspace.jobs / "x"))
    plan = Plan(kind="t", title="T", steps=(RunStep(id="s", title="s", command=Command(argv=(sys.executable, "-V"))),))
    with qtbot.waitSignals([opened.run_ended, opened.gates_changed], timeout=20_000):
        watcher.start(plan)


@pytest.mark.parametrize("broken", ["", "{"])
def test_a_damaged_plan_hides_nothing(opened: Session, settle: Settle, broken: str) -> None:
    folder = opened.workspace.jobs / "broken"
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(broken, encoding="utf-8")
    watcher = opened.watch(RunFolder(folder))
    settle(opened)
    assert watcher.plan is None
    assert opened.running() == []


def test_running_work_is_here_by_whatever_way_its_folder_is_reached(
    opened: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    assert opened.store.opened is not None
    link = tmp_path / "link"
    link.symlink_to(opened.store.opened.folder)
    watcher = opened.watch(save(RunFolder(link / "runs" / "0001"), "train"))
    watcher.start()
    qtbot.waitUntil(lambda: opened.running_step(Step.TRAIN) is watcher, timeout=20_000)
    qtbot.waitUntil(watcher.folder.is_running, timeout=20_000)
    stop(watcher.folder)
