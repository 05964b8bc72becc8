"""CMake's tar at work on archives, honest and not. Names, links and sizes are ours to check, not its."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loragui.engine.tools import libarchive
from loragui.engine.tools.libarchive import DamagedError
from loragui.engine.tools.members import OddError
from loragui.errors import AppError
from loragui.jobs.events import Event, Progress
from tests.engine.tools.seven import ELSEWHERE, portable_executable, seven_zip

ARCHIVES = Path(__file__).parent / "archives"
CALLS = b"".join(b"\xe8" + (i * 4099 % 65521).to_bytes(4, "little") + b"\x8b\x45\x08" for i in range(1000))
FILES = {"bin/gcc.exe": CALLS, "include/a.h": b"int a;\n" * 50, "empty": b"", "ünï.txt": b"x"}
READABLE = "lzma2", "x86-lzma2", "ppmd"
UNIX = 0x8000
LINE = "-rw-r--r--  0 0      0           1  1 Jan  1970 "


def expanded(cmake: Path, data: bytes, *, limit: int = 1 << 30, name: str = "kit.7z") -> dict[str, bytes]:
    """What comes out; nothing may land outside the scratch folder, and nothing may go on running."""
    events: list[Event] = []
    with tempfile.TemporaryDirectory() as top:
        scratch = Path(top) / "a" / "b" / "scratch"
        scratch.mkdir(parents=True)
        (Path(top) / name).write_bytes(data)
        try:
            out = libarchive.expand(cmake, Path(top) / name, scratch, limit, events.append)
        finally:
            outside = {path.name for path in Path(top).rglob("*") if scratch not in (path, *path.parents)}
            assert outside == {name, "a", "b"}
            assert psutil.Process().children() == []
        assert any(isinstance(event, Progress) for event in events)
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", READABLE)
def test_archives_of_py7zr(cmake: Path, name: str) -> None:
    assert expanded(cmake, (ARCHIVES / f"{name}.7z").read_bytes()) == FILES


def test_an_archive_of_cmake_with_folders(cmake: Path, tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / "kit" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "kit" / name).write_bytes(data)
    (tmp_path / "kit" / "nothing").mkdir()
    subprocess.run([cmake, "-E", "tar", "cf", "kit.7z", "--format=7zip", "kit"], cwd=tmp_path, check=True)
    assert expanded(cmake, (tmp_path / "kit.7z").read_bytes()) == FILES


def test_a_program_that_unpacks_itself(cmake: Path) -> None:
    packed = (ARCHIVES / "lzma2.7z").read_bytes()
    assert expanded(cmake, portable_executable() + packed, name="kit.exe") == FILES
    with pytest.raises(OddError, match="leads elsewhere"):
        expanded(cmake, portable_executable() + seven_zip({"../evil": b"x"}), name="kit.exe")
    with pytest.raises(DamagedError, match="Unrecognized archive format"):
        expanded(cmake, portable_executable(), name="kit.exe")


def test_one_file_without_a_folder(cmake: Path) -> None:
    assert expanded(cmake, seven_zip({"a b -> c".replace(">", ")"): b"x"})) == {"a b -) c": b"x"}


@pytest.mark.parametrize("name", [*ELSEWHERE, "kit/\rx", "kit/\x1b[2J", "kit/a -> b", "kit/\ud800", ""])
def test_names_that_lead_elsewhere(cmake: Path, name: str) -> None:
    with pytest.raises((OddError, DamagedError)):
        expanded(cmake, seven_zip({"kit/bin/gcc.exe": b"x", name: b"evil"}))


@pytest.mark.parametrize("name", [f"kit/a\n{LINE}kit/b", f"a\n{LINE}../b", "a\n", "\na", "kit/\nkit/b", f"\n{LINE}b"])
def test_names_that_look_like_two_lines(cmake: Path, name: str) -> None:
    with pytest.raises(OddError):
        expanded(cmake, seven_zip({"kit/bin/gcc.exe": b"x", name: b"evil"}))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO], ids=hex)
def test_links_and_devices(cmake: Path, kind: int) -> None:
    with pytest.raises(OddError, match="a link or a device"):
        expanded(cmake, seven_zip({"kit/bin/gcc.exe": b"/etc/passwd"}, (kind | 0o777) << 16 | UNIX))


def test_a_folder_that_holds_bytes(cmake: Path) -> None:
    with pytest.raises(DamagedError):
        expanded(cmake, seven_zip({"kit/bin": b"x"}, 0x10))


@pytest.mark.parametrize("names", [("kit/a", "kit/A"), ("kit/a", "kit/a/b"), ("kit/a", "kit/x/../a")])
def test_two_things_at_one_place(cmake: Path, names: tuple[str, str]) -> None:
    with pytest.raises(OddError):
        expanded(cmake, seven_zip(dict.fromkeys(names, b"x")))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such mode")
@pytest.mark.parametrize(("given_mode", "kept"), [(0o4777, 0o755), (0o400, 0o644), (0o666, 0o644)])
def test_marks_that_do_not_stay(cmake: Path, tmp_path: Path, given_mode: int, kept: int) -> None:
    (tmp_path / "kit.7z").write_bytes(seven_zip({"kit/a": b"x"}, (stat.S_IFREG | given_mode) << 16 | UNIX))
    (tmp_path / "scratch").mkdir()
    out = libarchive.expand(cmake, tmp_path / "kit.7z", tmp_path / "scratch", 1 << 20, lambda _event: None)
    assert (out / "a").stat().st_mode & 0o7777 == kept


def test_an_encrypted_archive(cmake: Path) -> None:
    with pytest.raises(DamagedError, match="encrypted"):
        expanded(cmake, (ARCHIVES / "encrypted.7z").read_bytes())


def test_a_wrong_checksum(cmake: Path) -> None:
    """Only a warning to CMake."""
    data = bytearray(seven_zip({"kit/a": b"x" * 100}))
    data[50] ^= 1
    with pytest.raises(DamagedError, match="CRC"):
        expanded(cmake, bytes(data))


@pytest.mark.parametrize("name", READABLE)
def test_half_an_archive(cmake: Path, name: str) -> None:
    data = (ARCHIVES / f"{name}.7z").read_bytes()
    for length in (6, 31, 40, len(data) // 2, len(data) - 1):
        with pytest.raises(DamagedError):
            expanded(cmake, data[:length])


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(READABLE), st.data())
def test_a_changed_byte_is_noticed(cmake: Path, name: str, draw: st.DataObject) -> None:
    data = bytearray((ARCHIVES / f"{name}.7z").read_bytes())
    place = draw.draw(st.integers(0, len(data) - 1))
    data[place] ^= draw.draw(st.integers(1, 255))
    try:
        assert expanded(cmake, bytes(data)) == FILES, "a change that shows nowhere must not change a file"
    except (DamagedError, OddError):
        return


def test_far_more_than_the_archive_can_hold(cmake: Path) -> None:
    with pytest.raises(OddError, match="it would become"):
        expanded(cmake, seven_zip({"kit/a": b"x" * 1000}), limit=999)


@pytest.fixture
def large(cmake: Path, tmp_path: Path) -> Path:
    """An archive that takes a while."""
    (tmp_path / "zeros").write_bytes(bytes(100 << 20))
    subprocess.run([cmake, "-E", "tar", "cf", "kit.7z", "--format=7zip", "zeros"], cwd=tmp_path, check=True)
    (tmp_path / "scratch").mkdir()
    return tmp_path / "kit.7z"


def test_more_than_it_says(cmake: Path, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libarchive, "_LOOK_SECONDS", 0.001)
    tar = libarchive._Tar(cmake, large, large.parent / "scratch")
    with pytest.raises(OddError, match="more than it says"):
        tar.extract(1 << 20, lambda _done: None)
    assert psutil.Process().children() == []
    assert (tar.out / "zeros").stat().st_size < 100 << 20


def test_one_that_takes_forever(cmake: Path, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libarchive, "_LOOK_SECONDS", 0.001)
    monkeypatch.setattr(libarchive, "_SECONDS", 0.0)
    with pytest.raises(DamagedError, match="did not end in 0 seconds"):
        libarchive.expand(cmake, large, large.parent / "scratch", 1 << 30, lambda _event: None)
    assert psutil.Process().children() == []


@pytest.mark.skipif(os.name == "nt", reason="a program of one text file")
@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        ("sys.exit('cmake -E tar: error: No space left on device')", AppError, "The disk is full"),
        ("os.kill(os.getpid(), 9)", DamagedError, "ended with -9"),
        ("open('b', 'w').close()", OddError, "not what came out"),
        ("os.symlink('/etc', 'a')", OddError, "a link or a device"),
    ],
)
def test_a_cmake_that_does_something_else(tmp_path: Path, act: str, error: type[Exception], says: str) -> None:
    fake = tmp_path / "cmake"
    listed = f"print({{'tf': 'a', 'tvf': '{LINE}a'}}.get(sys.argv[3], ''))"
    fake.write_text(f"#!{sys.executable}\nimport os, sys\n{listed}\nif sys.argv[3] == 'xf':\n    {act}\n")
    fake.chmod(0o755)
    with pytest.raises(error, match=says):
        expanded(fake, b"7z")


def test_what_was_not_listed_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "a").touch()
    libarchive._check_written(tmp_path, {("kit", "a")})
    for expected in (set(), {("kit", "a"), ("kit", "b")}):
        with pytest.raises(OddError, match="not what came out"):
            libarchive._check_written(tmp_path, expected)


@pytest.mark.skipif(os.name == "nt", reason="making a link needs rights there")
@pytest.mark.parametrize("target", ["/etc", "/etc/passwd", "nowhere"])
def test_a_link_that_came_out_is_noticed(tmp_path: Path, target: str) -> None:
    (tmp_path / "kit").symlink_to(target)
    with pytest.raises(OddError, match="a link or a device"):
        libarchive._check_written(tmp_path, {("kit",)})
