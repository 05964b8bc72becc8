"""Every way in which a tool or a build can fail, made for real where this computer can, else replayed.

The tools' output goes through the reader that the runner uses. What needs Windows or another CUDA lies in
``logs/build``: its source, then program, exit code, expected code and (optionally) the line that is to be shown.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from loragui.engine.logs import MakeReader, NinjaReader, ProgramReader
from loragui.errors import AppError, Problem
from loragui.jobs.events import Trouble
from loragui.jobs.failures import failures
from loragui.jobs.packages import Package, download_job
from loragui.jobs.pyjob import os_problem
from tests.engine.conftest import LOGS

BUILD_LOGS = sorted((LOGS / "build").glob("*.txt"))
SMALL = "int main() { return 0; }\n"
BIG = """
#include <map>
#include <regex>
#include <string>
char blob[3000000] = {1};
int main() { std::regex r("a+"); std::map<std::string, std::regex> m; return std::regex_match("a", r) + blob[5]; }
"""
PROJECT = "cmake_minimum_required(VERSION 3.13)\nproject(x C CXX)\n"
TOOLS = ("make", "g++", "cmake", "ninja", "git")
building = pytest.mark.skipif(
    os.name == "nt" or not all(map(shutil.which, TOOLS)), reason="made for a Linux PC with " + ", ".join(TOOLS)
)


def problem(program: str, output: str, returncode: int) -> Problem | None:
    """What the program's reader says in the end."""
    folder = Path()
    reader: ProgramReader = (
        MakeReader(folder, {}) if program == "make" else NinjaReader(folder, {"program": program})
    )  # fmt: skip
    for line in output.splitlines():
        reader.line(line, "stderr")
    found = [event.problem for event in reader.end(returncode) if isinstance(event, Trouble)]
    return found[0] if found else None


def outcome(
    program: str, argv: list[str], cwd: Path, *, before: Callable[[], None] | None = None, **env: str
) -> Problem:
    """Run the real tool; what its reader says."""
    done = subprocess.run(
        argv, cwd=cwd, env={**os.environ, "LC_ALL": "C", **env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8", errors="backslashreplace", preexec_fn=before, check=False,
    )  # fmt: skip
    found = problem(program, done.stdout, done.returncode)
    assert found is not None, done.stdout
    assert found.message.endswith((".", "…")) or found.code == "unexplained"
    return found


def made(folder: Path, recipe: str, files: Mapping[str, str] | None = None, **more: object) -> Problem:
    """Run make with this recipe for ``x.o``."""
    for name, text in (files or {"x.cpp": SMALL}).items():
        (folder / name).write_text(text)
    (folder / "Makefile").write_text(f"x.o: ; {recipe}\n")
    return outcome("make", [shutil.which("make") or "make"], folder, **more)  # type: ignore[arg-type]


def configured(folder: Path, text: str = "", *words: str, **env: str) -> Problem:
    """Run cmake on a project with ``text`` in it."""
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "x.cpp").write_text(SMALL)
    (source / "CMakeLists.txt").write_text(PROJECT + text)
    return outcome("cmake", [shutil.which("cmake") or "cmake", "-S", "source", "-B", "build", *words], folder, **env)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder for the PATH with what gcc and cmake need, and nothing else (no nvcc)."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("cc", "c++", "gcc", "g++", "as", "ld", "ar", "ranlib", "ninja", "make", "sh", "uname"):
        found = shutil.which(name)
        if found is not None:
            (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", str(place)], check=False)
    if done.returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def limit(kilobytes: int) -> Callable[[], None]:
    """So little memory for the program and its children."""
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_AS, (kilobytes << 10, kilobytes << 10))


# --- what was said elsewhere ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", BUILD_LOGS, ids=lambda path: path.stem)
def test_captured_and_documented_messages(path: Path) -> None:
    source, expected, *lines = path.read_text(encoding="utf-8").splitlines()
    program, returncode, code, *shown = expected.removeprefix("# ").split(" ", 3)
    found = problem(program, "\n".join(lines), int(returncode))
    assert len(source) > 10
    assert found is not None
    assert found.code == code
    if shown:
        assert found.message == f"{program} stopped with an error: {shown[0]}"
    else:
        assert found.message.endswith(".")
        assert found.hint.endswith(".")


