"""The runner on real small programs, in its own real process, as client and window use it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from loragui.errors import AppError
from loragui.jobs import client, process
from loragui.jobs.events import Log, RunEnded, RunStarted, StepEnded, StepStarted, Trouble
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan, Step

FolderOf = Callable[..., RunFolder]

LONG = "import time\nfor i in range(3000):\n    print(i, flush=True)\n    time.sleep(0.02)"
TREE = """
import subprocess, sys, time
INNER = "import time; print('up', flush=True); time.sleep(600)"
MIDDLE = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {INNER!r}]); time.sleep(600)"
subprocess.Popen([sys.executable, '-c', MIDDLE])
time.sleep(600)
"""
STUBBORN = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(600)"
)

CLIENT = """
import sys
from pathlib import Path
from loragui.jobs import client, folder
run = folder.RunFolder(Path(sys.argv[1]))
client.start(run)
for event in client.follow(run):
    print(event, flush=True)
"""


def logs(folder: RunFolder) -> list[str]:
    return [stamped.event.text for stamped in folder.events() if isinstance(stamped.event, Log)]


def endings(folder: RunFolder) -> list[RunEnded]:
    return [stamped.event for stamped in folder.events() if isinstance(stamped.event, RunEnded)]


def started(folder: RunFolder, said: str | None = None) -> Iterator[object]:
    """Start, follow, and stop following once the program has said ``said``."""
    client.start(folder)
    for stamped in client.follow(folder):
        yield stamped.event
        if isinstance(stamped.event, Log) and stamped.event.text == said:
            return


def until_up(folder: RunFolder, said: str = "up") -> str:
    list(started(folder, said))
    owner = folder.owner()
    assert owner is not None
    return str(owner["run_id"])


def test_steps_run_in_order_and_the_last_event_is_the_end(folder_of: FolderOf) -> None:
    folder = folder_of("print('one')", "import sys; print('two', file=sys.stderr)")
    ended = client.run_to_end(folder)
    assert ended.state == "done"
    assert logs(folder) == ["one", "two"]
    assert isinstance(folder.events()[-1].event, RunEnded)
    assert folder.output_file.read_bytes().split() == [b"one", b"two"]
    assert folder.look().state == "done"
    assert not folder.pid_file.exists()
    assert not folder.reserve_file.exists()


def test_a_failing_step_ends_the_run_with_a_reason(folder_of: FolderOf) -> None:
    folder = folder_of("print('last words'); raise SystemExit(3)", "print('never')")
    ended = client.run_to_end(folder)
    assert ended.state == "failed"
    assert ended.problem is not None
    assert "exit code 3" in ended.problem.message
    assert ended.problem.details == "last words"
    assert "never" not in logs(folder)
    assert folder.look().problem == ended.problem


def test_a_program_that_cannot_start_is_named(folder_of: FolderOf, tmp_path: Path) -> None:
    folder = folder_of("pass")
    command = Command(argv=(str(tmp_path / "no-such-program"),))
    folder.save_plan(Plan(kind="t", title="T", steps=(Step(id="s", title="S", command=command),)))
    ended = client.run_to_end(folder)
    assert ended.problem is not None
    assert ended.problem.code == "cannot-start"
    assert "no-such-program" in ended.problem.message


def test_a_tool_that_is_not_installed_is_named(folder_of: FolderOf) -> None:
    folder = folder_of("pass")
    command = Command(argv=("cmake", "-S", "."), env={"PATH": "/nonexistent"})
    folder.save_plan(Plan(kind="t", title="T", steps=(Step(id="s", title="S", command=command),)))
    ended = client.run_to_end(folder)
    assert ended.problem is not None
    assert ended.problem.code == "tool-missing"
    assert ended.problem.message == "cmake is not installed on this computer."


def test_killing_the_client_changes_nothing(folder_of: FolderOf) -> None:
    folder = folder_of("import time\nfor i in range(40):\n    print(i, flush=True)\n    time.sleep(0.02)")
    watcher = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(folder.path)],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert watcher.stdout is not None
    watcher.stdout.readline()
    watcher.send_signal(signal.SIGKILL)
    watcher.wait()
    watcher.stdout.close()
    seen = [stamped.event for stamped in client.follow(folder)]
    assert isinstance(seen[0], RunStarted)
    assert isinstance(seen[-1], RunEnded)
    assert seen[-1].state == "done"
    assert logs(folder) == [str(number) for number in range(40)]


def test_a_killed_runner_leaves_no_orphan_and_resumes(folder_of: FolderOf) -> None:
    folder = folder_of("print('first')", TREE)
    run_id = until_up(folder)
    assert len(process.marked(run_id)) >= 3
    owner = folder.owner()
    assert owner is not None
    psutil.Process(owner["pid"]).kill()
    began = time.monotonic()
    while folder.is_running():
        pass
    look = folder.look()
    assert time.monotonic() - began < 2
    assert process.marked(run_id) == []
    assert look.state == "broken"
    assert look.problem is not None
    assert look.problem.code == "stopped-unexpectedly"
    assert look.done_steps == {"s0"}
    until_up(folder)
    client.request_stop(folder)
    assert [stamped.event for stamped in client.follow(folder)][-1] == endings(folder)[-1]
    assert logs(folder).count("first") == 1, "a step that was done is not done again"


def test_cancel_ends_the_whole_tree_within_six_seconds(folder_of: FolderOf) -> None:
    for program in (TREE, STUBBORN):
        folder = folder_of(program)
        run_id = until_up(folder)
        began = time.monotonic()
        client.request_stop(folder)
        last = [stamped.event for stamped in client.follow(folder)][-1]
        assert time.monotonic() - began < 6
        assert isinstance(last, RunEnded)
        assert last.state == "stopped"
        assert process.marked(run_id) == []
        shutil.rmtree(folder.path)


def test_a_stopped_run_goes_on_and_a_changed_plan_starts_anew(folder_of: FolderOf) -> None:
    folder = folder_of("print('first')", LONG)
    until_up(folder, "5")
    client.request_stop(folder)
    list(client.follow(folder))
    folder_of("print('first')", "print('second')")
    assert client.run_to_end(folder).state == "done"
    assert logs(folder).count("first") == 2


def test_after_a_failure_every_step_is_done_again(folder_of: FolderOf, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    folder = folder_of("print('first')", f"import pathlib, sys; sys.exit(not pathlib.Path({str(flag)!r}).exists())")
    assert client.run_to_end(folder).state == "failed"
    flag.touch()
    assert client.run_to_end(folder).state == "done"
    assert logs(folder) == ["first", "first"]
    assert [e.state for e in endings(folder)] == ["failed", "done"]


def test_a_second_runner_refuses(folder_of: FolderOf) -> None:
    folder = folder_of(LONG)
    until_up(folder, "1")
    second = subprocess.run(
        [sys.executable, "-m", "loragui", "run", str(folder.path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "already going on" in second.stderr
    assert folder.is_running()
    client.request_stop(folder)
    assert [stamped.event for stamped in client.follow(folder)][-1] == endings(folder)[-1]
    assert len(endings(folder)) == 1


def test_a_deleted_folder_ends_the_work_with_a_clear_event(folder_of: FolderOf) -> None:
    folder = folder_of(LONG)
    run_id = until_up(folder, "1")
    shutil.rmtree(folder.path)
    last = [stamped.event for stamped in client.follow(folder)][-1]
    assert isinstance(last, RunEnded)
    assert last.problem is not None
    assert last.problem.code == "folder-gone"
    psutil.wait_procs(process.marked(run_id), timeout=6)
    assert process.marked(run_id) == []


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="needs to mount a small disk")
def test_a_full_disk_ends_with_a_clear_event_and_loses_nothing(folder_of: FolderOf, tmp_path: Path) -> None:
    place = tmp_path / "run"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)], check=True)
    try:
        folder = folder_of("print('begin', flush=True)\nfor i in range(10000): print('x' * 100)")
        ended = client.run_to_end(folder)
        seen = [stamped.event for stamped in folder.events()]
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
    assert ended.state == "failed"
    assert ended.problem is not None
    assert ended.problem.code == "disk-full"
    assert seen[-1] == ended
    assert [type(event) for event in seen[:2]] == [RunStarted, StepStarted]
    assert Log(text="begin") in seen


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="needs to mount a small disk")
def test_an_unwritable_folder_is_told_before_anything_starts(folder_of: FolderOf, tmp_path: Path) -> None:
    place = tmp_path / "run"
    place.mkdir()
    folder = folder_of("print('never')")
    subprocess.run(["mount", "--bind", str(place), str(place)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        with pytest.raises(AppError, match=r"not allowed|[Rr]ead-only"):
            client.start(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
    assert folder.look().state == "new"


def test_events_cut_at_any_byte_are_still_read_and_continued(folder_of: FolderOf) -> None:
    folder = folder_of("print('one')")
    client.run_to_end(folder)
    whole = folder.events_file.read_bytes()
    lines = whole.split(b"\n")
    for cut in range(len(whole)):
        folder.events_file.write_bytes(whole[:cut])
        complete = whole[:cut].count(b"\n")
        torn = whole[:cut].rsplit(b"\n", 1)[-1]
        assert len(folder.events()) == complete + (torn == lines[complete] and bool(torn))
        folder.look()
    folder.events_file.write_bytes(whole[: len(whole) // 2])
    client.run_to_end(folder)
    assert isinstance(folder.events()[-1].event, RunEnded)
    assert json.loads(folder.events_file.read_bytes().split(b"\n")[-2])["event"] == "RunEnded"


def test_a_fatal_trouble_ends_a_running_program(folder_of: FolderOf) -> None:
    line = '{"v":1,"t":0,"event":"Trouble","problem":{"message":"enough","code":"x"},"fatal":true}'
    folder = folder_of(f"import time\nprint('{line}', flush=True)\ntime.sleep(600)", reader="events")
    ended = client.run_to_end(folder)
    assert ended.state == "failed"
    assert ended.problem is not None
    assert ended.problem.message == "enough"
    troubles = [s.event for s in folder.events() if isinstance(s.event, Trouble)]
    assert len(troubles) == 1
    assert [s.event.ok for s in folder.events() if isinstance(s.event, StepEnded)] == [False]


def test_output_of_any_bytes_is_kept_and_shown(folder_of: FolderOf) -> None:
    folder = folder_of("import sys; sys.stdout.buffer.write(b'caf\\xe9\\r50%\\r100%\\r\\n\\xe2\\x96\\x88 end')")
    assert client.run_to_end(folder).state == "done"
    assert logs(folder) == ["caf\\xe9", "50%", "100%", "█ end"]
    assert b"caf\xe9" in folder.output_file.read_bytes()
