"""Archives, honest and not: everything lands in its folder, or nothing does."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.engine.tools import members, unpack
from loragui.engine.tools.members import OddError, safe_parts
from loragui.errors import AppError
from loragui.jobs.events import Event, Progress, Result
from tests.engine.tools.seven import ELSEWHERE

SEVEN = Path(__file__).parent / "archives" / "lzma2.7z"
KIT = {"kit/bin/gcc.exe": b"MZ" * 5000, "kit/include/a.h": b"int a;\n", "kit/LICENSE": b""}


def zipped(path: Path, files: Mapping[str, bytes], **marks: int) -> Path:
    """A zip of those files; ``marks`` are the external attributes of all (``mode`` or raw ``dos``)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of names that come twice, which is what some tests want
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            for name, data in files.items():
                info = zipfile.ZipInfo("x")
                info.filename = info.orig_filename = name
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = marks.get("mode", 0) << 16 | marks.get("dos", 0)
                out.writestr(info, data)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder).as_posix()): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(archive: Path, into: Path, **more: Any) -> list[Event]:
    events: list[Event] = []
    arguments = {
        "tool": "kit",
        "archive": str(archive),
        "into": str(into),
        "proof": "bin/gcc.exe",
        "sha256": "",
        "cmake": "",
    }
    unpack.unpack_job({**arguments, "bytes": 1, "delete": False, **more}, events.append)
    return events


def refused(archive: Path, into: Path, **more: Any) -> AppError:
    with pytest.raises(AppError) as caught:
        run(archive, into, **more)
    assert not into.exists()
    assert not into.parent.exists() or list(into.parent.iterdir()) == []
    return caught.value


def test_a_zip_without_its_top_folder(tmp_path: Path) -> None:
    archive, into = zipped(tmp_path / "kit.zip", KIT), tmp_path / "tools" / "kit-1.0"
    events = run(archive, into)
    assert tree(into) == {"bin/gcc.exe": b"MZ" * 5000, "include/a.h": b"int a;\n", "LICENSE": b""}
    assert events[-1] == Result(values={"tool": "kit", "folder": str(into)})
    assert any(isinstance(event, Progress) for event in events)
    assert archive.exists()


def test_a_zip_that_has_no_top_folder(tmp_path: Path) -> None:
    run(zipped(tmp_path / "kit.zip", {"bin/gcc.exe": b"MZ", "README": b""}), tmp_path / "tools" / "kit")
    assert tree(tmp_path / "tools" / "kit") == {"bin/gcc.exe": b"MZ", "README": b""}


def test_a_7z(tmp_path: Path, cmake: Path) -> None:
    run(SEVEN, tmp_path / "tools" / "kit", cmake=str(cmake))
    assert set(tree(tmp_path / "tools" / "kit")) == {"bin/gcc.exe", "include/a.h", "empty", "ünï.txt"}
    assert [path.name for path in (tmp_path / "tools").iterdir()] == ["kit"]


@pytest.mark.parametrize("name", ["kit-1.0.7z", "kit/kit-1.0.7z", "kit/KIT.7Z"])
def test_a_zip_that_holds_a_7z(tmp_path: Path, cmake: Path, name: str) -> None:
    archive = zipped(tmp_path / "kit.zip", {name: SEVEN.read_bytes()})
    run(archive, tmp_path / "tools" / "kit", cmake=str(cmake))
    assert set(tree(tmp_path / "tools" / "kit")) == {"bin/gcc.exe", "include/a.h", "empty", "ünï.txt"}
    assert [path.name for path in (tmp_path / "tools").iterdir()] == ["kit"]


def test_without_cmake_only_a_zip_can_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "kit.exe").write_bytes(b"MZ" + SEVEN.read_bytes())
    for archive in (SEVEN, tmp_path / "kit.exe", zipped(tmp_path / "kit.zip", {"kit.7z": SEVEN.read_bytes()})):
        assert "pack what came out as a zip" in str(refused(archive, tmp_path / "tools" / "kit"))
        assert unpack.needs_cmake(archive)


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04 and nothing"])
def test_cmake_is_not_needed_for_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kit.7z").write_bytes(content)
    assert not unpack.needs_cmake(tmp_path / "kit.7z")
    assert not unpack.needs_cmake(zipped(tmp_path / "kit.zip", KIT))
    assert not unpack.needs_cmake(zipped(tmp_path / "kit.zip", {"a.7z": b"x", "b.7z": b"x"}))


def test_a_second_time_nothing_is_done(tmp_path: Path) -> None:
    archive, into = zipped(tmp_path / "kit.zip", KIT), tmp_path / "tools" / "kit"
    run(archive, into)
    archive.unlink()
    run(archive, into)
    assert len(tree(into)) == 3


def test_a_damaged_tool_is_replaced(tmp_path: Path) -> None:
    into = tmp_path / "tools" / "kit"
    into.mkdir(parents=True)
    (into / "old").touch()
    run(zipped(tmp_path / "kit.zip", KIT), into)
    assert "old" not in tree(into)


def test_the_checksum_comes_first(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "kit.zip", KIT)
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    run(archive, tmp_path / "tools" / "kit", sha256=sha256, delete=True)
    assert not archive.exists()
    archive = zipped(tmp_path / "kit.zip", {**KIT, "kit/more": b""})
    error = refused(archive, tmp_path / "others" / "kit", sha256=sha256)
    assert (error.problem.code, archive.exists()) == ("checksum", False)


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    error = refused(zipped(tmp_path / "kit.zip", {"kit/readme": b""}), tmp_path / "tools" / "kit")
    assert "bin/gcc.exe is not in it" in str(error)


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04 and nothing", b"7z\xbc\xaf\x27\x1c", b"MZ" * 100])
def test_what_is_no_archive(tmp_path: Path, content: bytes, cmake: Path) -> None:
    (tmp_path / "kit.zip").write_bytes(content)
    error = refused(tmp_path / "kit.zip", tmp_path / "tools" / "kit", cmake=str(cmake))
    assert error.problem.code == "archive"


