from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from loragui import project as projects
from loragui.errors import AppError
from loragui.gui.store import ProjectStore
from loragui.paths import Workspace


@pytest.fixture
def store(qapp: object, workspace: Workspace) -> ProjectStore:
    made = ProjectStore()
    made.open(projects.create(workspace.projects, "One"))
    return made


def test_every_change_is_told_and_saved(store: ProjectStore, qtbot: QtBot) -> None:
    assert store.opened is not None
    with qtbot.waitSignal(store.changed):
        store.edit_settings(rank=4)
    store.edit_settings(rank=32)
    store.edit_data(seed=7)
    with qtbot.assertNotEmitted(store.changed):
        store.edit(name="One")
    store.finish()
    saved = projects.load(store.opened.folder)
    assert saved == store.project
    assert (saved.hyperparameters.rank, saved.data.seed) == (32, 7)


def test_undo_and_redo(store: ProjectStore) -> None:
    assert store.opened is not None
    for rank in (4, 16, 32):
        store.edit_settings(rank=rank)
    store.undo()
    store.undo()
    assert store.project.hyperparameters.rank == 4
    store.redo()
    assert store.project.hyperparameters.rank == 16
    store.edit_settings(rank=64)
    store.redo()
    assert store.project.hyperparameters.rank == 64
    for _ in range(9):
        store.undo()
    assert store.project.hyperparameters.rank == 8
    store.finish()
    assert projects.load(store.opened.folder) == store.project


def test_a_damaged_project_leaves_the_open_one(store: ProjectStore, workspace: Workspace) -> None:
    before = store.opened
    other = projects.create(workspace.projects, "Two")
    (other / "project.json").write_text("{", encoding="utf-8")
    with pytest.raises(AppError, match="damaged"):
        store.open(other)
    assert store.opened is before
    store.finish()


def test_a_save_that_fails_is_told(store: ProjectStore, qtbot: QtBot) -> None:
    assert store.opened is not None
    folder = store.opened.folder
    folder.rename(folder.with_name("gone"))
    folder.write_text("a file is in the way", encoding="utf-8")
    with qtbot.waitSignal(store.trouble):
        store.edit_settings(rank=4)
    store.finish()


def test_what_is_opened_again_has_the_last_change(store: ProjectStore, workspace: Workspace) -> None:
    assert store.opened is not None
    one, other = store.opened.folder, projects.create(workspace.projects, "Two")
    for rank in range(1, 40):
        store.edit_settings(rank=rank)
    store.open(other)
    store.open(one)
    assert store.project.hyperparameters.rank == 39
    store.finish()
