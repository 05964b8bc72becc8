from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from loragui.gui.background import Background
from loragui.gui.watcher import RunWatcher, essential
from loragui.jobs import client
from loragui.jobs.events import Log, Metric, Note, Progress, Stamped
from loragui.jobs.folder import BROKEN, DONE, FAILED, NEW, RUNNING, STOPPED, RunFolder
from loragui.jobs.plan import Command, Plan, Step

QUICK = "print('hello')"
LONG = "import time\nprint('hello', flush=True)\ntime.sleep(600)"
Watch = Callable[..., RunWatcher]


def plan(*programs: str, reader: str = "plain") -> Plan:
    steps = (
        Step(id=f"s{n}", title=f"Program {n}", command=Command(argv=(sys.executable, "-c", text), reader=reader))
        for n, text in enumerate(programs)
    )
    return Plan(kind="test", title="Test", steps=tuple(steps))


@pytest.fixture
def watch(qapp: object, tmp_path: Path) -> Iterator[Watch]:
    background = Background()
    made: list[RunWatcher] = []

    def make(folder: RunFolder | None = None) -> RunWatcher:
        watcher = RunWatcher(folder or RunFolder(tmp_path / "run"), background, background)
        made.append(watcher)
        watcher.attach()
        return watcher

    yield make
    for watcher in made:
        if watcher.folder.is_running():
            client.request_stop(watcher.folder)
            list(client.follow(watcher.folder))
    background.close()


def test_a_run_from_its_start_to_its_end(watch: Watch, qtbot: QtBot) -> None:
    run = watch()
    assert (run.state, run.loaded) == (NEW, True)
    with qtbot.waitSignal(run.ended, timeout=20_000):
        run.start(plan(QUICK, QUICK))
        assert run.running
    assert run.state == DONE
    assert list(run.log) == ["hello", "hello"]
    assert run.progress.fraction == 1.0
    assert run.plan is not None


