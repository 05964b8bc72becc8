"""``tools list|get|install``: what it prints, what it does, and that nothing changes the PC without a word."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from loragui.cli import main
from loragui.cli import tools as verb
from loragui.engine.tools import facts
from loragui.engine.tools.surroundings import Pc

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "kit.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("kit/bin/gcc.exe", b"MZ")
    return path


@pytest.fixture
def on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "SYSTEM", "win32")


def as_json(capsys: Capture, *words: str) -> Any:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("words", [(), ("list",), ("get",), ("install",)], ids=" ".join)
def test_every_act_has_a_help(words: tuple[str, ...], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tools", *words, "--help"])
    assert ended.value.code == 0
    assert "usage: loragui tools" in capsys.readouterr().out


def test_list(capsys: Capture, tmp_path: Path) -> None:
    found = as_json(capsys, "tools", "list", "--workspace", str(tmp_path))
    assert set(found) == {tool.id for tool in facts.tools() if sys.platform in tool.systems}
    assert (found["git"]["path"] if found["git"] else "") == Pc().which("git")
    assert main(["tools", "list", "--workspace", str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(found)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("on_windows")
def test_get_names_every_way(capsys: Capture) -> None:
    told = as_json(capsys, "tools", "get", "w64devkit")
    assert [way["kind"] for way in told["ways"]] == ["fetch", "bring", "page"]
    assert main(["tools", "get", "visual-studio"]) == 0
    out = capsys.readouterr().out
    assert "winget install --id Microsoft.VisualStudio.2022.BuildTools --exact" in out
    assert '--override "--passive --wait --norestart --add ' in out


@pytest.mark.usefixtures("on_windows")
def test_winget_is_shown_and_not_run_without_yes(capsys: Capture, tmp_path: Path) -> None:
    assert main(["tools", "install", "git", "--workspace", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert "winget install --id Git.Git" in err
    assert "--yes" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("on_windows")
@pytest.mark.parametrize(("name", "steps"), [("w64devkit", ["download", "unpack"]), ("git", ["winget"])])
def test_a_dry_run_shows_the_plan(capsys: Capture, tmp_path: Path, name: str, steps: list[str]) -> None:
    plan = as_json(capsys, "tools", "install", name, "--dry-run", "--workspace", str(tmp_path))
    assert [step["id"] for step in plan["steps"]] == steps
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("on_windows")
def test_a_tool_that_only_a_person_can_get(capsys: Capture, tmp_path: Path) -> None:
    assert main(["tools", "install", "rocm", "--workspace", str(tmp_path)]) == 1
    assert "https://rocm.docs.amd.com" in capsys.readouterr().err


def test_an_archive_that_a_person_brings(capsys: Capture, tmp_path: Path, archive: Path) -> None:
    words = ["tools", "install", "w64devkit", "--file", str(archive), "--workspace", str(tmp_path)]
    assert as_json(capsys, *words)["folder"] == str(tmp_path / "tools" / "w64devkit-own")
    assert (tmp_path / "tools" / "w64devkit-own" / "bin" / "gcc.exe").is_file()
    assert archive.is_file()


def test_an_archive_of_something_else(capsys: Capture, tmp_path: Path, archive: Path) -> None:
    words = ["tools", "install", "clblast", "--file", str(archive), "--workspace", str(tmp_path)]
    assert main(words) == 1
    assert "include/clblast.h is not in it" in capsys.readouterr().err


def test_a_tool_that_nobody_knows(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tools", "get", "hammer"])
    assert ended.value.code == 2
    assert "w64devkit" in capsys.readouterr().err
