from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from loragui.engine import catalogue, installed
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.paths import Workspace

EngineIn = Callable[..., Engine]
GOLDEN = Path(__file__).parents[1] / "golden" / "engine-1.json"
"""As the first version wrote it: a real engine of the recipe of packages."""


def test_an_engine_is_read_back_and_can_be_moved(tmp_path: Path, engine_in: EngineIn) -> None:
    engine = engine_in(tmp_path / "e")
    assert installed.load(tmp_path / "e") == engine
    (tmp_path / "e").rename(tmp_path / "moved")
    assert installed.load(tmp_path / "moved").program("finetune") == tmp_path / "moved" / "finetune"


def test_everything_that_is_known_of_an_engine_is_kept(tmp_path: Path, engine_in: EngineIn) -> None:
    facts: dict[str, object] = {
        "options": ("CC=/usr/bin/gcc", "LLAMA_OPENBLAS=1"),
        "library": "clblast",
        "accepts": {"architectures": ["llama"], "gqa": False, "tensor_types": ["F32"]},
        "losses": (5.789519, 5.5),
        "live": False,
        "environment": {"A": "b", "C": None},
    }
    engine_in(tmp_path, **facts)
    found = installed.load(tmp_path)
    assert {name: getattr(found, name) for name in facts} == facts


def of_old(folder: Path, **changes: object) -> Path:
    """The engine of the first version in ``folder``, with empty programs."""
    folder.mkdir(parents=True, exist_ok=True)
    row = json.loads(GOLDEN.read_text(encoding="utf-8")) | changes
    (folder / installed.FILE).write_text(json.dumps(row), encoding="utf-8")
    for file in row["programs"].values():
        (folder / file).touch()
    return folder


def test_an_engine_of_the_first_version(tmp_path: Path) -> None:
    engine = installed.load(of_old(tmp_path))
    assert (engine.name, engine.pin, engine.recipe) == ("b2896-wheels", "b2896", "wheels")
    assert engine.library == "openblas"
    assert engine.accepts == catalogue.pin("b2896").accepts
    assert (engine.options, engine.losses, engine.live) == ((), (), True)
    installed.save(engine)
    assert json.loads((tmp_path / installed.FILE).read_text())["schema"] == installed.SCHEMA
    assert installed.load(tmp_path) == engine


def test_a_plain_engine_of_the_first_version(tmp_path: Path) -> None:
    engine = installed.load(of_old(tmp_path, environment={}, recipe="gcc"))
    assert engine.library == "none"


def test_an_engine_of_the_first_version_whose_revision_is_forgotten(tmp_path: Path) -> None:
    """Then it is taken to train what the recommended one does, not everything."""
    assert installed.load(of_old(tmp_path, pin="b1")).accepts == catalogue.pins()[0].accepts


def test_no_engine(tmp_path: Path) -> None:
    with pytest.raises(AppError) as caught:
        installed.load(tmp_path)
    assert caught.value.problem.code == "no-engine"


DAMAGED = [
    "", "[]", "{}", "null", "\xff", '{"schema": 1}', '{"schema": "1"}', '{"schema": 1, "name": "x"}', '{"schema": 2}',
    '{"schema": null}', '{"schema": 1, "environment": null}', '{"schema": 1, "environment": {}, "pin": 3}',
]  # fmt: skip


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file(text: str, tmp_path: Path, engine_in: EngineIn) -> None:
    engine_in(tmp_path)
    (tmp_path / installed.FILE).write_bytes(text.encode("latin-1"))
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


@pytest.mark.parametrize("field", ["options", "library", "accepts", "losses", "live", "name", "flags"])
def test_a_file_of_today_without_a_field_is_damaged(field: str, tmp_path: Path, engine_in: EngineIn) -> None:
    engine_in(tmp_path)
    path = tmp_path / installed.FILE
    row = json.loads(path.read_text())
    del row[field]
    path.write_text(json.dumps(row))
    with pytest.raises(AppError) as caught:
        installed.load(tmp_path)
    assert caught.value.problem.code == "engine-damaged"
    assert field in caught.value.problem.details


def test_an_engine_that_is_in_use_stays_whole(
    tmp_path: Path, engine_in: EngineIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows renames no folder in which a program runs."""
    workspace = Workspace(tmp_path)
    engine = engine_in(workspace.engines / "e")

    def refuse(path: Path, target: Path) -> Path:
        raise PermissionError(13, "in use", str(path))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(AppError) as caught:
        installed.remove(workspace, "e")
    assert caught.value.problem.code == "engine-busy"
    assert installed.engines(workspace) == (engine,)


@pytest.mark.parametrize("name", ["", ".", "..", "../engines/e", "missing", ".building-e"])
def test_remove_touches_engines_only(name: str, tmp_path: Path, engine_in: EngineIn) -> None:
    workspace = Workspace(tmp_path)
    engine_in(workspace.engines / "e")
    (workspace.engines / ".building-e").mkdir()
    with pytest.raises(AppError):
        installed.remove(workspace, name)
    assert (workspace.engines / "e").is_dir()
    assert (workspace.engines / ".building-e").is_dir()
