"""The command line as a person uses it: help, JSON, dry runs, exit codes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from loragui import project as projects
from loragui.cli import VERBS, main
from loragui.engine.installed import Engine
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan, Step
from loragui.paths import resource_path
from tests import tiny

DEMO = resource_path("demo")
HELP = (
    (), ("doctor",), ("engine",), ("engine", "list"), ("engine", "build"), ("engine", "remove"), ("engine", "ways"),
    ("engine", "add"), ("engine", "rebuild"), ("engine", "update"), ("engine", "tune"), ("model",),
    ("model", "inspect"), ("model", "fetch"), ("model", "convert"), ("data",), ("data", "format"), ("project",),
    ("project", "new"), ("project", "set"), ("project", "show"), ("estimate",), ("train",), ("resume",), ("stop",),
    ("runs",), ("merge",), ("try",), ("card",), ("howto",), ("run",), ("log",), ("demo",),
)  # fmt: skip

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def space(tmp_path: Path) -> Path:
    return tmp_path / "space"


def call(space: Path, *words: str | Path) -> int:
    return main(["--workspace", str(space), *map(str, words)])


@pytest.mark.parametrize("words", HELP, ids=" ".join)
def test_every_verb_has_a_help(words: tuple[str, ...], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    assert "usage: loragui" in capsys.readouterr().out


def test_wrong_use_is_2(capsys: Capture) -> None:
    assert main([]) == 2
    assert "the window opens" in capsys.readouterr().out
    for words in (["sing"], ["train"], ["engine", "build", "--recipe", "magic"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2


def test_the_doctor_speaks_both_ways(space: Path, capsys: Capture) -> None:
    assert call(space, "doctor") == 0
    assert "RAM:" in capsys.readouterr().out
    assert main(["doctor", "--json", "--workspace", str(space)]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["ok"] is True
    assert value["machine"]["physical_cores"] >= 1
    assert not space.exists()


@pytest.mark.parametrize("words", [("engine", "build"), ("model", "fetch", "smollm2-135m-instruct"), ("demo",)])
def test_a_dry_run_prints_the_plan_and_does_nothing(space: Path, capsys: Capture, words: tuple[str, ...]) -> None:
    assert call(space, *words, "--dry-run") == 0
    assert "1. " in capsys.readouterr().out
    assert call(space, *words, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)
    assert not space.exists()


def test_lists_are_empty_at_first(space: Path, capsys: Capture) -> None:
    assert call(space, "engine", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_what_cannot_be_done_is_1_with_a_remedy_on_stderr(space: Path, capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "junk.gguf").write_bytes(b"not a model")
    for words in (
        ("train", "nothing"), ("runs", "nothing"), ("engine", "remove", "none"), ("model", "inspect", tmp_path / "no"),
        ("model", "inspect", tmp_path / "junk.gguf"), ("run", tmp_path),
        ("data", "format", tmp_path / "junk.gguf", "--output", tmp_path / "out"),
    ):  # fmt: skip
        assert call(space, *words) == 1
        said = capsys.readouterr().err
        assert "Problem: " in said
        assert "What to do: " in said
        assert "Traceback" not in said


def test_chats_become_training_text(space: Path, capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("data", "format", DEMO / "chats", DEMO / "orla.json", "--output", out, "--context-size", "192")
    assert call(space, *words, "--dry-run") == 0
    assert not out.exists()
    capsys.readouterr()
    assert call(space, *words, "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert value["samples"] == 74
    assert value["dropped"] >= 2
    text = Path(value["train"]).read_bytes()
    assert text.startswith(b"<s>")
    assert b"\n<s>" not in text
    assert call(space, *words) == 0
    assert Path(value["train"]).read_bytes() == text
    assert "5-jonas.jsonl, line 6" in capsys.readouterr().out


def test_a_project_is_made_changed_and_shown(space: Path, capsys: Capture) -> None:
    assert call(space, "project", "new", "My tale", "--data", DEMO / "chats", "--set", "iterations=60", "--json") == 0
    folder = Path(json.loads(capsys.readouterr().out)["project"])
    assert folder == space / "projects" / "my-tale"
    assert call(space, "project", "set", "my-tale", "--set", "flash-attention=no", "--set", "learning_rate=0.002") == 0
    capsys.readouterr()
    assert call(space, "project", "show", folder, "--json") == 0
    settings = json.loads(capsys.readouterr().out)["hyperparameters"]
    assert (settings["iterations"], settings["flash_attention"], settings["learning_rate"]) == (60, False, 0.002)
    rare = ("rank-query=4", "weight_decay=0.5", "separate_with_bos=off", "rope_freq_base=1000000")
    assert call(space, "project", "set", "my-tale", *(word for each in rare for word in ("--set", each))) == 0
    assert "rank query: 4" in capsys.readouterr().out
    assert call(space, "project", "set", "my-tale", "--set", "rope_freq_base=none", "--set", "rank_query=") == 0
    told = capsys.readouterr().out
    assert "rope freq base: as the base model says" in told
    assert "rank query" not in told
    chosen = projects.load(folder).hyperparameters
    assert (chosen.rank_query, chosen.weight_decay, chosen.separate_with_bos) == (None, 0.5, False)
    numbers = ("iterations=many", "rank=-1", "learning_rate=inf", "rank_query=4.5", "rank=none")
    for wrong in ("itterations=3", "flash_attention=perhaps", *numbers):
        assert call(space, "project", "set", "my-tale", "--set", wrong) == 1
    assert call(space, "project", "new", "Other", "--base-model", space / "none.gguf") == 1
    assert not (space / "projects" / "other").exists()
    assert call(space, "runs", "my-tale") == 0
    assert call(space, "stop", "my-tale") == 1
    assert call(space, "train", "my-tale") == 1
    assert "No engine is chosen" in capsys.readouterr().err


def test_a_model_is_judged_and_converted(space: Path, capsys: Capture, tmp_path: Path) -> None:
    model = tmp_path / "grouped.gguf"
    tiny.write(model, tiny.Tiny(kv_heads=2, tied=True))
    assert call(space, "model", "inspect", model, "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert value["outcome"] == "copy"
    assert len(value["reasons"]) == 2
    assert call(space, "model", "convert", model, "--dry-run") == 0
    assert not space.exists()
    capsys.readouterr()
    assert call(space, "model", "convert", model, "--json") == 0
    copy = Path(json.loads(capsys.readouterr().out)["model"])
    assert call(space, "model", "inspect", copy, "--json") == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "as_it_is"


@pytest.mark.real
def test_the_verbs_go_the_whole_way(space: Path, capsys: Capture, engine: Engine) -> None:
    shutil.copytree(engine.folder, space / "engines" / engine.name)
    (space / "models").mkdir()
    tiny.write(space / "models" / "base.gguf", tiny.Tiny(embedding=128, feed_forward=256))
    new = ("project", "new", "Demo", "--engine", engine.name, "--base-model", space / "models" / "base.gguf")
    settings = ("context_size=512", "iterations=6", "save_every=3", "threads=1", "rank=4", "alpha=4")
    sets = [word for setting in settings for word in ("--set", setting)]
    assert call(space, *new, "--data", DEMO / "chats", DEMO / "orla.json", *sets) == 0
    assert call(space, "data", "format", "--project", "demo") == 0
    assert call(space, "estimate", "demo") == 0
    assert call(space, "train", "demo", "--dry-run") == 0
    assert not (space / "projects" / "demo" / "runs").exists()
    capsys.readouterr()
    assert call(space, "train", "demo", "--json") == 0
    assert json.loads(capsys.readouterr().out)["iteration"] == 6
    assert call(space, "resume", "demo") == 1
    assert "complete" in capsys.readouterr().err
    assert call(space, "merge", "demo", "--checkpoint", "3", "--dry-run") == 0
    capsys.readouterr()
    assert call(space, "merge", "demo", "--json") == 0
    assert Path(json.loads(capsys.readouterr().out)["model"]).is_file()
    assert call(space, "try", "demo", "The lamp", "--tokens", "8", "--json") == 0
    assert set(json.loads(capsys.readouterr().out)) == {"base", "merged"}
    assert call(space, "runs", "demo", "--json") == 0
    assert [row["state"] for row in json.loads(capsys.readouterr().out)] == ["done", "done", "done"]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to send there")
def test_ctrl_c_is_130(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    argv = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")
    step = Step(id="s", title="Long", command=Command(argv=argv))
    folder.save_plan(Plan(kind="t", title="T", steps=(step,)))
    runner = subprocess.Popen(
        [sys.executable, "-m", "loragui", "run", str(folder.path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while b"up" not in (folder.output_file.read_bytes() if folder.output_file.exists() else b""):
        assert runner.poll() is None
    runner.send_signal(signal.SIGINT)
    said, _ = runner.communicate(timeout=20)
    assert runner.returncode == 130
    assert b"Stopped" in said
    assert folder.look().state == "stopped"


def test_every_module_of_verbs_is_a_file() -> None:
    place = Path(sys.modules[main.__module__].__file__ or "").parent
    assert all((place / f"{name}.py").is_file() for name in VERBS)


def test_the_log_of_a_run_is_saved_once(space: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = RunFolder(space / "jobs" / "x")
    command = Command(argv=(sys.executable, "-c", f"print({str(space / 'secret')!r}); raise SystemExit(3)"))
    folder.save_plan(Plan(kind="t", title="Getting it", steps=(Step(id="s", title="Unpacking", command=command),)))
    assert call(space, "run", folder.path) == 1
    target = tmp_path / "log.txt"
    assert call(space, "--dry-run", "log", folder.path, "--out", target) == 0
    assert not target.exists()
    assert call(space, "log", folder.path, "--out", target) == 0
    text = target.read_text(encoding="utf-8")
    assert "exit code 3" in text
    assert f"<workspace>{os.sep}secret" in text
    assert str(space) not in text
    capsys.readouterr()
    assert call(space, "log", folder.path, "--out", target) == 1
    assert "exists already" in capsys.readouterr().err
    assert call(space, "--json", "log", folder.path, "--out", target, "--overwrite") == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == target.stat().st_size
