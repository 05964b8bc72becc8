"""Whole Windows PCs, described as data and looked through."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from loragui.engine import tools
from loragui.engine.tools import FINDERS, Found, facts
from tests.engine.tools import pcs
from tests.engine.tools.world import EXE, World, merged

WINDOWS = {tool.id for tool in facts.tools() if "win32" in tool.systems}


def look(*pieces: World) -> Mapping[str, Found | None]:
    world = merged(pcs.bare(), *pieces)
    return {name: FINDERS[name](world, pcs.KITS) for name in WINDOWS}


def one(name: str, *pieces: World) -> Found:
    found = look(*pieces)[name]
    assert found is not None
    return found


def test_a_pc_with_everything() -> None:
    found = look(
        pcs.git(), pcs.cmake(), pcs.studio(), pcs.sdk(), pcs.cuda("12.4.1", 1950), pcs.kit(), pcs.opencl(),
        pcs.clblast(), pcs.hip(), pcs.small(),
    )  # fmt: skip
    assert {name: one and (one.version, one.good, one.why) for name, one in found.items()} == {
        "git": ("2.43.0", True, ""),
        "cmake": ("3.27", True, ""),
        "ninja": ("1.12.1", True, ""),
        "w64devkit": ("1.23.0", True, ""),
        "visual-studio": ("17.9.34714.143", True, ""),
        "cuda": ("12.4.1", True, ""),
        "opencl-sdk": ("2023.04.17", True, ""),
        "clblast": ("1.6.3", True, ""),
        "rocm": ("5.7", True, ""),
        "vulkan": ("", True, ""),
        "7zip": ("23.01", True, ""),
    }


def test_a_pc_with_nothing() -> None:
    assert set(look().values()) == {None}


def test_only_programs_whose_version_stands_nowhere_are_started() -> None:
    world = merged(pcs.bare(), pcs.git(), pcs.cmake(), pcs.studio(), pcs.cuda("12.4.1", 1950), pcs.kit(), pcs.small())
    for name in WINDOWS:
        FINDERS[name](world, pcs.KITS)
    assert {argv[0].rsplit("\\", 1)[1] for argv in world.started} == {"vswhere.exe", "ninja.exe"}


# Visual Studio


def test_visual_studio_without_the_cpp_workload() -> None:
    found = one("visual-studio", pcs.studio(workload=False), pcs.sdk())
    assert (found.path, found.good) == (pcs.STUDIO, False)
    assert "Desktop development with C++" in found.why


def test_visual_studio_without_a_windows_sdk() -> None:
    found = one("visual-studio", pcs.studio())
    assert not found.good
    assert "Windows SDK" in found.why


@pytest.mark.parametrize("version", ["16.11.34", "18.0.1"])
def test_another_visual_studio_is_named(version: str) -> None:
    found = one("visual-studio", pcs.studio(version=version), pcs.sdk())
    assert not found.good
    assert version in found.why


def test_the_visual_studio_that_can_build_goes_before_a_newer_one_that_cannot() -> None:
    old, new = pcs.studio(), pcs.studio(r"D:\VS\Community", "17.12.1", workload=False)
    both = merged(old, new, pcs.sdk())
    rows = [world._programs[pcs.VSWHERE.lower()][1:-1] for world in (new, old)]
    both._programs[pcs.VSWHERE.lower()] = f"[{','.join(rows)}]"
    found = one("visual-studio", both)
    assert (found.path, found.good, found.parts["msvc"]) == (pcs.STUDIO, True, "14.39.33519")
    assert found.parts["generator"] == "Visual Studio 17 2022"


def test_without_vswhere_the_usual_folders_are_looked_at() -> None:
    world = pcs.studio()
    world._programs.clear()
    found = one("visual-studio", world, pcs.sdk())
    assert (found.path, found.good) == (pcs.STUDIO, True)


def test_vswhere_may_name_an_installation_that_is_gone() -> None:
    gone = World(programs={pcs.VSWHERE: pcs.studio()._programs[pcs.VSWHERE.lower()]})
    assert look(gone)["visual-studio"] is None


def test_vswhere_is_asked_for_build_tools_too() -> None:
    world = merged(pcs.bare(), pcs.studio())
    FINDERS["visual-studio"](world, pcs.KITS)
    argv = (pcs.VSWHERE, "-products", "*", "-all", "-prerelease", "-format", "json", "-utf8", "-nologo")
    assert world.started == [argv]


# CUDA


def test_the_newest_cuda_that_takes_this_compiler() -> None:
    pieces = pcs.studio(msvc="14.40.33807"), pcs.sdk(), pcs.cuda("12.9.0", 1950), pcs.cuda("12.3.2", 1940)
    found = one("cuda", *pieces)
    assert (found.version, found.good, found.parts["others"]) == ("12.9.0", True, "12.3.2")


def test_cuda_that_is_too_old_for_the_compiler() -> None:
    found = one("cuda", pcs.studio(msvc="14.40.33807"), pcs.sdk(), pcs.cuda("12.3.2", 1940))
    assert not found.good
    assert "14.40.33807" in found.why


def test_cuda_13_is_passed_over_for_12() -> None:
    found = one("cuda", pcs.studio(), pcs.sdk(), pcs.cuda("12.8.1", 1950), pcs.cuda("13.0.2", 1960))
    assert (found.version, found.good) == ("12.8.1", True)


def test_cuda_13_alone_is_for_newer_cards() -> None:
    found = one("cuda", pcs.studio(), pcs.sdk(), pcs.cuda("13.0.2", 1960))
    assert (found.version, found.good, found.parts["architectures"]) == ("13.0.2", True, "75")


def test_cuda_without_cublas_will_not_do() -> None:
    found = one("cuda", pcs.studio(), pcs.sdk(), pcs.cuda("12.8.1", 1950, cublas=False))
    assert not found.good
    assert "cuBLAS" in found.why


def test_cuda_older_than_visual_studio_2022() -> None:
    found = one("cuda", pcs.studio(), pcs.sdk(), pcs.cuda("11.3.1", 1930))
    assert not found.good
    assert "too old" in found.why


def test_cuda_that_was_there_before_visual_studio() -> None:
    found = one("cuda", pcs.studio(), pcs.sdk(), pcs.cuda("12.4.1", 1950, known_to=""))
    assert not found.good
    assert "once more" in found.why


def test_cuda_alone_is_not_judged_by_a_compiler_that_is_not_there() -> None:
    assert one("cuda", pcs.cuda("12.3.2", 1940, known_to="")).good


def test_a_cuda_that_was_uninstalled_left_its_variables_and_registry() -> None:
    left = pcs.cuda("12.4.1", 1950)
    left._files.clear()
    left._names.clear()
    assert look(left)["cuda"] is None


# Kits


def test_the_kit_of_the_workspace_goes_before_another() -> None:
    found = one("w64devkit", pcs.kit(r"C:\w64devkit", "1.20.0"), pcs.kit())
    assert (found.path, found.version) == (rf"{pcs.KITS}\w64devkit-1.23.0", "1.23.0")
    assert found.parts["make"] == rf"{pcs.KITS}\w64devkit-1.23.0\bin\make.exe"


@pytest.mark.parametrize(
    ("root", "said", "version"),
    [
        (r"C:\lora\w64devkit", "1.20.0", "1.20.0"),
        (r"C:\lora\w64devkit-fortran-1.20.0\w64devkit", "1.20.0", "1.20.0"),
        (r"C:\Users\Jörg\Downloads\w64devkit-1.22.0", "", "1.22.0"),
        (r"C:\w64devkit", "", ""),
    ],
)
def test_kits_where_the_guide_and_people_put_them(root: str, said: str, version: str) -> None:
    found = one("w64devkit", pcs.kit(root, said))
    assert (found.path, found.version, found.good) == (root, version, True)


def test_a_kit_on_path_that_is_quoted_and_has_spaces() -> None:
    root = r"D:\my tools\w64devkit"
    path = World(environment={"PATH": rf'C:\Windows;"{root}\bin";'})
    assert one("w64devkit", pcs.kit(root), path).path == root


def test_another_gcc_on_path_is_not_w64devkit() -> None:
    msys = World(environment={"PATH": r"C:\msys64\mingw64\bin"}, files={r"C:\msys64\mingw64\bin\gcc.exe": EXE})
    assert look(msys)["w64devkit"] is None


def test_a_kit_that_an_antivirus_has_bitten() -> None:
    bitten = pcs.kit()
    del bitten._files[rf"{pcs.KITS}\w64devkit-1.23.0\bin\make.exe".lower()]
    found = one("w64devkit", bitten)
    assert not found.good
    assert "make" in found.why
    whole = one("w64devkit", bitten, pcs.kit(r"C:\w64devkit", "1.20.0"))
    assert (whole.path, whole.good) == (r"C:\w64devkit", True)


def test_a_kit_for_32_bit() -> None:
    root = r"C:\w64devkit"
    files = {rf"{root}\bin\{name}.exe": EXE for name in ("gcc", "g++", "make")}
    files |= {rf"{root}\w64devkit.exe": EXE, rf"{root}\lib\gcc\i686-w64-mingw32\14.1.0\libgcc.a": ""}
    found = one("w64devkit", World(files=files))
    assert not found.good
    assert "32-bit" in found.why


def test_opencl_comes_with_cuda_too() -> None:
    root = rf"{pcs.CUDA}\v12.4"
    extra = World(files={rf"{root}\include\CL\cl.h": "", rf"{root}\lib\x64\OpenCL.lib": ""})
    found = one("opencl-sdk", pcs.cuda("12.4.1", 1950), extra)
    assert (found.path, found.parts["library"]) == (root, rf"{root}\lib\x64\OpenCL.lib")


def test_an_opencl_sdk_unpacked_by_hand() -> None:
    root = r"C:\OpenCL-SDK-v2023.04.17-Win-x64"
    found = one("opencl-sdk", pcs.opencl(root))
    assert (found.path, found.version) == (root, "2023.04.17")


def test_clblast_where_cmake_would_look() -> None:
    root = r"D:\libs\CLBlast-1.6.2-windows-x64"
    found = one("clblast", pcs.clblast(root), World(environment={"CLBlast_DIR": rf"{root}\lib\cmake\CLBlast"}))
    assert (found.path, found.version) == (root, "1.6.2")
    assert found.parts["dll"] == rf"{root}\bin\clblast.dll"


def test_clblast_without_its_dll() -> None:
    world = pcs.clblast()
    del world._files[rf"{pcs.KITS}\clblast-1.6.3\bin\clblast.dll".lower()]
    found = one("clblast", world)
    assert not found.good
    assert "clblast.dll" in found.why


# Others


@pytest.mark.parametrize(("version", "good"), [("3.18", False), ("3.19", True), ("4.0", True)])
def test_cmake_must_not_be_too_old(version: str, *, good: bool) -> None:
    found = one("cmake", pcs.cmake(version))
    assert (found.version, found.good) == (version, good)


def test_visual_studio_brings_cmake_and_ninja() -> None:
    inside = rf"{pcs.STUDIO}\Common7\IDE\CommonExtensions\Microsoft\CMake"
    files = {rf"{inside}\CMake\bin\cmake.exe": EXE, rf"{inside}\CMake\share\cmake-3.29\x": ""}
    both = World(files=files, programs={rf"{inside}\Ninja\ninja.exe": "1.11.0\n"})
    assert (one("cmake", both).version, one("ninja", both).version) == ("3.29", "1.11.0")
    assert one("cmake", both, pcs.cmake()).version == "3.27"


def test_the_registry_lies_about_a_folder_that_is_gone() -> None:
    cmake, git, small = pcs.cmake(), pcs.git(), pcs.small()
    for world in (cmake, git, small):
        world._files.clear()
        world._names.clear()
    found = look(cmake, git, small)
    assert (found["cmake"], found["git"], found["7zip"]) == (None, None, None)


def test_a_second_git_does_not_get_the_version_of_the_installed_one() -> None:
    other = World(
        environment={"PATH": r"D:\PortableGit\cmd"}, programs={r"D:\PortableGit\cmd\git.exe": "git version 2.30.1"}
    )
    found = one("git", other, pcs.git())
    assert (found.path, found.version) == (r"D:\PortableGit\cmd\git.exe", "2.30.1")


def test_the_hip_sdk_without_hipblas() -> None:
    found = one("rocm", pcs.hip(blas=False))
    assert not found.good
    assert "hipBLAS" in found.why


def test_the_newest_of_two_hip_sdks() -> None:
    assert one("rocm", pcs.hip("5.5"), pcs.hip("6.2")).version == "6.2"


def test_survey_of_a_described_pc(tmp_path: Path) -> None:
    from loragui.paths import Workspace

    found = tools.survey(Workspace(tmp_path), merged(pcs.bare(), pcs.git()))
    assert set(found) == WINDOWS
    assert [name for name, one in found.items() if one] == ["git"]
