"""Judging a workspace folder: Windows' rules from facts alone, and the probing on real folders."""

from __future__ import annotations

import os
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from loragui.errors import Problem
from loragui.machine.workspace import (
    DEEPEST_FILE,
    LONGEST_PATH,
    NEEDED_BYTES,
    Probe,
    existing_parent,
    judge_workspace,
    on_network,
    probe_workspace,
    synced_by,
    workspace_problems,
)

ROOMY = Probe(free_bytes=NEEDED_BYTES)


def codes(path: PurePath, probe: Probe = ROOMY, **environment: str) -> list[str]:
    return [problem.code for problem in judge_workspace(path, probe, environment=environment)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"C:\loragui", []),
        (r"C:\Program Files\loragui", []),
        (r"C:\Users\Jürgen\loragui", ["path-letters"]),
        (r"D:\训练", ["path-letters"]),
        ("C:\\" + "a" * 88, ["path-long"]),
        ("C:\\" + "a" * 87, []),
        (r"\\server\share\loragui", ["path-network"]),
        (r"C:\Users\ann\OneDrive\loragui", ["path-synced"]),
        (r"C:\Users\ann\OneDrive - Contoso\loragui", ["path-synced"]),
        (r"C:\Users\ann\Dropbox (Private)\x", ["path-synced"]),
        (r"G:\My Drive\loragui", ["path-synced"]),
        (r"C:\Users\ann\iCloudDrive\x", ["path-synced"]),
        (r"C:\onedriver\dropboxes", []),
    ],
)
def test_windows_paths(path: str, expected: list[str]) -> None:
    assert codes(PureWindowsPath(path)) == expected


def test_linux_paths() -> None:
    assert codes(PurePosixPath("/home/ann/loragui")) == []
    assert codes(PurePosixPath("/" + "a" * 200)) == []
    (problem,) = judge_workspace(PurePosixPath("/home/jürgen/x"), ROOMY, environment={})
    assert problem.code == "path-letters"
    assert not problem.blocking
    assert "\\xfc" in problem.details


def test_onedrive_by_its_variables() -> None:
    documents = PureWindowsPath(r"c:\users\ANN\Documents\loragui")
    assert codes(documents, OneDriveCommercial=r"C:\Users\ann\Documents") == ["path-synced"]
    assert codes(documents, OneDrive="", Path=r"C:\Users\ann\Documents") == []
    assert synced_by(documents, {"OneDriveConsumer": r"C:\Users\ann"}) == "OneDrive"


def test_probe_results_become_problems() -> None:
    probe = Probe(free_bytes=1 << 30, write_error="[Errno 13] Permission denied", remote=True)
    path = PureWindowsPath(r"Z:\x")
    assert codes(path, probe) == ["path-network", "path-readonly", "disk-full"]
    assert codes(path, Probe(free_bytes=None)) == []
    assert all(p.hint and p.message for p in judge_workspace(path, probe, environment={}))


def test_the_longest_path_leaves_room_for_the_deepest_file() -> None:
    assert len(r"C:\Users\somebody\AppData\Local\loragui") <= LONGEST_PATH - DEEPEST_FILE


def test_a_new_folder_is_fit_and_left_untouched(tmp_path: Path) -> None:
    assert workspace_problems(tmp_path / "new" / "er", needed_bytes=0) == ()
    assert list(tmp_path.iterdir()) == []
    assert existing_parent(tmp_path / "new" / "er") == tmp_path


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = workspace_problems(tmp_path / "file" / "inside", needed_bytes=0)
    assert [problem.code for problem in found] == ["path-readonly"]
    assert "is a file" in found[0].details


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody can write to")
def test_an_unwritable_folder() -> None:
    assert probe_workspace(Path("/proc/loragui")).write_error


def test_too_little_room(tmp_path: Path) -> None:
    (problem,) = workspace_problems(tmp_path, needed_bytes=1 << 60)
    assert isinstance(problem, Problem)
    assert problem.code == "disk-full"


def test_network_mounts() -> None:
    mounts = [("/", "ext4"), ("/mnt/nas", "cifs"), ("/mnt/nas/local", "ext4"), ("/home", "nfs4")]
    assert on_network(PurePosixPath("/mnt/nas/loragui"), mounts)
    assert on_network(PurePosixPath("/home/ann"), mounts)
    assert not on_network(PurePosixPath("/mnt/nas/local/x"), mounts)
    assert not on_network(PurePosixPath("/mnt/nasty"), mounts)
    assert not on_network(PurePosixPath("/x"), [])


@pytest.mark.skipif(os.name == "nt", reason="shows that a relative path is judged by where it leads")
def test_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / "Dropbox"
    deep.mkdir()
    monkeypatch.chdir(deep)
    assert [problem.code for problem in workspace_problems(Path("work"), needed_bytes=0)] == ["path-synced"]