def test_one_that_ended_before_is_shown_but_not_announced(watch: Watch, qtbot: QtBot, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.save_plan(plan("raise SystemExit(3)"))
    assert client.run_to_end(folder).state == FAILED
    run = watch(folder)
    with qtbot.assertNotEmitted(run.ended):
        qtbot.waitUntil(lambda: run.loaded)
    assert run.state == FAILED
    assert run.problem is not None


def test_one_that_goes_on_is_joined_and_announced_once(watch: Watch, qtbot: QtBot, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.save_plan(plan(LONG))
    client.start(folder)
    run = watch(folder)
    qtbot.waitUntil(lambda: run.state == RUNNING and run.loaded, timeout=20_000)
    ends: list[object] = []
    run.ended.connect(ends.append)
    run.stop()
    assert run.stopping == "now"
    qtbot.waitUntil(lambda: run.state == STOPPED, timeout=20_000)
    assert len(ends) == 1
    assert run.stopping == ""


def test_starting_at_once_after_attaching_takes_no_earlier_end_for_its_own(
    watch: Watch, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.save_plan(plan("raise SystemExit(3)"))
    client.run_to_end(folder)
    run = watch(folder)
    ends: list[str] = []
    run.ended.connect(lambda ended: ends.append(ended.state))
    run.start(plan(QUICK))
    run.start(plan(QUICK))
    qtbot.waitUntil(lambda: bool(ends), timeout=20_000)
    assert ends == [DONE]
    assert folder.look().attempt == 2


def test_a_killed_runner_is_told(watch: Watch, qtbot: QtBot) -> None:
    run = watch()
    run.start(plan(LONG))
    qtbot.waitUntil(lambda: list(run.log) == ["hello"], timeout=20_000)
    owner = run.folder.owner()
    assert owner is not None
    with qtbot.waitSignal(run.ended, timeout=20_000):
        psutil.Process(owner["pid"]).kill()
    assert run.state == BROKEN
    assert run.problem is not None
    assert run.problem.code == "stopped-unexpectedly"


def test_it_goes_on_in_the_same_folder(watch: Watch, qtbot: QtBot) -> None:
    run = watch()
    run.start(plan(QUICK, "import pathlib, sys; sys.exit(0 if pathlib.Path('ready').exists() else 4)"))
    qtbot.waitUntil(lambda: run.state == FAILED, timeout=20_000)
    (run.folder.path / "ready").touch()
    with qtbot.waitSignal(run.ended, timeout=20_000):
        run.start()
    assert run.state == DONE
    assert run.problem is None


def test_a_runner_that_cannot_begin_is_told(watch: Watch, qtbot: QtBot) -> None:
    run = watch()
    with qtbot.waitSignal(run.ended, timeout=20_000):
        run.start()  # there is no plan
    assert run.state == FAILED
    assert run.problem is not None
    assert "plan.json" in run.problem.message


def test_a_deleted_folder_is_told(watch: Watch, qtbot: QtBot) -> None:
    run = watch()
    run.start(plan(LONG))
    qtbot.waitUntil(lambda: list(run.log) == ["hello"], timeout=20_000)
    owner = run.folder.owner()
    assert owner is not None
    processes = [psutil.Process(owner["pid"]), *psutil.Process(owner["pid"]).children(recursive=True)]
    with qtbot.waitSignal(run.ended, timeout=20_000):
        shutil.rmtree(run.folder.path)
    assert run.state == FAILED
    for process in processes:
        if process.is_running():
            process.kill()
    psutil.wait_procs(processes)


def test_only_measurements_that_a_later_one_replaces_are_left_out() -> None:
    events = [
        Progress(done=1, total=9), Progress(done=2, total=9), Note(text="a"), Metric(iteration=1, total=3, loss=1.0),
        Metric(iteration=2, total=3, loss=1.0), Log(text="x"), Log(text="y"), Progress(done=3, total=9),
    ]  # fmt: skip
    kept = [stamped.event for stamped in essential(Stamped(time=1.0, event=event) for event in events)]
    assert kept == [events[1], events[2], events[4], events[5], events[6], events[7]]


def test_a_deleted_folder_can_be_made_anew(watch: Watch, qtbot: QtBot) -> None:
    run = watch()
    for _ in range(2):
        with qtbot.waitSignal(run.ended, timeout=20_000):
            run.start(plan(QUICK, QUICK))
        assert run.state == DONE
        shutil.rmtree(run.folder.path)


def test_another_plan_in_the_same_folder_is_shown_while_it_runs(watch: Watch, qtbot: QtBot) -> None:
    run = watch()
    with qtbot.waitSignal(run.ended, timeout=20_000):
        run.start(plan(QUICK))
    other = plan(LONG, QUICK)
    run.start(other)
    assert run.plan == other, "leaving must know at once what it is about"
    qtbot.waitUntil(lambda: list(run.log) == ["hello", "hello"], timeout=20_000)
    assert run.running
    assert run.plan == other


def test_a_wish_to_stop_that_cannot_be_told_can_be_made_again(watch: Watch, qtbot: QtBot) -> None:
    run = watch()
    run.start(plan(LONG))
    qtbot.waitUntil(lambda: list(run.log) == ["hello"], timeout=20_000)
    run.folder.cancel_file.mkdir()  # as good as a full disk
    with qtbot.waitSignal(run._background.trouble, timeout=20_000):
        run.stop()
    assert run.stopping == ""
    run.folder.cancel_file.rmdir()
    with qtbot.waitSignal(run.ended, timeout=20_000):
        run.stop()


def test_an_end_while_the_past_is_still_read_is_announced(watch: Watch, qtbot: QtBot, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.save_plan(plan("raise SystemExit(3)"))
    client.run_to_end(folder)
    folder.save_plan(plan("import pathlib\nwhile not pathlib.Path('go').exists(): pass"))
    client.start(folder)
    ends: list[str] = []
    run = watch(folder)
    run.ended.connect(lambda ended: ends.append(ended.state))

    def let_it_end(_fresh: object) -> None:
        if not (folder.path / "go").exists():
            assert not run.loaded
            (folder.path / "go").touch()
            list(client.follow(folder))

    run.fresh.connect(let_it_end)
    qtbot.waitUntil(lambda: run.loaded and not run.running, timeout=20_000)
    assert ends == [DONE]
