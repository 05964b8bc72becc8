"""All tools at once, on this PC; what hangs is left behind."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from loragui.engine import tools
from loragui.engine.tools import FINDERS, facts, surroundings
from loragui.engine.tools.surroundings import Pc
from loragui.errors import AppError
from loragui.paths import Workspace
from tests.engine.tools.world import World

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux' own tools")


class Stuck(World):
    """A PC on which one program never answers, not even to being ended."""

    def __init__(self, release: threading.Event) -> None:
        files = {"/usr/bin/cmake": "", "/usr/share/cmake-3.25/x": ""}
        super().__init__(system="linux", environment={"PATH": "/usr/bin"}, files=files, programs={"/usr/bin/git": ""})
        self.release = release

    def said(self, argv: Sequence[str]) -> str:
        self.release.wait()
        return ""


class Broken(World):
    """A PC on which nothing can be read."""

    def is_file(self, path: str) -> bool:
        raise OSError(5, "Input/output error", path)


def test_every_tool_has_its_finder() -> None:
    assert set(FINDERS) == {tool.id for tool in facts.tools()}


@linux
def test_this_pc_has_what_its_path_has(tmp_path: Path) -> None:
    found = tools.survey(Workspace(tmp_path))
    pc = Pc()
    for name, program in {"git": "git", "cmake": "cmake", "gcc": "gcc", "gxx": "g++", "make": "make"}.items():
        one = found[name]
        assert (one.path if one else "") == pc.which(program)
        assert one is None or (one.good and one.version), one
    assert "visual-studio" not in found


@linux
@pytest.mark.skipif(not Path("/usr/include/clblast.h").exists(), reason="libclblast-dev is not installed")
def test_debians_clblast(tmp_path: Path) -> None:
    found = tools.find("clblast", Workspace(tmp_path))
    assert found is not None
    assert (found.good, found.parts["include"]) == (True, "/usr/include")
    assert Path(found.parts["library"]).is_file()
    assert found.version


@linux
@pytest.mark.skipif(not Pc().which("pkg-config"), reason="pkg-config is not installed")
def test_openblas_needs_its_package_file(tmp_path: Path) -> None:
    world = World(system="linux", files={"/usr/lib/x86_64-linux-gnu/libopenblas.so": ""})
    found = FINDERS["openblas"](world, str(tmp_path))
    assert found is not None
    assert not found.good
    assert "package file" in found.why


def test_what_hangs_did_not_answer_and_the_others_did(tmp_path: Path) -> None:
    release = threading.Event()
    found = tools.survey(Workspace(tmp_path), Stuck(release), seconds=0.5)
    release.set()
    git, cmake = found["git"], found["cmake"]
    assert git is not None
    assert (git.good, git.path) == (False, "")
    assert "did not answer" in git.why
    assert cmake is not None
    assert (cmake.path, cmake.version) == ("/usr/bin/cmake", "3.25")


def test_a_pc_that_cannot_be_read_raises_nothing(tmp_path: Path) -> None:
    found = tools.survey(Workspace(tmp_path), Broken(system="linux", environment={"PATH": "/usr/bin"}))
    git = found["git"]
    assert git is not None
    assert (git.good, "Input/output error" in git.why) == (False, True)


@pytest.mark.skipif(os.name == "nt", reason="a script with a first line")
def test_a_real_program_that_hangs_is_found_without_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "_SECONDS", 0.5)
    program = tmp_path / "git"
    program.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(600)\n")
    program.chmod(0o755)
    found = tools.find("git", Workspace(tmp_path), Pc({"PATH": str(tmp_path)}))
    assert found == tools.Found(path=str(program))
    assert [child for child in psutil.Process().children(recursive=True) if str(program) in child.cmdline()] == []


def test_an_unknown_tool_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="no tool called"):
        tools.find("gitt", Workspace(tmp_path))
