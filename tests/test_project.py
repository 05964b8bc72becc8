from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loragui import project as projects
from loragui.errors import AppError
from loragui.project import DataChoice, FileRef, Hyperparameters, Project

GOLDEN = Path(__file__).parent / "golden"

refs = st.builds(FileRef, absolute=st.text(min_size=1), relative=st.text())
any_project = st.builds(
    Project,
    name=st.text(),
    engine=st.none() | refs,
    base_model=st.none() | refs,
    data=st.builds(DataChoice, files=st.lists(refs).map(tuple), template=st.text(), seed=st.integers()),
    hyperparameters=st.builds(
        Hyperparameters,
        iterations=st.integers(1, 10**6),
        learning_rate=st.floats(1e-7, 1),
        flash_attention=st.booleans(),
        rope_freq_base=st.none() | st.floats(1, 1e7),
        rank_query=st.none() | st.integers(1, 99),
        separate_with_bos=st.booleans(),
    ),
)


@given(any_project)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_project_survives_its_file(tmp_path: Path, project: Project) -> None:
    projects.save(tmp_path, project)
    assert projects.load(tmp_path) == project


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("project-*.json")), ids=lambda path: path.stem)
def test_files_of_every_older_version_are_read(tmp_path: Path, path: Path) -> None:
    shutil.copy(path, tmp_path / projects.FILE)
    project = projects.load(tmp_path)
    assert project.name == "Mara’s lamp"
    assert project.hyperparameters.iterations == 60
    assert project.data.files[0].relative == "../../chats"
    assert project.base_model is not None
    assert (project.hyperparameters.rank_query, project.hyperparameters.separate_with_bos) == (None, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("rank", 8.0), ("rank", None), ("rank", True), ("rank_query", 4.5), ("rank_query", False), ("weight_decay", "0"),
     ("weight_decay", True), ("separate_with_bos", 1), ("separate_with_bos", None)],
)  # fmt: skip
def test_a_setting_of_a_wrong_kind(name: str, value: object) -> None:
    assert projects.hyperparameters_of({"rank_query": 4, "weight_decay": 1}) == Hyperparameters(
        rank_query=4, weight_decay=1
    )
    with pytest.raises(TypeError, match=name):
        projects.hyperparameters_of({name: value})


def test_there_is_a_golden_file_for_this_schema() -> None:
    assert (GOLDEN / f"project-{projects.SCHEMA}.json").is_file()


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / projects.FILE).write_text(json.dumps({"schema": projects.SCHEMA + 1}))
    with pytest.raises(AppError, match="newer version"):
        projects.load(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": 1}', '{"schema": true}', '{"schema": "1"}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / projects.FILE).write_text(text)
    with pytest.raises(AppError, match=r"project\.json is damaged"):
        projects.load(tmp_path)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_wrong_value_anywhere_is_an_error_not_a_crash(tmp_path: Path, data: st.DataObject) -> None:
    value = json.loads((GOLDEN / "project-1.json").read_text(encoding="utf-8"))
    place = data.draw(st.sampled_from(["name", "engine", "base_model", "data", "hyperparameters"]))
    value[place] = data.draw(st.none() | st.booleans() | st.text() | st.lists(st.integers()))
    (tmp_path / projects.FILE).write_text(json.dumps(value))
    with contextlib.suppress(AppError):
        projects.load(tmp_path)


def test_a_file_cut_at_any_byte_is_an_error(tmp_path: Path) -> None:
    whole = (GOLDEN / "project-1.json").read_bytes().rstrip()
    for cut in range(len(whole)):
        (tmp_path / projects.FILE).write_bytes(whole[:cut])
        with pytest.raises(AppError):
            projects.load(tmp_path)


def test_a_save_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    projects.save(tmp_path, Project(name="old"))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        projects.save(tmp_path, Project(name="new"))
    assert projects.load(tmp_path).name == "old"
    assert [path.name for path in tmp_path.iterdir()] == [projects.FILE]


def test_names_become_folders_and_never_collide(tmp_path: Path) -> None:
    first = projects.create(tmp_path, "Mara’s Lämp 灯")
    second = projects.create(tmp_path, "Mara’s Lämp 灯")
    assert first.name == "maras-lamp"
    assert second.name == "maras-lamp-2"
    assert projects.load(second).name == "Mara’s Lämp 灯"
    assert projects.create(tmp_path, "灯").name == "project"


def test_references_follow_a_project_moved_alone_and_a_workspace_moved_whole(tmp_path: Path) -> None:
    model = tmp_path / "space" / "models" / "base.gguf"
    model.parent.mkdir(parents=True)
    model.touch()
    folder = projects.create(tmp_path / "space" / "projects", "moved")
    projects.save(folder, dataclasses.replace(projects.load(folder), base_model=FileRef.of(model, folder)))

    alone = tmp_path / "elsewhere" / "deep" / "moved"
    shutil.copytree(folder, alone)
    reference = projects.load(alone).base_model
    assert reference is not None
    assert reference.resolve(alone) == model

    (tmp_path / "space").rename(tmp_path / "other")
    folder = tmp_path / "other" / "projects" / "moved"
    reference = projects.load(folder).base_model
    assert reference is not None
    assert reference.resolve(folder) == tmp_path / "other" / "models" / "base.gguf"
    with pytest.raises(AppError, match="not there any more"):
        reference.resolve(alone)
