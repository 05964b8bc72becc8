"""Archives of tools, unpacked so that nothing lands outside their folder, and nothing appears half.

Whatever is odd is refused: names that lead elsewhere, links, devices, far more data than the archive can hold.
"""

from __future__ import annotations

import errno
import itertools
import lzma
import os
import re
import shutil
import stat
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from loragui.engine.tools import sevenzip
from loragui.engine.tools.decode import SevenZipError
from loragui.errors import AppError
from loragui.jobs.events import Note, Progress, Result
from loragui.jobs.pyjob import Emit
from loragui.paths import file_sha256, require_space
from loragui.units import size

_MOST_MEMBERS = 100_000
_RATIO = 40
"""More than so many times the archive's own size is not unpacked: w64devkit grows four times, CLBlast six."""
_ROOM = 16 << 20
_PIECE = 1 << 20
_LONGEST = 200
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_REPARSE, _UNIX = 0x400, 0x8000
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, SevenZipError,
    EOFError, LookupError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip
"""What zipfile raises for archives that are damaged, encrypted or of another kind, and our reader of 7z."""
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing in an archive. ``mode`` is Unix' file mode, 0 when the archive does not say."""

    name: str
    size: int
    folder: bool
    mode: int = 0
    odd: bool = False


def unpack_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``tool-unpack``: ``archive`` into the folder ``into``, which must then hold the file ``proof``."""
    archive, into = Path(args["archive"]), Path(args["into"])
    if (into / args["proof"]).is_file():
        emit(Note(text=f"{into.name} is there already."))
    else:
        _check(archive, str(args["sha256"]))
        into.parent.mkdir(parents=True, exist_ok=True)
        require_space(into.parent, int(args["bytes"]), into.name)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=into.parent) as part:
            place = Path(part) / "files"
            unpack(archive, place, emit)
            if not (place / args["proof"]).is_file():
                raise _refused(archive.name, f"{args['proof']} is not in it", "This is the archive of something else.")
            shutil.rmtree(into, ignore_errors=True)  # a damaged one of the same name
            _rename(place, into)
    if args["delete"]:
        archive.unlink(missing_ok=True)
    emit(Result(values={"tool": args["tool"], "folder": str(into)}))


def _rename(place: Path, into: Path) -> None:
    """Windows' virus scanner may hold new programs open for a moment, in which their folder cannot be renamed."""
    for _ in range(20 if os.name == "nt" else 0):
        try:
            place.replace(into)
        except PermissionError:
            time.sleep(0.5)
        else:
            return
    place.replace(into)


def _check(archive: Path, sha256: str) -> None:
    if sha256 and (found := file_sha256(archive)) != sha256:
        archive.unlink()
        raise AppError(
            f"{archive.name} is not the file we know: its checksum differs.",
            "Get it again: it will be downloaded anew.",
            details=f"sha256 {found}, expected {sha256}",
            code="checksum",
        )


def unpack(archive: Path, place: Path, emit: Emit) -> None:
    """Unpack a zip or 7z file, or a zip that holds nothing but one 7z file, without their top folder.

    AppError when the archive is damaged or odd; then ``place`` may hold a part.
    """
    limit = archive.stat().st_size * _RATIO + _ROOM
    try:
        with archive.open("rb") as source:
            inner = _write(_opened(source), place, limit, emit)
        if inner is not None:
            moved = inner.replace(place.with_name("inner.7z"))
            shutil.rmtree(place)
            with moved.open("rb") as source:
                _write(_opened(source), place, limit, emit)
            moved.unlink()
    except _DAMAGED as error:
        raise _refused(archive.name, str(error), "Download it again.") from error
    except _OddError as error:
        raise _refused(archive.name, str(error), "Do not use this archive; get the tool from its own page.") from error


class _OddError(Exception):
    """Something in the archive that has no business there."""


def _refused(name: str, why: str, hint: str) -> AppError:
    return AppError(f"{name} was not unpacked: {why}.", hint, code="archive")


def _opened(source: BinaryIO) -> tuple[Sequence[Entry], Iterable[tuple[Entry, Iterator[bytes]]]]:
    start = source.read(len(sevenzip.MAGIC))
    source.seek(0)
    if start == sevenzip.MAGIC:
        opened = sevenzip.SevenZip(source)
        return [_of_7z(member) for member in opened.members], ((_of_7z(m), data) for m, data in opened.contents())
    if start.startswith(_ZIP):
        with _seeking():
            packed = zipfile.ZipFile(source)
        infos = packed.infolist()
        return [_of_zip(info) for info in infos], ((_of_zip(info), _zip_content(packed, info)) for info in infos)
    raise _OddError("it is neither a zip nor a 7z file")


