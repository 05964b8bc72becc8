"""``loragui engine``: lists, plans, and what is refused. Real builds are in tests/engine/test_real_recipes.py."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from loragui.cli import main
from loragui.engine import catalogue, installed
from loragui.engine.installed import Engine
from tests import paper

Capture = pytest.CaptureFixture[str]


def call(space: Path, *words: str | Path) -> int:
    return main(["--workspace", str(space), *map(str, words)])


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """A workspace with an engine that a project uses."""
    return paper.project(tmp_path).folder.parents[1]


def change(space: Path, **values: object) -> Engine:
    engine = replace(installed.load(space / "engines" / "paper"), **values)  # type: ignore[arg-type]
    installed.save(engine)
    return engine


def test_the_list_says_who_uses_an_engine_and_what_can_replace_it(space: Path, capsys: Capture) -> None:
    change(space, recipe="wheels", pin="b2321")
    assert call(space, "engine", "list") == 0
    said = capsys.readouterr().out
    assert "used by Demo" in said
    assert "llama.cpp b2896 (May 2024) can replace it" in said
    assert call(space, "engine", "list", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["pin"], row["recipe"]) == ("paper", "b2321", "wheels")


def test_every_way_is_listed_with_what_it_lacks(space: Path, capsys: Capture) -> None:
    assert call(space, "engine", "ways") == 0
    said = capsys.readouterr().out
    assert "wheels (recommended)" in said
    assert call(space, "engine", "ways", "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert value["recommended"] == "wheels"
    here = {recipe.id for recipe in catalogue.recipes() if catalogue.this_system() in recipe.on}
    assert {row["recipe"] for row in value["ways"]} == here


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--recipe", "gcc", "--pin", "b1298"), "llama-cpp-python==0.2.11"),
        (("--recipe", "gcc", "--source", "git"), "fetch --depth 1"),
        (("--recipe", "wheels"), "ninja"),
    ],
)
def test_a_build_can_be_printed(space: Path, capsys: Capture, words: tuple[str, ...], expected: str) -> None:
    assert call(space, "engine", "build", *words, "--dry-run") == 0
    said = capsys.readouterr().out.replace('"', "").replace("name: llama-cpp-python", "llama-cpp-python==0.2.11")
    assert expected in said
    assert not (space / "jobs").exists() or not list((space / "jobs").glob("engine-*"))


def test_a_revision_that_the_way_cannot_build_is_refused(space: Path, capsys: Capture) -> None:
    assert call(space, "engine", "build", "--recipe", "wheels", "--pin", "b1298") == 1
    assert "does not build llama.cpp b1298" in capsys.readouterr().err


def test_the_folder_must_be_one(space: Path, capsys: Capture, tmp_path: Path) -> None:
    assert call(space, "engine", "build", "--recipe", "wheels", "--source", tmp_path / "none") == 1
    assert "does not hold llama.cpp" in capsys.readouterr().err


@pytest.mark.parametrize(("act", "says"), [("rebuild", "[anew]"), ("update", "b2896-wheels"), ("tune", "paper")])
def test_what_would_be_done_with_an_engine(space: Path, capsys: Capture, act: str, says: str) -> None:
    change(space, recipe="wheels", pin="b2321" if act == "update" else "b2896")
    assert call(space, "engine", act, "paper", "--dry-run") == 0
    said = capsys.readouterr().out
    assert ('"anew": true' in said) if says == "[anew]" else (says in said)
    assert (space / "engines" / "paper" / "finetune").is_file()


def test_nothing_newer_is_said(space: Path, capsys: Capture) -> None:
    change(space, recipe="wheels")
    assert call(space, "engine", "update", "paper") == 0
    assert "what the list of engines names today" in capsys.readouterr().out


def test_unknown_names_and_finished_programs_that_are_none(space: Path, capsys: Capture, tmp_path: Path) -> None:
    for words in (("rebuild", "none"), ("update", "none"), ("tune", "none"), ("add", tmp_path / "none.zip")):
        assert call(space, "engine", *words) == 1
        said = capsys.readouterr().err
        assert "Problem: " in said
        assert "What to do: " in said
    change(space, recipe="ready")
    assert call(space, "engine", "rebuild", "paper") == 1
    assert "cannot be built again" in capsys.readouterr().err
