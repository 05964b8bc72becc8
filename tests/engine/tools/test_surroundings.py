"""The door to the PC: PATH as people leave it, variables that an installer set, programs that hang."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from loragui.engine.tools import surroundings
from loragui.engine.tools.surroundings import Pc
from tests.engine.tools.world import World

MACHINE = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
posix = pytest.mark.skipif(os.name == "nt", reason="the programs here are scripts with a first line")


@pytest.mark.parametrize(
    "path",
    [
        r"C:\Program Files\Git\cmd",
        r'"C:\Program Files\Git\cmd"',
        r'C:\Windows;;"C:\Program Files\Git\cmd";',
        " C:\\Program Files\\Git\\cmd\\ ",
        r"c:\program files\GIT\CMD",
    ],
)
def test_path_as_people_leave_it(path: str) -> None:
    world = World(environment={"Path": path}, files={r"C:\Program Files\Git\cmd\git.exe": ""})
    assert world.which("git").lower() == r"c:\program files\git\cmd\git.exe"
    assert not world.which("cmake")


def test_what_an_installer_added_since_we_were_started() -> None:
    later = {MACHINE: {"Path": r"%SystemRoot%;%ProgramFiles%\CMake\bin", "CUDA_PATH": r"%ProgramFiles%\CUDA\v12.4"}}
    own = {"PATH": r"C:\Windows", "ProgramFiles": r"C:\Programme"}
    world = World(environment=own, registry=later, files={r"C:\Programme\CMake\bin\cmake.exe": ""})
    assert world.which("cmake") == r"C:\Programme\CMake\bin\cmake.exe"
    assert world.variable("CUDA_PATH") == r"C:\Programme\CUDA\v12.4"
    assert world.path_folders() == (r"C:\Windows", "%SystemRoot%", r"C:\Programme\CMake\bin")


def test_our_own_variables_go_before_later_ones() -> None:
    world = World(environment={"cuda_path": "D:\\mine"}, registry={MACHINE: {"CUDA_PATH": "C:\\theirs"}})
    assert world.variable("CUDA_PATH") == "D:\\mine"


def test_linux_tells_capitals_apart_and_has_no_exe() -> None:
    world = World(system="linux", environment={"PATH": "/usr/bin:/opt/my tools"}, files={"/opt/my tools/git": ""})
    assert world.which("git") == "/opt/my tools/git"
    assert not world.which("Git")
    assert world.variables() == world.environment


def test_this_pc(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1.2\xff")
    pc = Pc({"PATH": str(tmp_path)})
    assert pc.names(str(tmp_path)) == ("a",)
    assert pc.text(str(tmp_path / "a")) == "1.2�"
    assert (pc.is_file(str(tmp_path / "a")), pc.is_file(str(tmp_path))) == (True, False)


@pytest.mark.parametrize("path", ["/nowhere/at/all", "", "\0", "x" * 5000])
def test_odd_paths_are_nothing(path: str) -> None:
    pc = Pc({})
    assert (pc.is_file(path), pc.names(f"{path}/x"), pc.text(path), pc.said([path])) == (False, (), "", "")


def test_what_a_program_says_on_either_stream() -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    assert sorted(Pc().said([sys.executable, "-c", code]).split()) == ["err", "out"]


def test_a_program_that_hangs_is_ended_with_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "_SECONDS", 0.5)
    child = "import time; time.sleep(600)"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(600)"
    before = set(psutil.Process().children(recursive=True))
    assert Pc().said([sys.executable, "-c", code]) == ""
    assert set(psutil.Process().children(recursive=True)) <= before


@posix
def test_a_program_that_left_a_child_behind_does_not_hold_us(tmp_path: Path) -> None:
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid)"
    said = Pc().said([sys.executable, "-c", code])
    psutil.Process(int(said)).kill()  # still there, and holding the output
