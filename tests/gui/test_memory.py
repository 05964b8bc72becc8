from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest
from PySide6.QtCore import QByteArray

from loragui.gui.memory import MOST_RECENT, Memory
from loragui.paths import APP, Workspace
from loragui.steps import Step


def again(memory: Memory, workspace: Workspace) -> Memory:
    """What another start of the program reads from the file."""
    del memory
    return Memory(workspace)


def test_nothing_is_known_at_first(workspace: Workspace, qapp: object) -> None:
    memory = Memory(workspace)
    assert (memory.project, memory.place, memory.recent, memory.tour) == (None, None, (), None)
    assert memory.scheme == "system"
    assert memory.geometry.isEmpty()


def test_everything_is_there_at_the_next_start(workspace: Workspace, qapp: object, tmp_path: Path) -> None:
    memory, project = Memory(workspace), tmp_path / "Möwe, 100 % & “so”; [x]=1"
    memory.stand(project, Step.SETTINGS)
    memory.tour, memory.scheme, memory.geometry = project, "dark", QByteArray(b"\x00\x01\xff")
    memory = again(memory, workspace)
    assert (memory.project, memory.place, memory.recent, memory.tour) == (
        project, Step.SETTINGS, (project,), project,
    )  # fmt: skip
    assert memory.scheme == "dark"
    assert bytes(memory.geometry.data()) == b"\x00\x01\xff"
    memory.stand(None, None)
    memory.tour = None
    memory = again(memory, workspace)
    assert (memory.project, memory.place, memory.recent, memory.tour) == (None, None, (project,), None)


def test_the_last_opened_come_first_and_only_some_stay(workspace: Workspace, qapp: object, tmp_path: Path) -> None:
    memory = Memory(workspace)
    paths = [tmp_path / str(number) for number in range(MOST_RECENT + 3)]
    for path in (*paths, paths[5]):
        memory.stand(path, None)
    recent = again(memory, workspace).recent
    assert recent[:2] == (paths[5], paths[-1])
    assert len(recent) == len(set(recent)) == MOST_RECENT


def test_each_workspace_has_its_own_but_looks_the_same(workspace: Workspace, qapp: object, tmp_path: Path) -> None:
    one, other = Memory(workspace), Memory(Workspace(tmp_path / "other"))
    one.stand(tmp_path / "p", Step.TRAIN)
    one.scheme = "light"
    other.stand(tmp_path / "q", None)
    assert Memory(workspace).project == tmp_path / "p"
    assert Memory(Workspace(tmp_path / "other")).project == tmp_path / "q"
    assert Memory(Workspace(tmp_path / "other")).scheme == "light"


@pytest.mark.parametrize("damage", ["\x00\x01", "[%General]\nscheme=@Variant(x)\ngeometry=7\n", "[[[\n=\n"])
def test_a_damaged_file_is_as_good_as_none(workspace: Workspace, qapp: object, damage: str) -> None:
    file = platformdirs.user_config_path(APP) / "window.ini"
    file.parent.mkdir(parents=True)
    file.write_text(damage, encoding="utf-8")
    memory = Memory(workspace)
    assert (memory.project, memory.place, memory.recent) == (None, None, ())
    assert memory.geometry.isEmpty()
    memory.stand(workspace.projects / "p", Step.DATA)
    assert again(memory, workspace).place is Step.DATA
