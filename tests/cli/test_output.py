"""What comes out where: one JSON value on stdout, problems on stderr, nothing done by a dry run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loragui import acts
from loragui.cli import main
from loragui.paths import resource_path
from tests import paper, tiny

Capture = pytest.CaptureFixture[str]
DEMO = str(resource_path("demo"))


@pytest.fixture
def ready(tmp_path: Path) -> acts.Open:
    """A workspace whose project “demo” could be trained."""
    return paper.project(tmp_path)


@pytest.fixture
def trained(ready: acts.Open) -> acts.Open:
    """One whose project has a stopped training with a LoRA."""
    (acts.train(ready).path / "lora-2.gguf").touch()
    return ready


def only_json(text: str) -> Any:
    """The one strict JSON value that ``text`` is."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


ASKING = (
    ("doctor",), ("engine", "list"), ("project", "show", "demo"), ("estimate", "demo"), ("runs", "demo"),
    ("model", "inspect", "{root}/base.gguf"),
)  # fmt: skip
PLANNED = (
    ("engine", "build"), ("model", "fetch", "smollm2-135m-instruct"), ("model", "convert", "{root}/grouped.gguf"),
    ("data", "format", DEMO, "--output", "{root}/out"), ("data", "format", "--project", "demo"), ("train", "demo"),
    ("resume", "demo"), ("merge", "demo"),
)  # fmt: skip
ANNOUNCED = (
    ("demo",), ("stop", "demo"), ("engine", "remove", "paper"), ("project", "new", "Other"),
    ("project", "set", "demo", "--set", "rank=16"),
)  # fmt: skip


def call(root: Path, *words: str, first: tuple[str, ...] = (), last: tuple[str, ...] = ()) -> int:
    filled = [word.format(root=root) for word in words]
    return main([*first, "--workspace", str(root), *filled, *last])


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
def test_json_is_one_value_wherever_the_option_stands(
    trained: acts.Open, tmp_path: Path, capsys: Capture, words: tuple[str, ...]
) -> None:
    assert call(tmp_path, *words, first=("--json",)) == 0
    before = only_json(capsys.readouterr().out)
    assert call(tmp_path, *words, last=("--json",)) == 0
    after = only_json(capsys.readouterr().out)
    assert type(before) is type(after)
    assert call(tmp_path, *words) == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("words", PLANNED + ANNOUNCED, ids=" ".join)
def test_a_dry_run_changes_nothing_and_says_what_would_happen(
    trained: acts.Open, tmp_path: Path, capsys: Capture, words: tuple[str, ...]
) -> None:
    tiny.write(tmp_path / "grouped.gguf", tiny.Tiny(kv_heads=2))
    before = paper.tree(tmp_path)
    assert call(tmp_path, *words, last=("--dry-run",)) == 0
    said = capsys.readouterr().out
    assert call(tmp_path, *words, first=("--dry-run", "--json")) == 0
    value = only_json(capsys.readouterr().out)
    assert paper.tree(tmp_path) == before
    if words in PLANNED:
        assert "  1. " in said
        assert value["steps"]
        assert all(step["title"] in said for step in value["steps"])
    else:
        assert said.strip()


FAILING = (
    ("train", "nothing"), ("resume", "nothing"), ("estimate", "nothing"), ("merge", "demo"), ("try", "demo", "Hello"),
    ("stop", "demo"), ("resume", "demo"), ("engine", "remove", "none"), ("model", "inspect", "{root}"),
    ("model", "convert", "{root}/none.gguf"), ("run", "{root}"),
    ("data", "format", "{root}/no", "--output", "{root}/o"),
    ("project", "set", "demo", "--engine", "none"), ("project", "show", "nothing"),
)  # fmt: skip


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["plain", "json"])
@pytest.mark.parametrize("words", FAILING, ids=" ".join)
def test_a_failure_is_told_on_stderr_with_a_remedy(
    ready: acts.Open, tmp_path: Path, capsys: Capture, words: tuple[str, ...], options: tuple[str, ...]
) -> None:
    assert call(tmp_path, *words, last=options) == 1
    out, err = capsys.readouterr()
    assert "Problem: " in err
    assert "What to do: " in err
    assert "Traceback" not in err + out
    assert "Problem: " not in out
    if options:
        assert out == ""


def test_nothing_to_do_is_wrong_use(tmp_path: Path, capsys: Capture) -> None:
    for words in (("data", "format"), ("data", "format", DEMO)):
        assert call(tmp_path, *words) == 2
        assert "--output" in capsys.readouterr().err


def test_a_prompt_file_that_is_missing_is_named(trained: acts.Open, tmp_path: Path, capsys: Capture) -> None:
    assert call(tmp_path, "try", "demo", f"@{tmp_path / 'none.txt'}") == 1
    assert "none.txt is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("itterations=3", "“itterations”"), ("iterations=many", "iterations"), ("iterations", "iterations"),
        ("flash_attention=perhaps", "flash_attention"), ("learning_rate=nan", "Learning rate"),
        ("learning_rate=inf", "Learning rate"), ("rank=1.5", "rank"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_and_nothing_is_saved(
    ready: acts.Open, tmp_path: Path, capsys: Capture, word: str, named: str
) -> None:
    before = paper.tree(tmp_path)
    assert call(tmp_path, "project", "set", "demo", "--set", "rank=16", "--set", word) == 1
    assert named in capsys.readouterr().err
    assert call(tmp_path, "project", "new", "Other", "--set", word) == 1
    assert paper.tree(tmp_path) == before


def test_a_newer_and_a_damaged_project_are_refused(ready: acts.Open, tmp_path: Path, capsys: Capture) -> None:
    for text, said in (('{"schema": 99}', "newer version"), ("{", "damaged")):
        (ready.folder / "project.json").write_text(text)
        assert call(tmp_path, "project", "show", "demo") == 1
        assert said in capsys.readouterr().err
