"""Every recipe on every system, on PCs on paper: the exact programs that would run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loragui.engine import catalogue, recipes
from loragui.engine.catalogue import Pin, Recipe
from loragui.engine.recipes.base import FOREIGN
from loragui.engine.sources import FOLDER, GIT, Source
from loragui.engine.tools import FINDERS, Found
from loragui.errors import AppError
from loragui.jobs.plan import Command, Plan
from loragui.jobs.process import OWN_PATH
from loragui.paths import Workspace, resource_path
from tests.engine.tools import pcs
from tests.engine.tools.world import World, merged

PIN, OLDER = catalogue.pin("b2896"), catalogue.pin("b2321")
WHEELS, GCC = catalogue.recipe("wheels"), catalogue.recipe("gcc")
LINUX, WINDOWS = "linux-x86_64", "win32-AMD64"
WAYS = [(recipe, system) for recipe in catalogue.recipes() for system in recipe.on]
PROGRAMS = ("finetune", "export-lora", "main", "quantize")
PLAIN = (
    "-DCMAKE_BUILD_TYPE=Release", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_SERVER=OFF", "-DLLAMA_CCACHE=OFF",
    "-DLLAMA_ALL_WARNINGS=OFF",
)  # fmt: skip
OURS = (
    f"-DCMAKE_PROJECT_INCLUDE={resource_path('engine', 'llama.cmake').as_posix()}",
    "-DLORAGUI_PROGRAMS=finetune;export-lora;main;quantize",
)
UNBUFFER = str(resource_path("engine", "unbuffer.c"))
KITS = r"D:\my tools\kits"


def on_linux() -> Mapping[str, Found | None]:
    """A Debian with everything."""
    root = "/usr/bin"
    return {
        "git": Found(path=f"{root}/git"),
        "gcc": Found(path=f"{root}/gcc"),
        "gxx": Found(path=f"{root}/g++"),
        "make": Found(path=f"{root}/make"),
        "openblas": Found(path="/usr/lib/x86_64-linux-gnu/libopenblas.so"),
        "cuda": Found(
            path="/usr/local/cuda-12.4", parts={"nvcc": "/usr/local/cuda-12.4/bin/nvcc", "architectures": "52;61;70"}
        ),
        "clblast": Found(path="/usr/lib/x86_64-linux-gnu/libclblast.so", parts={"include": "/usr/include"}),
        "opencl-sdk": Found(
            path="/usr/lib/x86_64-linux-gnu/libOpenCL.so",
            parts={"include": "/usr/include", "library": "/usr/lib/x86_64-linux-gnu/libOpenCL.so"},
        ),
        "rocm": Found(path="/opt/rocm-6.0.0"),
    }


def on_windows() -> Mapping[str, Found | None]:
    """What is really found on a Windows PC with everything, some of it in a folder with a space in its name."""
    world: World = merged(
        pcs.bare(), pcs.git(), pcs.studio(), pcs.sdk(), pcs.cuda("12.9.0", 1950), pcs.hip(),
        pcs.kit(rf"{KITS}\w64devkit-1.23.0"), pcs.opencl(rf"{KITS}\opencl-sdk-2023.04.17"),
        pcs.clblast(rf"{KITS}\clblast-1.6.3"),
    )  # fmt: skip
    return {name: FINDERS[name](world, KITS) for name in FINDERS}


FOUND = {LINUX: on_linux(), "linux-aarch64": on_linux(), WINDOWS: on_windows()}


def plan_of(recipe: Recipe | str, root: Path, system: str = LINUX, *, pin: Pin | None = None, **given: Any) -> Plan:
    recipe = catalogue.recipe(recipe) if isinstance(recipe, str) else recipe
    options = {"found": FOUND[system], "jobs": 3, **given}
    return recipes.build_plan(recipe, pin or catalogue.pin(recipe.pins[0]), Workspace(root), system=system, **options)


def steps(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]


def command(plan: Plan, step: str) -> Command:
    (found,) = (entry.command for entry in plan.steps if entry.id == step)
    return found


def told(plan: Plan, step: str) -> dict[str, Any]:
    """The arguments of a job."""
    given: dict[str, Any] = json.loads(command(plan, step).argv[-1])
    return given


def packages(plan: Plan) -> str:
    return Path(told(plan, "tools")["into"]).as_posix()


def test_everything_of_the_windows_pc_is_good() -> None:
    assert {name for name, found in FOUND[WINDOWS].items() if found is not None and found.good} >= {
        "git", "visual-studio", "cuda", "rocm", "w64devkit", "opencl-sdk", "clblast",
    }  # fmt: skip


# -- Any way -----------------------------------------------------------------------------------------------------------

each_way = pytest.mark.parametrize(("recipe", "system"), WAYS, ids=lambda value: getattr(value, "id", value))


@each_way
def test_any_way_is_a_plan_that_can_be_kept_and_printed(recipe: Recipe, system: str, tmp_path: Path) -> None:
    for name in recipe.pins:
        plan = plan_of(recipe, tmp_path / "some where", system, pin=catalogue.pin(name))
        assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
        assert plan.facts["engine"] == str(tmp_path / "some where" / "engines" / f"{name}-{recipe.id}")
        assert steps(plan)[:2] == ["download", "unpack"]
        assert steps(plan)[-2:] == ["compile", "install"]
        assert plan.title in plan.describe()
    assert not list(tmp_path.iterdir()), "nothing is made by planning"


@each_way
def test_no_place_is_left_open_and_no_backslash_reaches_cmake(recipe: Recipe, system: str, tmp_path: Path) -> None:
    plan = plan_of(recipe, tmp_path, system)
    for step in ("configure", "compile"):
        for word in command(plan, step).argv if step in steps(plan) else ():
            assert "{" not in word
            assert "\\" not in word
            assert not {"-ngl", "--n-gpu-layers"} & {word}


@each_way
def test_the_persons_environment_does_not_reach_the_build(recipe: Recipe, system: str, tmp_path: Path) -> None:
    plan = plan_of(recipe, tmp_path, system)
    for step in {"helper", "configure", "compile"} & set(steps(plan)):
        env = command(plan, step).env
        assert [env[name] for name in FOREIGN] == [None] * len(FOREIGN)
        assert env["LC_ALL"] == "C.UTF-8"
        assert command(plan, step).cwd.startswith(str(tmp_path / "cache" / "builds" / plan.facts["name"]))


@each_way
def test_what_is_installed(recipe: Recipe, system: str, tmp_path: Path) -> None:
    plan = plan_of(recipe, tmp_path, system, anew=True)
    install, way, pin = told(plan, "install"), recipe.on[system], catalogue.pin(recipe.pins[0])
    end = ".exe" if system == WINDOWS else ""
    assert install["programs"] == {name: name + end for name in PROGRAMS}
    assert install["built"] == str(Path(command(plan, "compile").cwd) / way.made)
    assert install["work"] == command(plan, "compile").cwd
    assert (install["pin"], install["commit"], install["recipe"]) == (pin.id, pin.commit, recipe.id)
    assert install["library"] == recipe.library
    assert install["accepts"] == pin.accepts
    assert install["losses"] == list(pin.losses)
    assert install["flags"] == {name: list(known) for name, known in pin.flags.items()}
    assert {name: install["environment"][name] for name in recipe.environment} == recipe.environment
    assert set(install["environment"]) - set(recipe.environment) <= ({"PATH"} if recipe.gpu else set())
    assert install["live"] is install["anew"] is True
    assert set(install["options"]) <= {*command(plan, "compile").argv, *_configure(plan)}


def _configure(plan: Plan) -> tuple[str, ...]:
    return command(plan, "configure").argv if "configure" in steps(plan) else ()


def test_what_the_cache_holds_is_not_fetched_again(tmp_path: Path) -> None:
    fresh = plan_of(WHEELS, tmp_path)
    assert steps(fresh) == ["download", "unpack", "tools", "helper", "configure", "compile", "install"]
    (tmp_path / "cache" / "packages").mkdir(parents=True)
    (tmp_path / "cache" / "packages" / PIN.archive).write_bytes(b"x")
    proof = told(fresh, "tools")["proof"]
    assert proof == [
        "ziglang/zig", "cmake/data/bin/cmake", "bin/ninja", "scipy_openblas32/lib/libscipy_openblas.so",
    ]  # fmt: skip
    for name in proof:
        assert "tools" in steps(plan_of("wheels", tmp_path)), "a virus scanner took some of it away"
        (Path(packages(fresh)) / name).parent.mkdir(parents=True, exist_ok=True)
        (Path(packages(fresh)) / name).touch()
    again = plan_of(WHEELS, tmp_path)
    assert steps(again) == ["unpack", "helper", "configure", "compile", "install"]
    assert again.steps == (fresh.steps[1], *fresh.steps[3:])


def test_ways_with_the_same_packages_share_them(tmp_path: Path) -> None:
    assert packages(plan_of("cmake", tmp_path)) == packages(plan_of("lto", tmp_path))
    assert packages(plan_of("cmake", tmp_path)) != packages(plan_of("wheels", tmp_path))


def test_another_place_or_setting_gets_another_build_folder(tmp_path: Path) -> None:
    def work(recipe: Recipe, root: Path, **given: Any) -> str:
        return command(plan_of(recipe, root, **given), "compile").cwd

    first = work(GCC, tmp_path / "a")
    assert first == work(GCC, tmp_path / "a", jobs=1)
    other_compiler = {**FOUND[LINUX], "gcc": Found(path="/usr/bin/gcc-14")}
    other_options = replace(GCC, on={LINUX: replace(GCC.on[LINUX], options=("CC=cc",))})
    others = [
        first,
        work(GCC, tmp_path / "b"),
        work(WHEELS, tmp_path / "a"),
        work(GCC, tmp_path / "a", pin=OLDER),
        work(GCC, tmp_path / "a", found=other_compiler),
        work(GCC, tmp_path / "a", source=Source(kind=FOLDER, place="/mine")),
        work(other_options, tmp_path / "a"),
    ]
    assert len({Path(folder).name for folder in others}) == len(others)


def test_a_tool_that_it_does_not_need_changes_nothing(tmp_path: Path) -> None:
    changed = {**FOUND[LINUX], "cuda": None, "openblas": Found(path="/opt/x", good=False, why="Old.")}
    assert plan_of(GCC, tmp_path, found=changed) == plan_of(GCC, tmp_path)


# -- Packages only -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", [LINUX, WINDOWS])
def test_packages_only(system: str, tmp_path: Path) -> None:
    plan = plan_of(WHEELS, tmp_path, system, found={})
    kit, end = packages(plan), ".exe" if system == WINDOWS else ""
    windows = system == WINDOWS
    assert command(plan, "helper").argv == (
        f"{kit}/ziglang/zig{end}", "cc", "-target", "x86_64-windows-gnu" if windows else "x86_64-linux-gnu.2.28",
        "-O2", "-c", UNBUFFER, "-o", f"{Path(command(plan, 'helper').cwd).as_posix()}/unbuffer.o",
    )  # fmt: skip
    assert command(plan, "configure").argv == (
        f"{kit}/cmake/data/bin/cmake{end}", "-S", "source", "-B", "build", "-G", "Ninja",
        f"-DCMAKE_MAKE_PROGRAM={kit}/bin/ninja{end}",
        f"-DCMAKE_TOOLCHAIN_FILE={resource_path('engine', 'zig.cmake').as_posix()}", *PLAIN,
        "-DLLAMA_NATIVE=OFF", "-DLLAMA_AVX=OFF", "-DLLAMA_AVX2=OFF", "-DLLAMA_FMA=OFF", "-DLLAMA_F16C=OFF",
        *(("-DLLAMA_WIN_VER=0x602",) if windows else ()),
    )  # fmt: skip
    assert command(plan, "compile").argv == (f"{kit}/bin/ninja{end}", "-C", "build", "-j", "3", *PROGRAMS)
    library = "libscipy_openblas.dll" if windows else "libscipy_openblas.so"
    assert told(plan, "install")["libraries"] == [f"{kit}/scipy_openblas32/lib/{library}"]
    assert [package["name"] for package in told(plan, "tools")["packages"]] == [
        "ziglang", "cmake", "ninja", "scipy-openblas32",
    ]  # fmt: skip
    assert told(plan, "tools")["platform"] == ""


@pytest.mark.parametrize("system", [LINUX, WINDOWS])
def test_the_toolchain_file_gets_every_variable_that_it_asks_for(system: str, tmp_path: Path) -> None:
    text = resource_path("engine", "zig.cmake").read_text(encoding="utf-8")
    asked = {part.split("}")[0] for part in text.split("$ENV{")[1:]}
    env = command(plan_of(WHEELS, tmp_path, system), "configure").env
    assert asked <= {name for name, value in env.items() if value}
    assert env["LORAGUI_SYSTEM"] == ("Windows" if system == WINDOWS else "Linux")
    assert env["NINJA_STATUS"] == "[%f/%t] "


def test_built_on_linux_for_windows(tmp_path: Path) -> None:
    """Programs of Linux, libraries of Windows."""
    plan = plan_of(WHEELS, tmp_path, WINDOWS, host=LINUX, found={})
    assert steps(plan) == ["download", "unpack", "tools", "libraries", "helper", "configure", "compile", "install"]
    kit, linked = packages(plan), Path(told(plan, "libraries")["into"]).as_posix()
    assert kit == packages(plan_of(WHEELS, tmp_path, LINUX)) != linked
    assert told(plan, "libraries")["platform"] == "win_amd64"
    assert [package["name"] for package in told(plan, "libraries")["packages"]] == ["scipy-openblas32"]
    assert command(plan, "compile").argv[0] == f"{kit}/bin/ninja"
    assert command(plan, "helper").argv[:4] == (f"{kit}/ziglang/zig", "cc", "-target", "x86_64-windows-gnu")
    env = command(plan, "configure").env
    assert env["LORAGUI_OPENBLAS"] == f"{linked}/scipy_openblas32"
    assert env["LORAGUI_OPENBLAS_LIBRARY"] == f"{linked}/scipy_openblas32/lib/libscipy_openblas.lib"
    assert told(plan, "install")["libraries"] == [f"{linked}/scipy_openblas32/lib/libscipy_openblas.dll"]
    assert told(plan, "install")["programs"]["finetune"] == "finetune.exe"


# -- llama.cpp's own Makefile ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "system", "more"),
    [
        ("gcc", LINUX, ()),
        ("gcc", "linux-aarch64", ()),
        ("gcc-openblas", LINUX, ("LLAMA_OPENBLAS=1",)),
        ("gcc-openblas", "linux-aarch64", ("LLAMA_OPENBLAS=1",)),
    ],
)
def test_make_on_linux(recipe: str, system: str, more: tuple[str, ...], tmp_path: Path) -> None:
    plan = plan_of(recipe, tmp_path, system)
    assert steps(plan) == ["download", "unpack", "helper", "compile", "install"]
    assert command(plan, "helper").argv == ("/usr/bin/gcc", "-O2", "-c", UNBUFFER, "-o", "source/unbuffer.o")
    assert command(plan, "compile").argv == (
        "/usr/bin/make", "-C", "source", "-j3", "LDFLAGS=unbuffer.o", "CC=/usr/bin/gcc", "CXX=/usr/bin/g++", *more,
        *PROGRAMS,
    )  # fmt: skip
    assert command(plan, "compile").reader == "make"
    assert command(plan, "compile").reader_args["total"] == PIN.make_commands
    assert "PATH" not in command(plan, "compile").env
    assert told(plan, "install")["libraries"] == []


def test_make_on_windows(tmp_path: Path) -> None:
    """In a folder with a space: programs in full where we start them, by name where make does."""
    plan = plan_of("w64devkit", tmp_path, WINDOWS)
    kit = "D:/my tools/kits/w64devkit-1.23.0/bin"
    assert steps(plan) == ["download", "unpack", "helper", "compile", "install"]
    assert command(plan, "helper").argv == (f"{kit}/gcc.exe", "-O2", "-c", UNBUFFER, "-o", "source/unbuffer.o")
    assert command(plan, "compile").argv == (
        f"{kit}/make.exe", "-C", "source", "-j3", "LDFLAGS=unbuffer.o", "CC=gcc", "CXX=g++", *PROGRAMS,
    )  # fmt: skip
    for step in ("helper", "compile"):
        path = command(plan, step).env["PATH"]
        assert path == os.pathsep.join((str(Path(kit)), OWN_PATH))


# -- CMake with the PC's compiler --------------------------------------------------------------------------------------

GNU = ("-DCMAKE_C_COMPILER=/usr/bin/gcc", "-DCMAKE_CXX_COMPILER=/usr/bin/g++")
BY_LINUX: dict[str, tuple[str, ...]] = {
    "cmake": GNU,
    "lto": (*GNU, "-DLLAMA_LTO=ON"),
    "cuda": (
        *GNU, "-DLLAMA_CUBLAS=ON", "-DCMAKE_CUDA_COMPILER=/usr/local/cuda-12.4/bin/nvcc",
        "-DCUDAToolkit_ROOT=/usr/local/cuda-12.4", "-DCMAKE_CUDA_ARCHITECTURES=52;61;70",
    ),
    "clblast": (
        *GNU, "-DLLAMA_CLBLAST=ON", "-DLORAGUI_OPENCL_LIBRARY=/usr/lib/x86_64-linux-gnu/libOpenCL.so",
        "-DLORAGUI_OPENCL_INCLUDE=/usr/include",
    ),
    "hipblas": (
        "-DLLAMA_HIPBLAS=ON", "-DCMAKE_C_COMPILER=/opt/rocm-6.0.0/llvm/bin/clang",
        "-DCMAKE_CXX_COMPILER=/opt/rocm-6.0.0/llvm/bin/clang++", "-DCMAKE_PREFIX_PATH=/opt/rocm-6.0.0",
    ),
}  # fmt: skip
STUDIO = ("-A", "x64")
BY_STUDIO: dict[str, tuple[str, ...]] = {
    "cmake": STUDIO,
    "lto": (*STUDIO, "-DLLAMA_LTO=ON"),
    "cuda": (
        *STUDIO, "-T", "cuda=C:/Program Files/NVIDIA GPU Computing Toolkit/CUDA/v12.9", "-DLLAMA_CUBLAS=ON",
        "-DCMAKE_CUDA_ARCHITECTURES=52;61;70",
    ),
    "clblast": (
        *STUDIO, "-DBUILD_SHARED_LIBS=OFF", "-DLLAMA_CLBLAST=ON",
        "-DCMAKE_PREFIX_PATH=D:/my tools/kits/clblast-1.6.3",
        "-DLORAGUI_OPENCL_LIBRARY=D:/my tools/kits/opencl-sdk-2023.04.17/lib/OpenCL.lib",
        "-DLORAGUI_OPENCL_INCLUDE=D:/my tools/kits/opencl-sdk-2023.04.17/include",
    ),
}  # fmt: skip


@pytest.mark.parametrize("recipe", BY_LINUX)
def test_cmake_and_ninja_on_linux(recipe: str, tmp_path: Path) -> None:
    plan = plan_of(recipe, tmp_path)
    kit = packages(plan)
    assert steps(plan) == ["download", "unpack", "tools", "configure", "compile", "install"]
    assert command(plan, "configure").argv == (
        f"{kit}/cmake/data/bin/cmake", "-S", "source", "-B", "build", "-G", "Ninja", *PLAIN, *OURS, *BY_LINUX[recipe],
        f"-DCMAKE_MAKE_PROGRAM={kit}/bin/ninja",
    )  # fmt: skip
    assert command(plan, "compile").argv == (f"{kit}/bin/ninja", "-C", "build", "-j", "3", *PROGRAMS)
    assert command(plan, "compile").env["NINJA_STATUS"] == "[%f/%t] "
    assert [package["name"] for package in told(plan, "tools")["packages"]] == ["cmake", "ninja"]
    assert told(plan, "install")["libraries"] == []


@pytest.mark.parametrize("recipe", BY_STUDIO)
def test_cmake_and_visual_studio(recipe: str, tmp_path: Path) -> None:
    plan = plan_of(recipe, tmp_path, WINDOWS)
    kit = packages(plan)
    assert command(plan, "configure").argv == (
        f"{kit}/cmake/data/bin/cmake.exe", "-S", "source", "-B", "build", "-G", "Visual Studio 17 2022", *PLAIN, *OURS,
        *BY_STUDIO[recipe],
    )  # fmt: skip
    assert command(plan, "compile").argv == (
        f"{kit}/cmake/data/bin/cmake.exe", "--build", "build", "--config", "Release", "--target", *PROGRAMS,
        "--parallel", "3",
    )  # fmt: skip
    assert command(plan, "compile").reader == "msbuild"
    assert told(plan, "install")["built"].endswith("Release")
    dlls = ["D:/my tools/kits/clblast-1.6.3/bin/clblast.dll"] if recipe == "clblast" else []
    assert told(plan, "install")["libraries"] == dlls


def test_the_hip_sdk(tmp_path: Path) -> None:
    plan = plan_of("hipblas", tmp_path, WINDOWS)
    kit, sdk = packages(plan), "C:/Program Files/AMD/ROCm/5.7"
    assert command(plan, "configure").argv == (
        f"{kit}/cmake/data/bin/cmake.exe", "-S", "source", "-B", "build", "-G", "Ninja", *PLAIN, *OURS,
        "-DLLAMA_HIPBLAS=ON", f"-DCMAKE_C_COMPILER={sdk}/bin/clang.exe", f"-DCMAKE_CXX_COMPILER={sdk}/bin/clang++.exe",
        f"-DCMAKE_PREFIX_PATH={sdk}", "-DLLAMA_WIN_VER=0x602", f"-DCMAKE_MAKE_PROGRAM={kit}/bin/ninja.exe",
    )  # fmt: skip
    path = f"{Path(sdk) / 'bin'}{os.pathsep}{OWN_PATH}"
    assert command(plan, "configure").env["PATH"] == path
    assert told(plan, "install")["environment"] == {"PATH": path}


def test_programs_for_a_card_find_its_libraries(tmp_path: Path) -> None:
    """Also where CUDA was installed after loragui was started, or another CUDA stands on the PATH."""
    path = str(told(plan_of("cuda", tmp_path, WINDOWS), "install")["environment"]["PATH"])
    root = Path("C:/Program Files/NVIDIA GPU Computing Toolkit/CUDA/v12.9")
    assert path == os.pathsep.join((str(root / "bin" / "x64"), str(root / "bin"), OWN_PATH))
    assert "PATH" not in told(plan_of("w64devkit", tmp_path, WINDOWS), "install")["environment"]


# -- Where the source comes from ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["", "https://example.org/mirror.git", "/home/me/llama.cpp"])
def test_the_source_by_git(place: str, tmp_path: Path) -> None:
    plan = plan_of(GCC, tmp_path, source=Source(kind=GIT, place=place))
    assert steps(plan) == ["git-begin", "git-fetch", "git-checkout", "copy", "helper", "compile", "install"]
    clone = str(Path(command(plan, "compile").cwd) / "clone-0")
    there = (
        "/usr/bin/git", "-C", clone, "-c", "core.autocrlf=false", "-c", "core.eol=lf", "-c", "core.longpaths=true",
        "-c", "core.symlinks=false", "-c", "protocol.version=2",
    )  # fmt: skip
    assert command(plan, "git-begin").argv == ("/usr/bin/git", "init", "--quiet", clone)
    assert command(plan, "git-fetch").argv == (
        *there, "fetch", "--depth", "1", "--progress", place or "https://github.com/ggerganov/llama.cpp", PIN.commit,
    )  # fmt: skip
    assert command(plan, "git-checkout").argv == (
        *there, "-c", "advice.detachedHead=false", "checkout", "--force", "--quiet", "FETCH_HEAD",
    )  # fmt: skip
    for step in ("git-begin", "git-fetch", "git-checkout"):
        assert command(plan, step).env["GIT_TERMINAL_PROMPT"] == "0"
        assert (command(plan, step).reader, command(plan, step).reader_args) == ("program", {"program": "git"})
    assert told(plan, "copy")["folder"] == clone


def test_the_source_out_of_a_folder(tmp_path: Path) -> None:
    plan = plan_of(GCC, tmp_path, source=Source(kind=FOLDER, place="/home/me/llama.cpp"))
    assert steps(plan) == ["copy", "helper", "compile", "install"]
    assert told(plan, "copy")["folder"] == "/home/me/llama.cpp"


@pytest.mark.parametrize("kind", ["package", GIT, FOLDER])
def test_whatever_the_way_the_files_are_held_against_the_list(kind: str, tmp_path: Path) -> None:
    plan = plan_of(GCC, tmp_path, source=Source(kind=kind, place="x"), pin=OLDER)
    given = told(plan, "unpack" if kind == "package" else "copy")
    assert given["into"] == str(Path(command(plan, "compile").cwd) / "source")
    assert (given["tree"], given["pin"], given["bytes"]) == (OLDER.tree, OLDER.name, OLDER.unpacked_bytes)
    assert given["trees"] == {pin.tree: pin.name for pin in catalogue.pins()}
    assert given["skip"] == list(catalogue.catalogue().repository.skip)


# -- What is in the way ------------------------------------------------------------------------------------------------


def test_another_system_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="not available for this kind of computer") as caught:
        plan_of(GCC, tmp_path, WINDOWS)
    assert caught.value.problem.code == "other-system"
    with pytest.raises(AppError) as caught:
        recipes.build_plan(WHEELS, PIN, Workspace(tmp_path), system="win32-ARM64")
    assert caught.value.problem.code == "other-system"


def test_another_revision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"does not build llama\.cpp b2896") as caught:
        plan_of("cuda", tmp_path, pin=PIN)
    assert caught.value.problem.code == "other-pin"
    assert "b2321" in caught.value.problem.hint


def test_missing_tools_are_named_with_the_way_to_get_them() -> None:
    gcc, gxx, make = recipes.problems(GCC, {}, system=LINUX)
    assert {gcc.code, gxx.code, make.code} == {"tool-missing"}
    assert "needs g++, which is not on this PC" in gxx.message
    assert "Debian or Ubuntu: make" in make.hint
    (kit,) = recipes.problems(catalogue.recipe("w64devkit"), {}, system=WINDOWS)
    assert kit.hint == "Get it from the list of tools."
    assert recipes.problems(WHEELS, {}, system=LINUX) == ()


def test_a_tool_that_will_not_do_is_told_with_the_reason() -> None:
    found = {**FOUND[WINDOWS], "cuda": Found(path="C:/x", good=False, why="CUDA 11.2 is too old.")}
    (problem,) = recipes.problems(catalogue.recipe("cuda"), found, system=WINDOWS)
    assert problem.code == "tool-unfit"
    assert problem.message.endswith("needs another CUDA: CUDA 11.2 is too old.")
    assert "https://developer.nvidia.com" in problem.hint


def test_git_is_needed_only_for_a_source_by_git(tmp_path: Path) -> None:
    without = {**FOUND[LINUX], "git": None}
    assert recipes.problems(GCC, without, system=LINUX) == ()
    (problem,) = recipes.problems(GCC, without, system=LINUX, source=Source(kind=GIT))
    assert "Git" in problem.message
    with pytest.raises(AppError):
        plan_of(GCC, tmp_path, found=without, source=Source(kind=GIT))
    assert recipes.problems(GCC, without, system=LINUX, source=Source(kind=FOLDER, place="/x")) == ()


def test_a_tool_without_the_part_that_is_needed_is_refused(tmp_path: Path) -> None:
    found = {**FOUND[LINUX], "cuda": Found(path="/usr/local/cuda")}
    with pytest.raises(AppError) as caught:
        plan_of("cuda", tmp_path, found=found)
    assert caught.value.problem.code == "tool-missing"


@pytest.mark.parametrize(
    ("cores", "ram", "tight", "jobs"),
    [
        (8, 32 << 30, False, 8),
        (8, 2 << 30, False, 3),
        (8, 100 << 20, False, 1),
        (1, 32 << 30, False, 1),
        (8, 32 << 30, True, 1),
    ],
)
def test_how_many_compilers_run_at_once(cores: int, ram: int, tight: bool, jobs: int) -> None:
    assert recipes.jobs_for(GCC, cores, ram, tight=tight) == jobs


def test_the_disk_needed_is_said(tmp_path: Path) -> None:
    assert 700e6 < recipes.disk_needed(WHEELS, PIN) < 1e9
    assert 100e6 < recipes.disk_needed(GCC, PIN) < 300e6
    for recipe in (WHEELS, GCC):
        facts = plan_of(recipe, tmp_path).facts
        assert facts["disk"] == recipes.disk_needed(recipe, PIN)
        assert facts["download"] == PIN.download_bytes + recipe.download_bytes
