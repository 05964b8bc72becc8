"""The saved log: what it says, what it does not say, and what is there when it cannot be written."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui import __version__
from loragui.errors import AppError
from loragui.jobs import client, savelog
from loragui.jobs.folder import RunFolder
from loragui.jobs.savelog import save_log, whole_lines, workspace_of
from tests.jobs.conftest import FolderOf

SAYS = """
import sys
print("first line")
sys.stdout.buffer.write(b"bytes of \\xf6ld times\\r 10%\\r100%\\r\\nhttp://bob:pass@proxy/\\n")
print(PLACE + "/a.cpp:1: error: no")
raise SystemExit(4)
"""


def ran(folder_of: FolderOf, tmp_path: Path) -> RunFolder:
    folder = folder_of(f"PLACE = {str(tmp_path)!r}" + SAYS.replace("\\\\", "\\"))
    client.run_to_end(folder)
    return folder


def test_what_a_log_says(folder_of: FolderOf, tmp_path: Path) -> None:
    folder = ran(folder_of, tmp_path)
    target = tmp_path / "out" / "log.txt"
    target.parent.mkdir()
    save_log(folder, target)
    text = target.read_text(encoding="utf-8")
    for part in (
        f"loragui {__version__}", "System: ",
        "Test\n  1. Program 0", "State: failed", "exit code 4", "Code: unexplained",
        "RAM: ", "---- Output ----", "first line\n", "bytes of \\xf6ld times\n 10%\n100%\n", "http://<credentials>@proxy/",
        "/a.cpp:1: error: no\n",
    ):  # fmt: skip
        assert part in text
    assert str(tmp_path) not in text
    assert "pass" not in text
    assert [path.name for path in target.parent.iterdir()] == ["log.txt"]


def test_an_existing_file_is_kept_unless_told(folder_of: FolderOf, tmp_path: Path) -> None:
    folder = ran(folder_of, tmp_path)
    target = tmp_path / "log.txt"
    target.write_text("mine")
    with pytest.raises(AppError, match="exists already"):
        save_log(folder, target)
    assert target.read_text() == "mine"
    save_log(folder, target, overwrite=True)
    assert "first line" in target.read_text()


def test_no_run_no_log(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="not a run folder"):
        save_log(RunFolder(tmp_path), tmp_path / "log.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_has_not_begun(folder_of: FolderOf, tmp_path: Path) -> None:
    save_log(folder_of("pass"), tmp_path / "log.txt")
    text = (tmp_path / "log.txt").read_text()
    assert "it has not ended" in text
    assert "Output" not in text


def test_a_folder_that_is_not_there(folder_of: FolderOf, tmp_path: Path) -> None:
    with pytest.raises(AppError, match="does not exist"):
        save_log(folder_of("pass"), tmp_path / "no" / "log.txt")


@pytest.mark.parametrize(
    ("run", "workspace"),
    [("/w/jobs/x", "/w"), ("/w/projects/mine/runs/0001", "/w"), ("/jobs/w/projects/mine/runs/0001", "/jobs/w"),
     ("/somewhere/run", "/somewhere")],
)  # fmt: skip
def test_the_workspace_of_a_run(run: str, workspace: str) -> None:
    assert workspace_of(Path(run)) == Path(workspace)


@given(st.binary(max_size=400))
def test_nothing_is_lost_between_blocks(data: bytes) -> None:
    whole = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n").replace("\r", "\n")
    for size in (1, 7, 1 << 20):
        savelog.BLOCK, before = size, savelog.BLOCK
        try:
            blocks = list(whole_lines(io.BytesIO(data)))
        finally:
            savelog.BLOCK = before
        assert "".join(blocks) == whole
