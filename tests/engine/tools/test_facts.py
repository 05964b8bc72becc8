"""``resources/tools.toml``, and what a mistake in it leads to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loragui.engine.tools import facts
from loragui.engine.tools.found import judged, wrong_version
from loragui.errors import AppError
from loragui.paths import resource_path

TEXT = resource_path("tools.toml").read_text(encoding="utf-8")


def test_every_tool_can_be_got_somehow() -> None:
    for tool in facts.tools():
        assert tool.page
        assert tool.winget or tool.fetch or tool.debian or tool.proof or tool.id == "rocm", tool.id


def test_what_we_fetch_can_be_proved() -> None:
    fetched = [tool for tool in facts.tools() if tool.fetch]
    assert [tool.id for tool in fetched] == ["w64devkit", "opencl-sdk"]
    assert all(tool.proof and tool.fetch and tool.fetch.source for tool in fetched)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "git"', 'id = "Git!"', "not an id"),
        ('id = "git"', 'id = "cmake"', "same id"),
        ('name = "Git"', "name = 5", "a text is expected"),
        ('name = "Git"\n', "", "name"),
        ("size_bytes = 350_000_000", "size_bytes = -1", "a number is expected"),
        ('minimum = "2.20"', 'minimum = "two"', "not a version"),
        ('systems = ["win32", "linux"]', 'systems = ["amiga"]', "systems"),
        ('systems = ["win32", "linux"]', "systems = []", "systems"),
        ('debian = ["git"]', 'debian = "git"', "a list of texts"),
        ("https://git-scm.com", "http://git-scm.com", "https"),
        ('sha256 = "5c7d', 'sha256 = "XX7d', "sha256"),
        ('kind = "zip"', 'kind = "rar"', "kind"),
        ('url = "https://github.com/skeeto', 'url = "ftp://github.com/skeeto', "https"),
        ("bytes = 76_798_128", "bytes = 0", "a number is expected"),
        ("tool", "gear", "KeyError"),
        ("[[tool]]", "[[tool]", "TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in TEXT
    path = tmp_path / "tools.toml"
    path.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(AppError) as caught:
        facts.parse(path)
    assert caught.value.problem.code == "catalogue-damaged"
    assert says in caught.value.problem.details


def test_versions_are_held_against_the_facts() -> None:
    cmake, cuda = facts.tool("cmake"), facts.tool("cuda")
    assert "3.19 or newer" in wrong_version(cmake, "3.9.6")
    assert wrong_version(cmake, "3.19.0") == wrong_version(cmake, "") == ""
    assert "too new" in wrong_version(replace(cuda, below="13", below_why="Take 12."), "13.0.1")
    assert not judged("cmake", "cmake", "3.25", lacks="It is broken.").good
