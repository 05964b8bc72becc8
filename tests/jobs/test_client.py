from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.jobs import client, events, folder
from loragui.jobs.client import Tail, Watch
from loragui.jobs.events import Event, Log, Metric, Note, RunEnded, RunStarted
from loragui.jobs.folder import RunFolder

EVENTS = st.lists(
    st.one_of(
        st.builds(Log, text=st.text(max_size=40)),
        st.builds(Note, text=st.just('"event":"Metric"')),
        st.builds(Metric, iteration=st.integers(0, 99), total=st.just(99), loss=st.floats(0, 9)),
    ),
    max_size=30,
)
FolderOf = Callable[..., RunFolder]


def write(path: Path, happened: list[Event]) -> RunFolder:
    run = RunFolder(path)
    text = "".join(events.to_line(event, float(number)) + "\n" for number, event in enumerate(happened))
    run.events_file.write_text(text, encoding="utf-8")
    return run


@given(EVENTS, st.integers(1, 200))
def test_pieces_of_any_size_give_every_event_once(
    tmp_path_factory: pytest.TempPathFactory, happened: list[Event], most: int
) -> None:
    run = write(tmp_path_factory.mktemp("run"), happened)
    tail, seen = Tail(run), list[Event]()
    for _ in range(len(happened) + 1):
        seen += [stamped.event for stamped in tail.poll(most)]
        if not tail.behind:
            break
    assert seen == happened
    assert tail.poll(most) == []


@given(EVENTS, st.integers(1, 300))
def test_the_last_of_a_kind_is_found_from_the_end(
    tmp_path_factory: pytest.TempPathFactory, happened: list[Event], block: int
) -> None:
    run = write(tmp_path_factory.mktemp("run"), happened)
    for kind in (Metric, Log, RunEnded):
        wanted = [event for event in happened if isinstance(event, kind)]
        assert run.last(kind) == (wanted[-1] if wanted else None)
    text = "\n".join(reversed([piece for piece in folder._from_the_end(run.events_file, block) if piece]))
    assert text.replace("\n", "") == run.events_file.read_text(encoding="utf-8").replace("\n", "")
    assert [stamped.event for stamped in run.scan(Metric)] == [e for e in happened if isinstance(e, Metric)]


def test_a_torn_line_waits_and_what_was_there_can_be_left_out(tmp_path: Path) -> None:
    run = write(tmp_path, [Log(text="one")])
    tail = Tail(run)
    tail.skip()
    line = events.to_line(Log(text="two"), 1.0)
    with run.events_file.open("a", encoding="utf-8") as out:
        out.write(line[:20])
    assert tail.poll() == []
    assert not tail.behind
    with run.events_file.open("a", encoding="utf-8") as out:
        out.write(line[20:] + "\n")
    assert [stamped.event for stamped in tail.poll()] == [Log(text="two")]


def test_a_watch_ends_with_the_run(folder_of: FolderOf) -> None:
    run = folder_of("print('hello')")
    assert Watch(run).look() == []
    client.start(run)
    watch, seen = Watch(run), list[Event]()
    while not watch.over:
        seen += [stamped.event for stamped in watch.look()]
    assert isinstance(seen[0], RunStarted)
    assert seen[-1] == run.last(RunEnded)


def test_a_watch_tells_of_a_killed_runner_and_a_deleted_folder(folder_of: FolderOf) -> None:
    run = folder_of("import time; time.sleep(600)")
    client.start(run)
    watch = Watch(run)
    owner = run.owner()
    assert owner is not None
    runner = psutil.Process(owner["pid"])
    runner.kill()
    psutil.wait_procs([runner])
    seen: list[Event] = []
    while not watch.over:
        seen += [stamped.event for stamped in watch.look()]
    assert isinstance(seen[-1], RunEnded)
    assert seen[-1].state == "broken"
    shutil.rmtree(run.path)
    (gone,) = Watch(run).look()
    assert isinstance(gone.event, RunEnded)
    assert gone.event.problem == folder.GONE


def test_a_runner_that_died_before_it_could_say_a_word_is_told(folder_of: FolderOf) -> None:
    run = folder_of("print('hello')")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as runner:
        born = psutil.Process(runner.pid).create_time()
        run.pid_file.write_text(json.dumps({"pid": runner.pid, "create_time": born, "run_id": "x"}), encoding="utf-8")
        watch = Watch(run)
        assert watch.look() == []
        assert not watch.over
    (ended,) = watch.look()
    assert ended.event == RunEnded(state="broken", problem=folder.UNEXPECTED)
    assert watch.over


def test_a_file_that_was_made_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    run = write(tmp_path, [Log(text="one"), Log(text="two")])
    tail = Tail(run)
    assert len(tail.poll()) == 2
    run.events_file.unlink()
    write(tmp_path, [Log(text="three")])
    assert [stamped.event for stamped in tail.poll()] == [Log(text="three")]
