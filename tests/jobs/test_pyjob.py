"""Our own Python as steps: what a job emits or raises becomes event lines and an exit code."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from loragui.cli.jobs import JOBS
from loragui.errors import AppError, Problem
from loragui.jobs import events, pyjob
from loragui.jobs.events import Event, Note, Trouble

Capture = pytest.CaptureFixture[str]


def printed(capsys: Capture) -> list[Event]:
    stamped = [events.from_line(line) for line in capsys.readouterr().out.splitlines()]
    assert None not in stamped
    return [one.event for one in stamped if one is not None]


def test_what_a_job_emits_becomes_lines(capsys: Capture) -> None:
    def job(args: Mapping[str, Any], emit: pyjob.Emit) -> None:
        emit(Note(text=f"{args['word']}\n…"))

    assert pyjob.run_job(job, {"word": "Grüße"}) == 0
    assert printed(capsys) == [Note(text="Grüße\n…")]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AppError("It is so.", "Do that.", code="so"), "so"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk-full"),
        (PermissionError(errno.EACCES, "Permission denied", "/a/file"), "not-allowed"),
        (OSError(errno.EROFS, "Read-only file system", "/a/file"), "not-allowed"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/a/file"), "file-missing"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/a/file.EXE"), "antivirus"),
        (OSError(errno.ENAMETOOLONG, "File name too long"), "path-too-long"),
        (OSError(errno.EIO, "Input/output error"), "os"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_expected_failure_is_the_last_event(capsys: Capture, error: Exception, code: str) -> None:
    def job(_args: Mapping[str, Any], emit: pyjob.Emit) -> None:
        emit(Note(text="begun"))
        raise error

    assert pyjob.run_job(job, {}) == 1
    first, last = printed(capsys)
    assert first == Note(text="begun")
    assert isinstance(last, Trouble)
    assert last.fatal
    assert last.problem.code == code
    assert last.problem.message
    assert last.problem.hint
    if getattr(error, "filename", None):
        assert "/a/file" in last.problem.message


def test_a_bug_is_not_hidden() -> None:
    def job(_args: Mapping[str, Any], _emit: pyjob.Emit) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pyjob.run_job(job, {})


def test_a_problem_travels_whole(capsys: Capture) -> None:
    problem = Problem(message="m “q”", hint="h", details="line 1\nline 2", code="c", blocking=False)

    def job(_args: Mapping[str, Any], emit: pyjob.Emit) -> None:
        emit(Trouble(problem=problem, fatal=False))

    assert pyjob.run_job(job, {}) == 0
    assert printed(capsys) == [Trouble(problem=problem, fatal=False)]


def test_a_job_command_can_be_started_and_is_the_same_every_time() -> None:
    command = pyjob.job_command("data-format", {"b": 1, "a": "ü"})
    assert command.reader == "events"
    assert command == pyjob.job_command("data-format", {"a": "ü", "b": 1})
    assert json.loads(command.argv[-1]) == {"a": "ü", "b": 1}
    assert command.argv[-2] in JOBS


def test_a_real_job_process_reports_its_failure_as_an_event(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    package = {"name": "lamp", "version": "1.0", "sha256": []}
    command = pyjob.job_command("package-download", {"package": package, "into": str(tmp_path / "file" / "below")})
    ran = subprocess.run(command.argv, capture_output=True, text=True, encoding="utf-8")
    assert command.argv[0] == sys.executable
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    last = events.from_line(ran.stdout.splitlines()[-1])
    assert last is not None
    assert isinstance(last.event, Trouble)