def test_sources_of_the_list_exist() -> None:
    there = {path.stem for path in BUILD_LOGS}
    named = {word.strip(",;").removeprefix("build/") for failure in failures() for word in failure.source.split()
             if word.startswith("build/")}  # fmt: skip
    assert named
    assert named <= there


def test_texts_have_no_hole() -> None:
    for failure in failures():
        names = failure.pattern.groupindex if failure.pattern else {}
        for text in (failure.message, failure.hint):
            assert text.format_map(dict.fromkeys(names, "thing"))


# --- make -----------------------------------------------------------------------------------------------------------


@building
class TestMake:
    @pytest.mark.parametrize("recipe", ["g++ -c x.cpp", "cd . && g++ -c x.cpp"])
    def test_no_compiler(self, recipe: str, tmp_path: Path) -> None:
        assert made(tmp_path, recipe, PATH="/nonexistent").code == "compiler-missing"

    @pytest.mark.parametrize("recipe", ["nvcc -c x.cu", "cd . && nvcc -c x.cu"])
    def test_no_nvcc(self, recipe: str, tools: Path, tmp_path: Path) -> None:
        assert made(tmp_path, recipe, PATH=str(tools)).code == "cuda-missing"

    def test_unknown_flag(self, tmp_path: Path) -> None:
        found = made(tmp_path, "g++ -frobnicate -c x.cpp")
        assert found.code == "compiler-flag"
        assert "-frobnicate" in found.message

    def test_missing_header(self, tmp_path: Path) -> None:
        found = made(tmp_path, "g++ -c x.cpp", {"x.cpp": "#include <missing/part.h>\n"})
        assert found.code == "compiler-incomplete"
        assert "missing/part.h" in found.message

    def test_missing_library(self, tmp_path: Path) -> None:
        assert "notthere" in made(tmp_path, "g++ x.cpp -lnotthere").message
        found = made(tmp_path, "g++ -nostdinc -I. -c x.cpp", {"x.cpp": "#include <clblast_c.h>\n"})
        assert found.code == "library-not-found"
        assert "clblast_c.h" in found.message

    def test_too_long_a_name(self, tmp_path: Path) -> None:
        assert made(tmp_path, f"g++ -c x.cpp -o {'n' * 260}.o").code == "path-too-long"

    def test_disk_full(self, small_disk: Path, tmp_path: Path) -> None:
        files = {"x.cpp": BIG}
        assert made(tmp_path, "g++ -c x.cpp -o disk/x.o", files).code == "disk-full"
        assert made(tmp_path, "g++ -c x.cpp -o y.o && g++ y.o -o disk/x", files).code == "disk-full"

    def test_out_of_memory(self, tmp_path: Path) -> None:
        found = made(tmp_path, "g++ -O2 -c x.cpp", {"x.cpp": BIG}, before=limit(120_000))
        assert found.code == "compiler-memory"

    @pytest.mark.parametrize("recipe", ["sh -c 'kill -9 $$$$'", "./victim"])
    def test_killed(self, recipe: str, tmp_path: Path) -> None:
        (tmp_path / "victim").write_text("#!/bin/sh\nkill -9 $$\n")
        (tmp_path / "victim").chmod(0o755)
        assert made(tmp_path, recipe).code == "compiler-memory"

    def test_zig_out_of_memory(self, shared_workspace: object, tmp_path: Path) -> None:
        found = sorted(Path(shared_workspace.cache).glob("tools/wheels-*/ziglang/zig"))  # type: ignore[attr-defined]
        if not found:
            pytest.skip("zig comes with the first real build")
        env = {f"ZIG_{kind}_CACHE_DIR": str(tmp_path / kind) for kind in ("GLOBAL", "LOCAL")}
        recipe, files = f"{found[0]} c++ -O2 -c x.cpp", {"x.cpp": BIG}
        assert made(tmp_path, recipe, files, before=limit(250_000), **env).code == "compiler-memory"
        assert made(tmp_path, recipe, files, before=limit(90_000), **env).code == "compiler-crashed"
        assert made(tmp_path, f"{found[0]} c++ -frobnicate -c x.cpp", **env).code == "compiler-flag"


# --- what is fetched and unpacked ------------------------------------------------------------------------------------


