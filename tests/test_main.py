from __future__ import annotations

from pathlib import Path

import pytest

from loragui import project as projects
from loragui.__main__ import window_wanted
from loragui.paths import default_workspace, remember_workspace


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return projects.create(tmp_path / "space" / "projects", "My lamp keeper")


def test_no_words_open_the_window() -> None:
    wanted = window_wanted([])
    assert wanted is not None
    workspace, project = wanted
    assert workspace.root == default_workspace().absolute()
    assert project is None


def test_a_project_opens_in_the_window(project: Path, tmp_path: Path) -> None:
    space = ["--workspace", str(tmp_path / "space")]
    for word in (str(project), str(project / "project.json"), "my-lamp-keeper"):
        wanted = window_wanted([*space, word])
        assert wanted is not None
        assert wanted[0].root == tmp_path / "space"
        assert wanted[1] == project
    assert window_wanted([word, *space]) is not None


@pytest.mark.parametrize("words", [["doctor"], ["train", "x"], ["nothing-of-that-name"], ["--help"], ["--version"]])
def test_everything_else_is_the_command_line(words: list[str]) -> None:
    assert window_wanted(words) is None


def test_a_verb_goes_before_a_project_of_its_name(tmp_path: Path) -> None:
    projects.create(tmp_path / "projects", "demo")
    assert window_wanted(["--workspace", str(tmp_path), "demo"]) is None


def test_the_chosen_workspace_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    remember_workspace(tmp_path / "w")
    assert default_workspace() != tmp_path / "w", "LORAGUI_WORKSPACE goes before it"
    monkeypatch.delenv("LORAGUI_WORKSPACE")
    assert default_workspace() == tmp_path / "w"


def test_the_folder_one_stands_in_is_a_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for here, word in ((project, "."), (project / "data", ".."), (project, "project.json")):
        here.mkdir(exist_ok=True)
        monkeypatch.chdir(here)
        wanted = window_wanted([word])
        assert wanted is not None
        assert wanted[1] == project


def test_the_workspace_can_be_given_in_one_word(tmp_path: Path) -> None:
    wanted = window_wanted([f"--workspace={tmp_path}"])
    assert wanted is not None
    assert wanted[0].root == tmp_path
    assert window_wanted(["--workspace"]) is None
