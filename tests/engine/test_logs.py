from __future__ import annotations

from pathlib import Path

import pytest

from loragui.engine.logs import MakeReader, MsbuildReader
from loragui.jobs.events import Progress, Trouble

MSBUILD = r"""MSBuild version 17.9.8+b34f75857 for .NET Framework

  1>Checking Build System
  Building Custom Rule C:/loragui/cache/builds/b2321-cmake/source/CMakeLists.txt
  ggml.c
  ggml-alloc.c
  Generating Code...
  ggml.vcxproj -> C:\loragui\cache\builds\b2321-cmake\build\ggml.dir\Release\ggml.lib
  Building Custom Rule C:/loragui/cache/builds/b2321-cmake/source/common/CMakeLists.txt
  common.cpp
C:\loragui\source\common\common.cpp(12,1): warning C4244: conversion from 'double' to 'float'
  finetune.vcxproj -> C:\loragui\cache\builds\b2321-cmake\build\bin\Release\finetune.exe
"""
"""How Visual Studio 2022 builds a CMake project (documented form; no Windows here)."""


def progress(reader: MakeReader, text: str) -> list[Progress]:
    return [event for line in text.splitlines() for event in reader.line(line, "stdout") if isinstance(event, Progress)]


def test_visual_studio_tells_each_file_once() -> None:
    found = progress(MsbuildReader(Path(), {"total": 3}), MSBUILD)
    assert [(event.done, event.total, event.text) for event in found] == [
        (0, 3, "Building ggml.c"),
        (1, 3, "Building ggml-alloc.c"),
        (2, 3, "Building common.cpp"),
        (3, 4, "Building finetune.exe"),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("C:\\x\\ggml.c(5): fatal error C1060: compiler is out of heap space [C:\\x\\ggml.vcxproj]", "compiler-memory"),
        ("CUSTOMBUILD : error MSB8036: The Windows SDK version 10.0.22621.0 was not found.", "windows-sdk"),
    ],
)
def test_visual_studio_fails(line: str, code: str) -> None:
    reader = MsbuildReader(Path(), {})
    for text in (*MSBUILD.splitlines(), line):
        tuple(reader.line(text, "stdout"))
    (trouble,) = reader.end(1)
    assert isinstance(trouble, Trouble)
    assert trouble.problem.code == code