def test_disk_full_while_python_writes(small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space") as caught:
        (small_disk / "x").write_bytes(b"x" * (2 << 20))
    assert os_problem(caught.value).code == "disk-full"


def test_disk_full_while_pip_downloads(small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "lamp-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lamp/light.bin", os.urandom(2 << 20))
        archive.writestr("lamp-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: lamp\nVersion: 1.0\n")
        archive.writestr("lamp-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("lamp-1.0.dist-info/RECORD", "")
    for name, value in (("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", str(tmp_path)), ("PIP_CONFIG_FILE", os.devnull)):
        monkeypatch.setenv(name, value)
    wanted = Package(name="lamp", version="1.0", sha256=(hashlib.sha256(wheel.read_bytes()).hexdigest(),))
    with pytest.raises(AppError) as caught:
        download_job({"package": wanted.to_json(), "into": str(small_disk / "cache")}, lambda _event: None)
    assert caught.value.problem.code == "disk-full"


@building
def test_disk_full_while_git_clones(small_disk: Path, tmp_path: Path) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "noise").write_bytes(os.urandom(2 << 20))
    for words in (("init", "-q"), ("add", "noise"), (*who, "commit", "-qm", "x")):
        subprocess.run(["git", *words], cwd=tmp_path / "r", check=True)
    assert outcome("git", ["git", "clone", "--no-local", "r", "disk/r"], tmp_path).code == "disk-full"
    assert outcome("git", ["git", "clone", "--no-local", "r", "n" * 260], tmp_path).code == "path-too-long"


# --- cmake and ninja ------------------------------------------------------------------------------------------------


@building
class TestCMake:
    def test_another_generator(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError):  # the first time all is well
            configured(tmp_path, "", "-G", "Unix Makefiles")
        assert configured(tmp_path, "", "-G", "Ninja").code == "cmake-cache"

    def test_a_copied_folder(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError):
            configured(tmp_path, "", "-G", "Ninja")
        shutil.copytree(tmp_path / "source", tmp_path / "other" / "source")
        shutil.copytree(tmp_path / "build", tmp_path / "other" / "build")
        assert configured(tmp_path / "other", "", "-G", "Ninja").code == "cmake-cache"

    def test_no_ninja(self, tmp_path: Path) -> None:
        found = configured(tmp_path, "", "-G", "Ninja", PATH="/nonexistent")
        assert found.code == "build-program-missing"
        assert "Ninja" in found.message

    def test_no_compiler(self, tools: Path, tmp_path: Path) -> None:
        for name in ("cc", "c++", "gcc", "g++"):
            (tools / name).unlink()
        assert configured(tmp_path, "", "-G", "Ninja", PATH=str(tools), CC="", CXX="").code == "compiler-missing"

    def test_a_compiler_that_cannot_link(self, tools: Path, tmp_path: Path) -> None:
        (tools / "ld").unlink()
        assert configured(tmp_path, "", "-G", "Ninja", PATH=str(tools)).code == "compiler-broken"

    def test_no_visual_studio_here(self, tmp_path: Path) -> None:
        assert configured(tmp_path, "", "-G", "Visual Studio 17 2022").code == "cmake-old"

    def test_an_old_cmake(self, tmp_path: Path) -> None:
        found = configured(tmp_path, "cmake_minimum_required(VERSION 99.0)\n")
        assert found.code == "cmake-old"
        assert "99.0" in found.message

    def test_no_cuda(self, tools: Path, tmp_path: Path) -> None:
        hidden = ("-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF", "-DCUDAToolkit_ROOT=/nonexistent")
        language = configured(tmp_path, "enable_language(CUDA)\n", "-G", "Ninja", *hidden, PATH=str(tools))
        assert language.code == "cuda-missing"
        toolkit = "set(CUDAToolkit_ROOT /nonexistent)\nfind_package(CUDAToolkit 99 REQUIRED)\n"
        assert configured(tmp_path, toolkit, "-G", "Ninja", PATH=str(tools)).code == "cuda-missing"

    @pytest.mark.parametrize("name", ["CLBlast", "OpenBLAS", "hipblas"])
    def test_a_missing_library(self, name: str, tmp_path: Path) -> None:
        found = configured(tmp_path, f"find_package({name} REQUIRED PATHS /nonexistent NO_DEFAULT_PATH)\n")
        assert found.code == "library-not-found"
        assert name in found.message

    def test_a_missing_module(self, tmp_path: Path) -> None:
        text = "set(CMAKE_FIND_ROOT_PATH /nonexistent)\nset(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)\n"
        text += "set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)\nset(BLA_VENDOR NAG)\nfind_package(BLAS REQUIRED)\n"
        found = configured(tmp_path, text)
        assert found.code == "library-not-found"
        assert "BLAS" in found.message

    @pytest.mark.skipif(shutil.which("pkg-config") is None, reason="no pkg-config")
    def test_a_library_that_pkg_config_does_not_know(self, tmp_path: Path) -> None:
        found = configured(tmp_path, "find_package(PkgConfig REQUIRED)\npkg_check_modules(X REQUIRED notthere)\n")
        assert found.code == "library-not-found"
        assert "notthere" in found.message

    def test_a_long_folder(self, tmp_path: Path) -> None:
        assert configured(tmp_path, "", "-B", str(tmp_path / ("n" * 260))).code == "path-too-long"

    def test_disk_full(self, small_disk: Path, tmp_path: Path) -> None:
        (small_disk / "fill").write_bytes(b"x" * (1 << 20))
        assert configured(tmp_path, "", "-B", "disk/build").code == "disk-full"

    def test_ninja_out_of_memory(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError):
            configured(tmp_path, "add_executable(x x.cpp)\n", "-G", "Ninja")
        (tmp_path / "source" / "x.cpp").write_text(BIG)
        assert outcome("ninja", ["ninja", "-C", "build"], tmp_path, before=limit(120_000)).code == "compiler-memory"

    def test_a_killed_command_of_ninja(self, tmp_path: Path) -> None:
        (tmp_path / "victim").write_text("#!/bin/sh\nkill -9 $$\n")
        (tmp_path / "victim").chmod(0o755)
        (tmp_path / "build.ninja").write_text("rule r\n  command = cd . && ./victim\nbuild a: r\n")
        assert outcome("ninja", ["ninja"], tmp_path).code == "compiler-memory"


# --- the first error of many lines ----------------------------------------------------------------------------------

BROKEN, FILES = 3, 30


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Thirty files that all warn of an “error”, one of which is broken."""
    source = tmp_path / "source"
    source.mkdir()
    for number in range(FILES):
        warn = "".join(f"int f{number}_{part}(int unused) {{ int error = {part}; return 0; }}\n" for part in range(5))
        (source / f"f{number}.cpp").write_text(warn)
    (source / f"f{BROKEN}.cpp").write_text("int f(int unused) { return error_of(unused); }\n")
    return tmp_path


@building
class TestFirstError:
    def test_make(self, tree: Path) -> None:
        objects = " ".join(f"f{number}.o" for number in range(FILES))
        rule = "%.o: %.cpp\n\tg++ -Wall -Wextra -c -o $@ $<\n"
        (tree / "source" / "Makefile").write_text(f"all: {objects}\n{rule}")
        found = outcome("make", ["make", "-j2", "-k"], tree / "source")
        assert found.message.startswith(f"make stopped with an error: f{BROKEN}.cpp:1:28: error: ")

    @pytest.mark.parametrize("generator", ["Ninja", "Unix Makefiles"])
    def test_cmake(self, generator: str, tree: Path) -> None:
        lines = "file(GLOB all f*.cpp)\nadd_library(x STATIC ${all})\ntarget_compile_options(x PRIVATE -Wall -Wextra)\n"
        (tree / "source" / "CMakeLists.txt").write_text(PROJECT + lines)
        subprocess.run(
            ["cmake", "-S", "source", "-B", "build", "-G", generator], cwd=tree, check=True, capture_output=True
        )
        more = ["-k0"] if generator == "Ninja" else ["-k"]
        found = outcome("ninja", ["cmake", "--build", "build", "-j2", "--", *more], tree)
        assert f"/source/f{BROKEN}.cpp:1:28: error: " in found.message

    def test_linker(self, tmp_path: Path) -> None:
        found = made(tmp_path, "g++ x.cpp", {"x.cpp": "int g(); int main() { return g(); }\n"})
        assert "undefined reference to `g()'" in found.message

    def test_no_rule(self, tmp_path: Path) -> None:
        found = outcome("make", ["make", "nothing"], tmp_path)
        assert "No rule to make target 'nothing'" in found.message


def test_an_error_of_cmake_is_told_with_its_reason() -> None:
    found = problem("cmake", "CMake Error at CMakeLists.txt:3 (message):\n\n  Something new.\n\n-- Configuring", 1)
    assert found is not None
    assert found.message == "cmake stopped with an error: CMake Error at CMakeLists.txt:3 (message): Something new."