def _of_7z(member: sevenzip.Member) -> Entry:
    marks = member.attributes
    return Entry(
        name=member.name,
        size=member.size,
        folder=member.folder,
        mode=marks >> 16 if marks & _UNIX else 0,
        odd=bool(marks & _REPARSE),
    )


def _of_zip(info: zipfile.ZipInfo) -> Entry:
    # orig_filename: zipfile shortens names at a NUL and turns the system's separator.
    return Entry(
        name=info.orig_filename,
        size=info.file_size,
        folder=info.orig_filename.endswith(("/", "\\")),
        mode=info.external_attr >> 16,
        odd=bool(info.external_attr & _REPARSE),
    )


def _zip_content(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with _seeking(), packed.open(info) as content:
        while piece := content.read(_PIECE):
            yield piece


@contextmanager
def _seeking() -> Iterator[None]:
    """A damaged zip makes zipfile seek to impossible places."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise zipfile.BadZipFile(str(error)) from error
        raise


def safe_parts(name: str) -> tuple[str, ...]:
    """The folders and the name of an entry, all of which Windows and Linux can have.

    ValueError when it leads out of the folder, or is a name that one of them takes for something else.
    """
    plain = name.replace("\\", "/").removesuffix("/")
    parts = plain.split("/")
    for part in parts:
        if part in {"", ".", ".."} or part[-1] in " ." or _FORBIDDEN.search(part) or _RESERVED.fullmatch(part):
            raise ValueError(f"the name {name[:_LONGEST]!r}")
    if len(plain) > _LONGEST:
        raise ValueError(f"a name of {len(plain)} characters")
    return tuple(parts)


def _write(
    opened: tuple[Sequence[Entry], Iterable[tuple[Entry, Iterator[bytes]]]], place: Path, limit: int, emit: Emit
) -> Path | None:
    """Write all. The one file when it is nothing but a 7z file."""
    entries, contents = opened
    names = _names(entries, limit)
    total = sum(entry.size for entry in entries)
    place.mkdir(parents=True)
    done = told = 0
    for entry, content in contents:
        target = place.joinpath(*names[entry.name])
        if entry.folder:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as out:
            done += _pour(content, out, limit - done)
        if entry.mode & stat.S_IXUSR:
            target.chmod(0o755)
        if done - told > total // 50:
            told = done
            emit(Progress(done=min(done, total), total=total, unit="bytes"))
    only = [names[entry.name] for entry in entries if not entry.folder]
    return place.joinpath(*only[0]) if len(only) == 1 and only[0][-1].lower().endswith(".7z") else None


def _pour(content: Iterator[bytes], out: IO[bytes], room: int) -> int:
    done = 0
    for piece in content:
        done += len(piece)
        if done > room:
            raise _OddError("it holds more than it says")
        out.write(piece)
    return done


def _names(entries: Sequence[Entry], limit: int) -> Mapping[str, tuple[str, ...]]:
    """Where each entry goes, without the top folder that all share."""
    if len(entries) > _MOST_MEMBERS or sum(entry.size for entry in entries) > limit:
        raise _OddError(f"it would become {size(sum(entry.size for entry in entries))}, {len(entries)} files")
    for entry in entries:
        kind = stat.S_IFMT(entry.mode)
        if entry.odd or kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise _OddError(f"{entry.name[:_LONGEST]!r} in it is a link or a device")
    try:
        names = {entry.name: safe_parts(entry.name) for entry in entries}
    except ValueError as error:
        raise _OddError(f"{error} in it leads elsewhere or is not possible on Windows") from error
    _check_twice(entries, names)
    files = [names[entry.name] for entry in entries if not entry.folder]
    shared = {parts[0] for parts in names.values()}
    if len(shared) == 1 and all(len(parts) > 1 for parts in files):
        return {name: parts[1:] for name, parts in names.items()}
    return names


def _check_twice(entries: Sequence[Entry], names: Mapping[str, tuple[str, ...]]) -> None:
    """No two files at one place (Windows does not tell ``A`` from ``a``), and no file where a folder must be."""
    places = ["/".join(names[entry.name]).lower() for entry in entries if not entry.folder]
    folders = {
        "/".join(above).lower()
        for entry in entries
        for above in itertools.accumulate(
            ((part,) for part in names[entry.name][: None if entry.folder else -1]), lambda a, b: a + b
        )
    }
    if len(set(places)) != len(places) or folders & set(places):
        raise _OddError("two things in it have one place")
