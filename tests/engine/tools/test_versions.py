"""What programs, files and folder names say of their version."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.engine.tools import (
    clblast,
    cmake,
    cuda,
    git,
    gnu,
    ninja,
    openblas,
    opencl,
    rocm,
    seven_zip,
    vulkan,
    w64devkit,
)
from loragui.engine.tools import visual_studio as studio
from loragui.engine.tools.found import numbers

NVCC = """nvcc: NVIDIA (R) Cuda compiler driver
Copyright (c) 2005-2024 NVIDIA Corporation
Built on Thu_Mar_28_02:30:10_Pacific_Daylight_Time_2024
Cuda compilation tools, release 12.4, V12.4.131
Build cuda_12.4.r12.4/compiler.34097967_0
"""
PC_DEBIAN = "version=0.3.21\nextralib=-lm\nName: openblas\nVersion: ${version}\n"
GUARD = """#if defined(__GNUC__)
#if __GNUC__ > 13
#error -- unsupported GNU version! gcc versions later than 13 are not supported!
#endif
#endif
#if _MSC_VER < 1910 || _MSC_VER >= 1950
"""


@pytest.mark.parametrize(
    ("read", "text", "version"),
    [
        (git.version, "git version 2.39.5\n", "2.39.5"),
        (git.version, "git version 2.43.0.windows.1\n", "2.43.0"),
        (git.version, "git version 2.39.5 (Apple Git-154)", "2.39.5"),
        (cmake.version, "cmake version 3.25.1\n\nCMake suite maintained by Kitware", "3.25.1"),
        (cmake.version, "cmake version 3.29.5-msvc4", "3.29.5"),
        (ninja.version, "1.11.1\n", "1.11.1"),
        (ninja.version, "1.11.1.git.kitware.jobserver-1\n", "1.11.1"),
        (gnu.gcc_version, "12.2.0\n", "12.2.0"),
        (gnu.gcc_version, "14\n", "14"),
        (gnu.gcc_version, "gcc: error: unrecognized command-line option\n", ""),
        (gnu.make_version, "GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu\n", "4.3"),
        (gnu.make_version, "BSD make 20240108", ""),
        (seven_zip.version, "\n7-Zip 23.01 (x64) : Copyright (c) 1999-2023 Igor Pavlov", "23.01"),
        (seven_zip.version, "\n7-Zip [64] 16.02 : Copyright (c) 1999-2016 Igor Pavlov", "16.02"),
        (seven_zip.version, "\n7-Zip (z) 24.09 (x64) : Copyright", "24.09"),
        (cuda.version_of_nvcc, NVCC, "12.4"),
        (cuda.version_of_json, '{"cuda": {"name": "CUDA SDK", "version": "12.4.20240228"}}', "12.4.20240228"),
        (cuda.version_of_json, '{"cuda": []}', ""),
        (cuda.version_of_json, "[]", ""),
        (cuda.version_of_json, "", ""),
        (openblas.version, PC_DEBIAN, "0.3.21"),
        (openblas.version, "Name: openblas\nVersion: 0.3.26\n", "0.3.26"),
        (opencl.version_of_folder, "OpenCL-SDK-v2023.04.17-Win-x64", "2023.04.17"),
        (clblast.version_of_folder, "CLBlast-1.6.2-windows-x64", "1.6.2"),
        (w64devkit.version_of_folder, "w64devkit-1.23.0", "1.23.0"),
        (w64devkit.version_of_folder, "w64devkit-fortran-1.20.0", "1.20.0"),
        (w64devkit.version_of_folder, "w64devkit", ""),
        (rocm.version_of_file, "5.7.1-98\n", "5.7.1"),
        (rocm.version_of_file, "HIP_PACKAGING_VERSION_PATCH=1\nHIP_VERSION_MAJOR=5\nHIP_VERSION_MINOR=7\n", "5.7"),
        (vulkan.version_of_name, "libvulkan.so.1.3.239", "1.3.239"),
        (vulkan.version_of_name, "VulkanRT1.3.268.0", "1.3.268.0"),
    ],
)
def test_versions(read: Callable[[str], str], text: str, version: str) -> None:
    assert read(text) == version


def test_cmakes_folders() -> None:
    assert cmake.version_of_folders(("aclocal", "cmake-3.9", "cmake-3.27", "cmake-3.27.1", "man")) == "3.27"
    assert cmake.version_of_folders(("doc",)) == ""


def test_compilers_that_a_cuda_takes() -> None:
    assert (cuda.too_new_msvc(GUARD), cuda.newest_gcc(GUARD)) == (1950, 13)
    assert (cuda.too_new_msvc(""), cuda.newest_gcc("")) == (0, 0)


@pytest.mark.parametrize(
    ("msvc", "number"),
    [("14.40.33807", 1940), ("14.39.33519", 1939), ("14.50.1", 1950), ("14.29.30133", 1929), ("", 0)],
)
def test_the_compilers_own_number(msvc: str, number: int) -> None:
    assert studio.compiler_number(msvc) == number


@pytest.mark.parametrize(
    "text",
    ["", "null", "{}", "[1]", '[{"installationPath": 5}]', "Visual Studio Locator", '[{"installationPath": ["C:"]}]'],
)
def test_anything_from_vswhere(text: str) -> None:
    assert [one for one in studio.instances(text) if one[0]] == []


def test_versions_compare_as_numbers() -> None:
    assert numbers("3.9") < numbers("3.19") < numbers("3.19.1")
    assert numbers("") == ()


READERS = [
    git.version, cmake.version, ninja.version, gnu.gcc_version, gnu.make_version, seven_zip.version,
    cuda.version_of_nvcc, cuda.version_of_json, openblas.version, opencl.version_of_folder,
    clblast.version_of_folder, w64devkit.version_of_folder, rocm.version_of_file, vulkan.version_of_name,
]  # fmt: skip


@given(st.text())
def test_no_text_breaks_a_reader(text: str) -> None:
    for read in READERS:
        assert set(read(text)) <= {*"0123456789."} | {c for c in text if c.isdecimal()}
    studio.instances(text)
    studio.compiler_number(text)
    cuda.too_new_msvc(text)
    numbers(text)
