"""The command line as a real process: its exit codes, Ctrl-C, a reader of its output that goes away."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import loragui.__main__ as entry
from loragui.engine import installed
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan, Step
from loragui.paths import Workspace

POSIX = pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to send and no such pipe there")


def start(*words: str | Path, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-X", "utf8", "-m", "loragui", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env={**os.environ, **(env or {})},
    )  # fmt: skip


def done(*words: str | Path) -> tuple[int, str, str]:
    child = start(*words)
    out, err = child.communicate(timeout=60)
    return child.returncode, out, err


def small_run(path: Path, program: str) -> RunFolder:
    folder = RunFolder(path)
    step = Step(id="s", title="Small", command=Command(argv=(sys.executable, "-c", program)))
    folder.save_plan(Plan(kind="t", title="T", steps=(step,)))
    return folder


def test_exit_codes(tmp_path: Path) -> None:
    space = ("--workspace", tmp_path / "space")
    code, out, err = done(*space, "doctor", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["ok"] is True
    code, out, err = done(*space, "train", "nothing", "--json")
    assert (code, out) == (1, "")
    assert "There is no project" in err
    code, _, err = done(*space, "sing")
    assert code == 2
    assert "doctor" in err
    assert not (tmp_path / "space").exists()


def test_a_run_answers_in_json(tmp_path: Path) -> None:
    folder = small_run(tmp_path / "good", "print('hello')")
    code, out, _ = done("run", folder.path, "--json")
    assert code == 0
    assert json.loads(out)["state"] == "done"
    code, out, _ = done("--json", "run", folder.path)
    assert code == 0
    assert json.loads(out)["state"] == "done"
    code, out, err = done("run", small_run(tmp_path / "bad", "raise SystemExit(3)").path, "--json")
    assert (code, out) == (1, "")
    assert "exit code 3" in err


def test_the_runner_loads_nothing_heavy(tmp_path: Path) -> None:
    folder = small_run(tmp_path / "run", "print('hello')")
    heavy = ("numpy", "regex", "gguf", "huggingface_hub", "PySide6")
    code = (
        f"import sys, loragui.cli; code = loragui.cli.main(['run', {str(folder.path)!r}]); "
        f"print(code, [name for name in {heavy!r} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "0 []"


@POSIX
def test_a_reader_that_goes_away_leaves_no_traceback(tmp_path: Path) -> None:
    child = start("--workspace", tmp_path / "space", "doctor")
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    err = child.stderr.read()
    child.stderr.close()
    assert child.wait(timeout=60) == 1
    assert err == ""


def test_ctrl_c_while_loading_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_words: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("loragui.cli.main", interrupted)
    monkeypatch.setattr(sys, "argv", ["loragui", "doctor"])
    assert entry.main() == 130


@pytest.fixture
def mute() -> Iterator[socket.socket]:
    """A package server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield server


@POSIX
@pytest.mark.parametrize("words", [("model", "fetch", "smollm2-135m-instruct"), ("engine", "build")], ids=" ".join)
def test_ctrl_c_in_a_verb_ends_its_work(tmp_path: Path, mute: socket.socket, words: tuple[str, ...]) -> None:
    space = tmp_path / "space"
    env = {
        "PIP_INDEX_URL": f"http://127.0.0.1:{mute.getsockname()[1]}/simple", "PIP_CONFIG_FILE": os.devnull,
        "PIP_EXTRA_INDEX_URL": "", "PIP_NO_CACHE_DIR": "1", "NO_PROXY": "*", "no_proxy": "*", "PIP_PROXY": "",
    }  # fmt: skip
    child = start("--workspace", space, *words, env=env)
    talking, _ = mute.accept()  # pip, three processes below, is waiting for an answer now
    with talking:
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
        assert child.returncode == 130
        talking.settimeout(30)
        while talking.recv(4096):
            pass  # ends when pip has let go of the connection
    assert "Stopping" in out
    assert "Stopped. The same command goes on" in out
    assert err == ""
    (folder,) = (RunFolder(path) for path in (space / "jobs").iterdir())
    assert folder.look().state == "stopped"
    assert list(space.rglob("*.gguf")) == []
    assert installed.engines(Workspace(space)) == ()