def test_a_damaged_zip(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "kit.zip", {"kit/bin/gcc.exe": os.urandom(5000)})
    data = bytearray(archive.read_bytes())
    data[2000] ^= 1
    archive.write_bytes(bytes(data))
    assert "Download it again" in str(refused(archive, tmp_path / "tools" / "kit"))
    archive.write_bytes(bytes(data[:3000]))
    refused(archive, tmp_path / "tools" / "kit")


@pytest.mark.parametrize("name", [*ELSEWHERE, "kit/ev\0il"])
def test_names_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    archive = zipped(tmp_path / "kit.zip", {**KIT, name: b"evil"})
    assert refused(archive, tmp_path / "tools" / "kit").problem.code == "archive"
    assert {path.name for path in tmp_path.iterdir()} <= {"kit.zip", "tools"}


@pytest.mark.parametrize("name", ["kit/bin/c++.exe", "kit/[.exe", "kit/a b", "kit/ünï", "kit/.x", "kit/console.h"])
def test_names_that_are_fine(tmp_path: Path, name: str) -> None:
    run(zipped(tmp_path / "kit.zip", {**KIT, name: b""}), tmp_path / "tools" / "kit")
    assert name.removeprefix("kit/") in tree(tmp_path / "tools" / "kit")


@pytest.mark.parametrize(
    "marks",
    [
        {"mode": stat.S_IFLNK | 0o777}, {"mode": stat.S_IFCHR | 0o600}, {"mode": stat.S_IFBLK | 0o600},
        {"mode": stat.S_IFIFO | 0o600}, {"mode": stat.S_IFSOCK | 0o600}, {"dos": 0x400},
    ],
)  # fmt: skip
def test_links_and_devices(tmp_path: Path, marks: dict[str, int]) -> None:
    error = refused(zipped(tmp_path / "kit.zip", KIT, **marks), tmp_path / "tools" / "kit")
    assert "a link or a device" in str(error)


@pytest.mark.parametrize(
    "names",
    [("kit/a", "kit/A"), ("kit/a", "kit/a/b"), ("kit/A/b", "kit/a"), ("kit/x\\y", "kit/x/Y")],
    ids=["capitals", "file and folder", "folder and file", "separators"],
)
def test_two_things_at_one_place(tmp_path: Path, names: tuple[str, str]) -> None:
    archive = zipped(tmp_path / "kit.zip", {**KIT, names[0]: b"1", names[1]: b"2"})
    assert "one place" in str(refused(archive, tmp_path / "tools" / "kit"))


def test_far_more_than_the_archive_can_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "_ROOM", 0)
    archive = zipped(tmp_path / "kit.zip", {"kit/bin/gcc.exe": b"\0" * 5_000_000})
    assert "it would become" in str(refused(archive, tmp_path / "tools" / "kit"))


def test_more_than_it_says(tmp_path: Path) -> None:
    with pytest.raises(OddError, match="more than it says"), (tmp_path / "x").open("wb") as out:
        unpack._pour(iter([b"x" * 60, b"x" * 60]), out, 100)


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "_MOST_MEMBERS", 2)
    assert "3 files" in str(refused(zipped(tmp_path / "kit.zip", KIT), tmp_path / "tools" / "kit"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such mode")
def test_programs_stay_programs(tmp_path: Path) -> None:
    run(zipped(tmp_path / "kit.zip", KIT, mode=stat.S_IFREG | 0o755), tmp_path / "tools" / "kit")
    assert (tmp_path / "tools" / "kit" / "bin" / "gcc.exe").stat().st_mode & 0o111 == 0o111


PARTS = st.sampled_from(["..", ".", "", "kit", "a", "A", "C:", "nul", "con.txt", "x ", "x.", "~", "\0", "ü", "b:c"])
NAMES = st.one_of(
    st.text(min_size=1, max_size=30),
    st.lists(PARTS, min_size=1, max_size=5).map("/".join),
    st.lists(PARTS, min_size=1, max_size=5).map("\\".join),
)


@given(NAMES)
def test_a_safe_name_stays_below(name: str) -> None:
    try:
        parts = safe_parts(name)
    except ValueError:
        return
    assert parts
    for part in parts:
        assert part not in {"", ".", ".."}
        assert not set(part) & set('/\\:<>"|?*\0')
        assert part == part.rstrip(" .")


@given(st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_nothing_ever_lands_outside(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch) / "a" / "b"
        try:
            archive = zipped(top / "kit.zip", dict.fromkeys(names, b"x"))
        except (ValueError, OSError):
            return  # a name that zipfile cannot write
        with contextlib.suppress(AppError):
            unpack.unpack(archive, top / "place", lambda _event: None)
        outside = {path for path in Path(scratch).rglob("*") if path.is_file() and top / "place" not in path.parents}
        assert outside == {archive}


@given(st.integers(0, 10**9), st.binary(min_size=1, max_size=4))
def test_a_changed_zip_breaks_nothing(place: int, change: bytes) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        archive = zipped(Path(scratch) / "kit.zip", KIT)
        data = bytearray(archive.read_bytes())
        at = place % len(data)
        data[at : at + len(change)] = change
        archive.write_bytes(bytes(data))
        with contextlib.suppress(AppError):
            unpack.unpack(archive, Path(scratch) / "place", lambda _event: None)
        assert {path.name for path in Path(scratch).iterdir()} <= {"kit.zip", "place"}
