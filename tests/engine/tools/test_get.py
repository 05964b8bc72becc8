"""What would be run or opened to get a tool."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import pytest

from loragui.engine import toolbox
from loragui.engine.tools import facts, get
from loragui.errors import AppError
from loragui.jobs.plan import Plan
from loragui.paths import Workspace
from tests.conftest import carried_out
from tests.engine.tools.server import serving
from tests.engine.tools.seven import portable_executable
from tests.engine.tools.test_unpack import SEVEN, zipped

OVERRIDE = "--passive --wait --norestart --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("git", ("Git.Git",)),
        ("cmake", ("Kitware.CMake",)),
        ("visual-studio", ("Microsoft.VisualStudio.2022.BuildTools", "--override", OVERRIDE)),
        ("cuda", ("Nvidia.CUDA", "--version", "12.9")),
    ],
)
def test_the_exact_command_of_winget(name: str, words: tuple[str, ...]) -> None:
    package, *more = words
    version, override = (more, []) if "--version" in more else ([], more)
    plan = get.winget_plan(facts.tool(name))
    assert [step.command.argv for step in plan.steps] == [
        (
            "winget", "install", "--id", package, "--exact", "--source", "winget", *version,
            "--accept-package-agreements", "--accept-source-agreements", "--disable-interactivity", *override,
        )
    ]  # fmt: skip


def test_a_fetch_downloads_checks_and_unpacks(tmp_path: Path) -> None:
    tool = facts.tool("w64devkit")
    assert tool.fetch is not None
    plan = get.fetch_plan(tool, Workspace(tmp_path))
    download, unpack = (json.loads(step.command.argv[-1]) for step in plan.steps)
    assert [step.command.argv[-2] for step in plan.steps] == ["tool-download", "tool-unpack"]
    assert download == {
        "url": tool.fetch.url, "sha256": tool.fetch.sha256, "bytes": 76_798_128,
        "into": str(tmp_path / "cache" / "w64devkit-1.23.0.zip"),
    }  # fmt: skip
    assert unpack == {
        "tool": "w64devkit", "archive": download["into"], "sha256": tool.fetch.sha256,
        "bytes": tool.fetch.unpacked_bytes, "into": str(tmp_path / "tools" / "w64devkit-1.23.0"),
        "proof": "bin/gcc.exe", "delete": True, "cmake": "",
    }  # fmt: skip
    assert Plan.from_json(plan.to_json()) == plan
    assert not (tmp_path / "tools").exists()


def test_a_fetch_through_the_real_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    content = zipped(tmp_path / "kit.zip", {"kit/bin/gcc.exe": os.urandom(8000)}).read_bytes()
    workspace = Workspace(tmp_path)
    with serving() as server:
        server.content, server.cuts = content, [1000]
        fetch = facts.Fetch(
            version="1.0", url=server.url, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content),
            unpacked_bytes=9000, kind="zip", source="here",
        )  # fmt: skip
        tool = dataclasses.replace(facts.tool("w64devkit"), fetch=fetch)
        carried_out(workspace, "tool-w64devkit", get.fetch_plan(tool, workspace))
    assert (workspace.tools / "w64devkit-1.0" / "bin" / "gcc.exe").stat().st_size == 8000
    assert list(workspace.cache.iterdir()) == []


def test_an_archive_that_a_person_brings_is_kept(tmp_path: Path) -> None:
    archive = tmp_path / "CLBlast-1.6.3-windows-x64.7z"
    archive.write_bytes(SEVEN.read_bytes())
    plan = get.bring_plan(facts.tool("clblast"), archive, Workspace(tmp_path))
    fetch, unpack = (json.loads(step.command.argv[-1]) for step in plan.steps)
    assert (unpack["into"], unpack["delete"]) == (str(tmp_path / "tools" / "clblast-1.6.3"), False)
    assert Path(fetch["into"]) in Path(unpack["cmake"]).parents
    assert list(tmp_path.iterdir()) == [archive]


def test_the_unpacker_is_fetched_only_for_what_is_no_zip_and_once(tmp_path: Path) -> None:
    workspace, clblast = Workspace(tmp_path), facts.tool("clblast")
    archive = zipped(tmp_path / "CLBlast-1.6.3-windows-x64.zip", {"kit/include/clblast.h": b"x"})
    assert [step.id for step in get.bring_plan(clblast, archive, workspace).steps] == ["unpack"]
    zipped(archive, {"CLBlast-1.6.3-windows-x64.7z": SEVEN.read_bytes()})
    assert [step.id for step in get.bring_plan(clblast, archive, workspace).steps] == ["unpacker", "unpack"]
    w64devkit = facts.tool("w64devkit")
    assert w64devkit.fetch is not None
    packed = dataclasses.replace(w64devkit, fetch=dataclasses.replace(w64devkit.fetch, kind="7z"))
    assert [step.id for step in get.fetch_plan(packed, workspace).steps] == ["unpacker", "download", "unpack"]
    toolbox.unpacker(workspace)[0].parents[3].mkdir(parents=True)
    assert [step.id for step in get.bring_plan(clblast, archive, workspace).steps] == ["unpack"]


@pytest.mark.skipif(os.name == "nt", reason="making a link needs rights there")
@pytest.mark.parametrize(
    ("name", "start"), [("w64devkit-2.0.0.7z", b""), ("w64devkit-x64-2.0.0.exe", portable_executable())]
)
def test_a_7z_that_a_person_brings_through_the_real_runner(
    tmp_path: Path, cmake: Path, name: str, start: bytes
) -> None:
    workspace = Workspace(tmp_path / "ünï 日本")
    program, _steps = toolbox.unpacker(workspace)
    program.parents[3].parent.mkdir(parents=True)
    program.parents[3].symlink_to(cmake.parents[3])
    archive = tmp_path / name
    archive.write_bytes(start + SEVEN.read_bytes())
    carried_out(workspace, "tool-w64devkit", get.bring_plan(facts.tool("w64devkit"), archive, workspace))
    assert (workspace.tools / "w64devkit-2.0.0" / "bin" / "gcc.exe").stat().st_size == 8000
    assert archive.exists()


def test_what_cannot_be_brought(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="does not come as an archive"):
        get.bring_plan(facts.tool("cuda"), tmp_path / "cuda.zip", Workspace(tmp_path))
    with pytest.raises(AppError, match="There is no file"):
        get.bring_plan(facts.tool("clblast"), tmp_path / "none.7z", Workspace(tmp_path))
    with pytest.raises(AppError, match="no download"):
        get.fetch_plan(facts.tool("clblast"), Workspace(tmp_path))
    with pytest.raises(AppError, match="winget does not offer"):
        get.winget_plan(facts.tool("w64devkit"))


@pytest.mark.parametrize(
    ("name", "system", "kinds"),
    [
        ("w64devkit", "win32", ["fetch", "bring", "page"]),
        ("opencl-sdk", "win32", ["fetch", "bring", "page"]),
        ("clblast", "win32", ["bring", "page"]),
        ("visual-studio", "win32", ["winget", "page"]),
        ("rocm", "win32", ["page"]),
        ("opencl-sdk", "linux", ["debian", "page"]),
        ("rocm", "linux", ["page"]),
        ("git", "darwin", ["page"]),
    ],
)
def test_ways(name: str, system: str, kinds: list[str]) -> None:
    ways = get.ways(facts.tool(name), system)
    assert [way.kind for way in ways] == kinds
    assert all(way.command or way.url for way in ways)


def test_apt_is_only_shown() -> None:
    (way, _page) = get.ways(facts.tool("openblas"), "linux")
    assert way.command == ("sudo", "apt", "install", "libopenblas-dev", "pkg-config")
    assert not way.ours
