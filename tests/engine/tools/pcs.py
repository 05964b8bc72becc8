"""Pieces of Windows PCs: one per tool as its installer leaves it."""

from __future__ import annotations

import json

from tests.engine.tools.world import EXE, World

FOLDERS = {
    "SystemRoot": r"C:\Windows",
    "SystemDrive": "C:",
    "ProgramFiles": r"C:\Program Files",
    "ProgramFiles(x86)": r"C:\Program Files (x86)",
    "LOCALAPPDATA": r"C:\Users\Jörg\AppData\Local",
    "USERPROFILE": r"C:\Users\Jörg",
}
KITS = r"C:\loragui\tools"
VSWHERE = r"C:\Program Files (x86)\Microsoft Visual Studio\Installer\vswhere.exe"
STUDIO = r"C:\Program Files (x86)\Microsoft Visual Studio\2022\BuildTools"
CUDA = r"C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA"


def bare() -> World:
    """Windows without anything."""
    return World(environment=FOLDERS, files={r"C:\Windows\System32\kernel32.dll": ""})


def git() -> World:
    return World(
        environment={"Path": r"C:\Windows;C:\Program Files\Git\cmd"},
        files={r"C:\Program Files\Git\cmd\git.exe": EXE},
        registry={r"HKLM\SOFTWARE\GitForWindows": {"InstallPath": r"C:\Program Files\Git", "CurrentVersion": "2.43.0"}},
    )


def cmake(version: str = "3.27") -> World:
    return World(
        files={
            r"C:\Program Files\CMake\bin\cmake.exe": EXE,
            rf"C:\Program Files\CMake\share\cmake-{version}\Modules\CMake.cmake": "",
        },
        registry={r"HKLM\SOFTWARE\Kitware\CMake": {"InstallDir": "C:\\Program Files\\CMake\\"}},
    )


def studio(
    folder: str = STUDIO, version: str = "17.9.34714.143", msvc: str = "14.39.33519", *, workload: bool = True
) -> World:
    """Visual Studio, with vswhere's own words."""
    row = {
        "instanceId": "1",
        "installationPath": folder,
        "installationVersion": version,
        "displayName": "Visual Studio",
    }
    files = {rf"{folder}\Common7\Tools\VsDevCmd.bat": ""}
    if workload:
        files |= {
            rf"{folder}\VC\Auxiliary\Build\Microsoft.VCToolsVersion.default.txt": f"{msvc}\r\n",
            rf"{folder}\VC\Tools\MSVC\{msvc}\bin\Hostx64\x64\cl.exe": EXE,
        }
    return World(files=files, programs={VSWHERE: json.dumps([row])})


def sdk(version: str = "10.0.22621.0") -> World:
    root = r"C:\Program Files (x86)\Windows Kits\10"
    return World(
        files={rf"{root}\Include\{version}\um\windows.h": ""},
        registry={r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows Kits\Installed Roots": {"KitsRoot10": root + "\\"}},
    )


def cuda(version: str, limit: int, *, known_to: str = STUDIO, cublas: bool = True) -> World:
    """A toolkit, and what its installer put into Visual Studio."""
    short = ".".join(version.split(".")[:2])
    root = rf"{CUDA}\v{short}"
    guard = f"#if _MSC_VER < 1910 || _MSC_VER >= {limit}\n#error -- unsupported\n"
    files = {
        rf"{root}\bin\nvcc.exe": EXE,
        rf"{root}\version.json": json.dumps({"cuda": {"name": "CUDA SDK", "version": version}}),
        rf"{root}\include\crt\host_config.h": guard,
    }
    if cublas:
        files[rf"{root}\include\cublas_v2.h"] = ""
    if known_to:
        files[rf"{known_to}\MSBuild\Microsoft\VC\v170\BuildCustomizations\CUDA {short}.props"] = ""
    return World(
        environment={"CUDA_PATH": root, f"CUDA_PATH_V{short.replace('.', '_')}": root},
        files=files,
        registry={rf"HKLM\SOFTWARE\NVIDIA Corporation\GPU Computing Toolkit\CUDA\v{short}": {"InstallDir": root}},
    )


def kit(root: str = rf"{KITS}\w64devkit-1.23.0", said: str = "1.23.0") -> World:
    files = {rf"{root}\bin\{name}.exe": EXE for name in ("gcc", "g++", "make")}
    files |= {
        rf"{root}\w64devkit.exe": EXE,
        rf"{root}\VERSION.txt": f"{said}\n" if said else "",
        rf"{root}\lib\gcc\x86_64-w64-mingw32\14.1.0\libgcc.a": "",
    }
    return World(files=files)


def opencl(root: str = rf"{KITS}\opencl-sdk-2023.04.17") -> World:
    return World(files={rf"{root}\include\CL\cl.h": "", rf"{root}\lib\OpenCL.lib": "", rf"{root}\bin\OpenCL.dll": ""})


def clblast(root: str = rf"{KITS}\clblast-1.6.3") -> World:
    places = r"include\clblast.h", r"lib\clblast.lib", r"bin\clblast.dll", r"lib\cmake\CLBlast\CLBlastConfig.cmake"
    return World(files={rf"{root}\{place}": "" for place in places})


def hip(version: str = "5.7", *, blas: bool = True) -> World:
    root = rf"C:\Program Files\AMD\ROCm\{version}"
    files = {rf"{root}\bin\clang++.exe": EXE, rf"{root}\lib\cmake\hip\hip-config.cmake": ""}
    if blas:
        files[rf"{root}\lib\cmake\hipblas\hipblas-config.cmake"] = ""
    return World(environment={"HIP_PATH": root + "\\"}, files=files)


def small() -> World:
    """Ninja behind winget's link, 7-Zip, the Vulkan loader."""
    return World(
        files={r"C:\Windows\System32\vulkan-1.dll": "", r"C:\Program Files\7-Zip\7z.exe": EXE},
        programs={r"C:\Users\Jörg\AppData\Local\Microsoft\WinGet\Links\ninja.exe": "1.12.1\r\n"},
        registry={
            r"HKLM\SOFTWARE\7-Zip": {"Path64": "C:\\Program Files\\7-Zip\\"},
            r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\7-Zip": {"DisplayVersion": "23.01"},
        },
    )
