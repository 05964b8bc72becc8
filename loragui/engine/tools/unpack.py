"""Archives of tools, unpacked so that nothing lands outside their folder, and nothing appears half.

Whatever is odd is refused: names that lead elsewhere, links, devices, far more data than the archive can hold.
"""

from __future__ import annotations

import errno
import lzma
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from loragui.engine.tools import libarchive
from loragui.engine.tools.libarchive import DamagedError
from loragui.engine.tools.members import Entry, OddError, checked, top_of
from loragui.errors import AppError
from loragui.jobs.events import Note, Progress, Result
from loragui.jobs.pyjob import Emit
from loragui.paths import file_sha256, move_folder, require_space

_RATIO = 40
"""More than so many times the archive's own size is not unpacked: w64devkit grows four times, CLBlast six."""
_ROOM = 16 << 20
_BY_HAND = "Or unpack it with 7-Zip or Windows 11, pack what came out as a zip, and choose that."
_PIECE = 1 << 20
_REPARSE = 0x400
_PLAIN = {0, stat.S_IFREG, stat.S_IFDIR}
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, LookupError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip
"""What zipfile raises for archives that are damaged, encrypted or of another kind."""
_ZIP, _7Z, _PROGRAM = b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"MZ"


def unpack_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``tool-unpack``: ``archive`` into the folder ``into``, which must then hold the file ``proof``.

    ``cmake`` is the program that unpacks what is not a zip; empty when there is none.
    """
    archive, into = Path(args["archive"]), Path(args["into"])
    if (into / args["proof"]).is_file():
        emit(Note(text=f"{into.name} is there already."))
    else:
        _check(archive, str(args["sha256"]))
        into.parent.mkdir(parents=True, exist_ok=True)
        require_space(into.parent, int(args["bytes"]), into.name)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=into.parent) as part:
            place = Path(part) / "files"
            unpack(archive, place, emit, cmake=args["cmake"])
            if not (place / args["proof"]).is_file():
                raise _refused(archive.name, f"{args['proof']} is not in it", "This is the archive of something else.")
            shutil.rmtree(into, ignore_errors=True)  # a damaged one of the same name
            move_folder(place, into)
    if args["delete"]:
        archive.unlink(missing_ok=True)
    emit(Result(values={"tool": args["tool"], "folder": str(into)}))


def _check(archive: Path, sha256: str) -> None:
    if sha256 and (found := file_sha256(archive)) != sha256:
        archive.unlink()
        raise AppError(
            f"{archive.name} is not the file we know: its checksum differs.",
            "Get it again: it will be downloaded anew.",
            details=f"sha256 {found}, expected {sha256}",
            code="checksum",
        )


def needs_cmake(archive: Path) -> bool:
    """Whether it is something else than a zip: a 7z file, also in a zip, or a program that unpacks itself."""
    try:
        return not _is_zip(archive) or bool(_only(_entries(archive)))
    except (*_DAMAGED, OddError):
        return False


def unpack(archive: Path, place: Path, emit: Emit, *, cmake: str = "") -> None:
    """Unpack a zip file without its top folder; what ``needs_cmake``, with CMake's program ``cmake``.

    AppError when the archive is damaged or odd; then ``place`` may hold a part. Its folder is used as a scratch folder.
    """
    limit = archive.stat().st_size * _RATIO + _ROOM
    try:
        if not _is_zip(archive):
            _expand(cmake, archive, place, limit, emit)
        elif inner := _unzip(archive, place, limit, emit):
            with tempfile.TemporaryDirectory(prefix=".zip-", dir=place.parent) as outer:
                moved = inner.replace(Path(outer) / inner.name)
                shutil.rmtree(place)
                _expand(cmake, moved, place, limit, emit)
    except DamagedError as error:
        why = "it is damaged, encrypted, or of a kind that is not known here"
        hint = f"Download it again. {_BY_HAND}"
        raise _refused(archive.name, why, hint, details=str(error)) from error
    except _DAMAGED as error:
        raise _refused(archive.name, str(error), "Download it again.") from error
    except OddError as error:
        raise _refused(archive.name, str(error), "Do not use this archive; get the tool from its own page.") from error


def _refused(name: str, why: str, hint: str, *, details: str = "") -> AppError:
    return AppError(f"{name} was not unpacked: {why}.", hint, details=details, code="archive")


def _is_zip(archive: Path) -> bool:
    """False for a 7z file or a program. OddError for what is none of them."""
    with archive.open("rb") as source:
        start = source.read(len(_7Z))
    if start.startswith((_ZIP, _7Z, _PROGRAM)):
        return start.startswith(_ZIP)
    raise OddError("it is neither a zip nor a 7z file")


def _expand(cmake: str, archive: Path, place: Path, limit: int, emit: Emit) -> None:
    if not cmake:
        raise _refused(
            archive.name, "only zip files can be unpacked here", f"Take the zip, if there is one. {_BY_HAND}"
        )
    with tempfile.TemporaryDirectory(prefix=".7z-", dir=place.parent) as scratch:
        move_folder(libarchive.expand(Path(cmake), archive, Path(scratch), limit, emit), place)


def _entries(archive: Path) -> list[Entry]:
    with _seeking(), zipfile.ZipFile(archive) as packed:
        return [_entry(info) for info in packed.infolist()]


def _entry(info: zipfile.ZipInfo) -> Entry:
    # orig_filename: zipfile shortens names at a NUL and turns the system's separator.
    mode = info.external_attr >> 16
    return Entry(
        name=info.orig_filename,
        size=info.file_size,
        folder=info.orig_filename.endswith(("/", "\\")),
        program=bool(mode & stat.S_IXUSR),
        odd=bool(info.external_attr & _REPARSE) or stat.S_IFMT(mode) not in _PLAIN,
    )


def _only(entries: list[Entry]) -> str:
    """The name of the 7z file when there is nothing else."""
    names = [entry.name for entry in entries if not entry.folder]
    return names[0] if len(names) == 1 and names[0].lower().endswith(".7z") else ""


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


def _unzip(archive: Path, place: Path, limit: int, emit: Emit) -> Path | None:
    """Write all. The one file when it is nothing but a 7z file."""
    with _seeking(), zipfile.ZipFile(archive) as packed:
        infos = packed.infolist()
        entries = [_entry(info) for info in infos]
        names = checked(entries, limit)
        first = 1 if top_of(entries, names) else 0
        total = sum(entry.size for entry in entries)
        place.mkdir(parents=True)
        done = told = 0
        for info, entry in zip(infos, entries, strict=True):
            target = place.joinpath(*names[entry.name][first:])
            if entry.folder:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as out:
                done += _pour(_zip_content(packed, info), out, limit - done)
            if entry.program:
                target.chmod(0o755)
            if done - told > total // 50:
                told = done
                emit(Progress(done=min(done, total), total=total, unit="bytes"))
    only = _only(entries)
    return place.joinpath(*names[only][first:]) if only else None


def _pour(content: Iterator[bytes], out: IO[bytes], room: int) -> int:
    done = 0
    for piece in content:
        done += len(piece)
        if done > room:
            raise OddError("it holds more than it says")
        out.write(piece)
    return done
