from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui import paths
from loragui.paths import Workspace, move_folder


def test_resources_are_found() -> None:
    for name in ("engines.toml", "models.toml", "failures.toml", "templates", "demo"):
        assert paths.resource_path(name).exists()
    assert paths.resource_path("templates", "x.toml").parent == paths.resource_path("templates")


def test_the_workspace_is_the_chosen_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LORAGUI_WORKSPACE", str(tmp_path / "mine"))
    assert paths.default_workspace() == tmp_path / "mine"
    monkeypatch.delenv("LORAGUI_WORKSPACE")
    assert paths.default_workspace().name == paths.APP


def test_asking_for_a_place_makes_nothing(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "space")
    places = {space.engines, space.models, space.projects, space.cache, space.jobs}
    assert len(places) == 5
    assert {place.parent for place in places} == {space.root}
    assert list(tmp_path.iterdir()) == []


@given(st.text())
def test_a_slug_is_a_plain_folder_name(name: str) -> None:
    slug = paths.slug(name)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert len(slug) <= 40
    assert paths.slug(slug) == slug


def test_slugs_keep_what_can_be_read() -> None:
    assert paths.slug("Zoë's  Café!") == "zoe-s-cafe"
    assert paths.slug("灯台") == "project"


@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)))
def test_json_is_written_as_it_is_read(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("json") / "new" / "value.json"
    paths.write_json(path, value)
    data = path.read_bytes()
    assert json.loads(data) == value
    assert data.endswith(b"\n")
    assert b"\r" not in data
    assert [found.name for found in path.parent.iterdir()] == ["value.json"]


def test_a_write_that_fails_leaves_the_old_file_and_no_scrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "value.json"
    paths.write_json(path, 1)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        paths.write_json(path, 2)
    with pytest.raises(UnicodeEncodeError):
        paths.write_atomic(path, "\ud800")
    assert path.read_text() == "1\n"
    assert [found.name for found in tmp_path.iterdir()] == ["value.json"]


def test_a_folder_is_moved_as_soon_as_nobody_is_in_the_way(tmp_path: Path) -> None:
    source, target = tmp_path / "new", tmp_path / "place"
    for folder in (source, target):
        folder.mkdir()
        (folder / "file").write_text(folder.name)

    def waits() -> Iterator[float]:
        yield 0.0
        (target / "file").unlink()
        yield 0.0

    with pytest.raises(OSError, match="not empty"):
        move_folder(source, target, waits=[0.0])
    move_folder(source, target, waits=waits())
    assert (target / "file").read_text() == "new"
