"""Our reader of 7z, against archives that two other programs made, and against damaged ones."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.engine.tools.decode import SevenZipError
from loragui.engine.tools.sevenzip import SevenZip
from loragui.engine.tools.surroundings import Pc

ARCHIVES = Path(__file__).parent / "archives"
CALLS = b"".join(b"\xe8" + (i * 4099 % 65521).to_bytes(4, "little") + b"\x8b\x45\x08" for i in range(1000))
FILES = {"kit/bin/gcc.exe": CALLS, "kit/include/a.h": b"int a;\n" * 50, "kit/empty": b"", "kit/ünï.txt": b"x"}
READABLE = "lzma2", "lzma", "x86-lzma2", "x86-lzma", "copy"


def content(data: bytes) -> dict[str, bytes]:
    return {member.name: b"".join(pieces) for member, pieces in SevenZip(io.BytesIO(data)).contents()}


@pytest.mark.parametrize("name", READABLE)
def test_archives_of_py7zr(name: str) -> None:
    assert content((ARCHIVES / f"{name}.7z").read_bytes()) == FILES


@pytest.mark.parametrize(("name", "says"), [("ppmd", "PPMd"), ("encrypted", "encryption"), ("zstd", "method 04f71101")])
def test_other_methods_are_refused_by_name(name: str, says: str) -> None:
    with pytest.raises(SevenZipError, match=says):
        content((ARCHIVES / f"{name}.7z").read_bytes())


@pytest.mark.skipif(not Pc().which("cmake"), reason="cmake writes the archive")
def test_an_archive_of_libarchive(tmp_path: Path) -> None:
    files = {**FILES, "kit/large": CALLS * 400}
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "kit/nothing").mkdir()
    argv = ["cmake", "-E", "tar", "cf", "kit.7z", "--format=7zip", "kit"]
    subprocess.run(argv, cwd=tmp_path, check=True)
    archive = SevenZip(io.BytesIO((tmp_path / "kit.7z").read_bytes()))
    found = {member.name: b"".join(pieces) for member, pieces in archive.contents() if not member.folder}
    assert found == files
    assert {member.name for member in archive.members if member.folder} >= {"kit", "kit/nothing"}
    assert all(member.attributes for member in archive.members)


@pytest.mark.parametrize("name", READABLE)
def test_half_an_archive_is_refused(name: str) -> None:
    data = (ARCHIVES / f"{name}.7z").read_bytes()
    for length in (0, 5, 31, 40, len(data) // 2, len(data) - 1):
        with pytest.raises(SevenZipError):
            content(data[:length])


@given(st.sampled_from(READABLE), st.data())
def test_a_changed_byte_is_noticed(name: str, draw: st.DataObject) -> None:
    data = bytearray((ARCHIVES / f"{name}.7z").read_bytes())
    place = draw.draw(st.integers(0, len(data) - 1))
    data[place] ^= draw.draw(st.integers(1, 255))
    with contextlib.suppress(SevenZipError):
        assert content(bytes(data)) == FILES, "a change that shows nowhere must not change a file"


def sealed(header: bytes) -> bytes:
    """A 7z file of nothing but ``header``, with right checksums."""
    start = struct.pack("<QQI", 0, len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + header


@given(st.binary(max_size=60))
def test_no_header_breaks_the_reader(header: bytes) -> None:
    for kind in (b"\x01\x04", b"\x01\x05", b"\x17", b""):
        try:
            content(sealed(kind + header))
        except SevenZipError:
            continue


@given(st.sampled_from(READABLE), st.data())
def test_no_changed_header_with_right_checksums_breaks_the_reader(name: str, draw: st.DataObject) -> None:
    """The header in the file is compressed; made plain and changed, it reaches every branch."""
    data = (ARCHIVES / f"{name}.7z").read_bytes()
    header = bytearray(plain_header(data))
    for _ in range(draw.draw(st.integers(1, 3))):
        header[draw.draw(st.integers(0, len(header) - 1))] = draw.draw(st.integers(0, 255))
    offset = struct.unpack("<Q", data[12:20])[0]
    start = struct.pack("<QQI", offset, len(header), zlib.crc32(bytes(header)))
    changed = data[:8] + struct.pack("<I", zlib.crc32(start)) + start + data[32 : 32 + offset] + bytes(header)
    with contextlib.suppress(SevenZipError):
        content(changed)


def plain_header(data: bytes) -> bytes:
    """The header of an archive as it was before it was compressed."""
    seen: list[bytes] = []

    class Spy(SevenZip):
        def _plain(self) -> bytes:
            seen.append(super()._plain())
            return seen[-1]

    Spy(io.BytesIO(data))
    return seen[0]
