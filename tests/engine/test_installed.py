from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from loragui.engine import installed
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.paths import Workspace

EngineIn = Callable[..., Engine]


def test_an_engine_is_read_back_and_can_be_moved(tmp_path: Path, engine_in: EngineIn) -> None:
    engine = engine_in(tmp_path / "e")
    assert installed.load(tmp_path / "e") == engine
    (tmp_path / "e").rename(tmp_path / "moved")
    assert installed.load(tmp_path / "moved").program("finetune") == tmp_path / "moved" / "finetune"


def test_no_engine(tmp_path: Path) -> None:
    with pytest.raises(AppError) as caught:
        installed.load(tmp_path)
    assert caught.value.problem.code == "no-engine"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', '{"schema": "1"}', '{"schema": 1, "name": "x"}'])
def test_a_damaged_file(text: str, tmp_path: Path, engine_in: EngineIn) -> None:
    engine_in(tmp_path)
    (tmp_path / installed.FILE).write_text(text)
    with pytest.raises(AppError) as caught:
        installed.load(tmp_path)
    assert caught.value.problem.code == "engine-damaged"


def test_a_newer_file_is_refused(tmp_path: Path, engine_in: EngineIn) -> None:
    engine_in(tmp_path)
    path = tmp_path / installed.FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": installed.SCHEMA + 1}))
    with pytest.raises(AppError, match="newer version"):
        installed.load(tmp_path)


def test_a_missing_program_is_named(tmp_path: Path, engine_in: EngineIn) -> None:
    engine = engine_in(tmp_path)
    engine.program("quantize").unlink()
    with pytest.raises(AppError) as caught:
        installed.load(tmp_path)
    assert "quantize" in caught.value.problem.details
    with pytest.raises(AppError, match="no program llama-server"):
        engine.program("llama-server")


def test_the_list_shows_good_and_damaged_ones_and_nothing_else(tmp_path: Path, engine_in: EngineIn) -> None:
    workspace = Workspace(tmp_path)
    assert installed.survey(workspace) == ()
    good = engine_in(workspace.engines / "b-good")
    (workspace.engines / "a-bad").mkdir()
    engine_in(workspace.engines / ".building-c")
    (workspace.engines / "note.txt").write_text("x")
    found = installed.survey(workspace)
    assert [entry.folder.name for entry in found] == ["a-bad", "b-good"]
    assert found[0].problem is not None
    assert installed.engines(workspace) == (good,)


def test_remove(tmp_path: Path, engine_in: EngineIn) -> None:
    workspace = Workspace(tmp_path)
    engine_in(workspace.engines / "e")
    (workspace.engines / ".removed-e").mkdir()
    installed.remove(workspace, "e")
    assert list(workspace.engines.iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../engines/e", "missing", ".building-e"])
def test_remove_touches_engines_only(name: str, tmp_path: Path, engine_in: EngineIn) -> None:
    workspace = Workspace(tmp_path)
    engine_in(workspace.engines / "e")
    (workspace.engines / ".building-e").mkdir()
    with pytest.raises(AppError):
        installed.remove(workspace, name)
    assert (workspace.engines / "e").is_dir()
    assert (workspace.engines / ".building-e").is_dir()
