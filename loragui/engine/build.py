"""The last step of an engine's build: copy what was built beside its place, check it, try it, put it there.

An engine counts as installed only when its programs start on this computer, their help names every flag that the
adapter passes, and it has trained, merged and used a tiny model. Until then nothing is in its place.
"""

from __future__ import annotations

import datetime as dt
import glob
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from loragui.engine import installed
from loragui.engine.installed import Engine
from loragui.engine.selftest import compare, selftest
from loragui.errors import AppError
from loragui.jobs import process
from loragui.jobs.events import Note, Result
from loragui.jobs.failures import vanished
from loragui.jobs.pyjob import Emit
from loragui.paths import move_folder

_FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
_TOLERANCE, _CARD_TOLERANCE = 5e-4, 2e-2
"""How far the self-test's first losses may be from the known ones: on the processor, and with a card's own rounding."""
_HELP_SECONDS = 120
"""A virus scanner may look at a new program for a while before it starts."""


def install_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``engine-install``: what was built becomes an engine; the build folder is cleared away."""
    target = Path(args["engines"]) / args["name"]
    if _is_fine(target) and not args["anew"]:
        emit(Note(text=f"The engine {args['name']} is there already."))
    else:
        put_engine(args, emit)
    _clear(Path(args["work"]))
    emit(Result(values={"engine": str(target), "name": args["name"], "bytes": installed.load(target).size}))


def _clear(work: Path) -> None:
    """Delete the build folder, and those of the same engine with other tools or settings, as far as it goes.

    Git's own files are read-only, and Windows keeps such.
    """
    name, _dash, _digest = work.name.rpartition("-")
    for folder in (work, *work.parent.glob(f"{glob.escape(name)}-{'[0-9a-f]' * 8}")):
        for path in folder.glob("clone-*/.git/**/*"):
            with suppress(OSError):
                path.chmod(path.stat().st_mode | stat.S_IWRITE)
        shutil.rmtree(folder, ignore_errors=True)


def put_engine(args: Mapping[str, Any], emit: Emit) -> None:
    """Copy programs and libraries beside the engine's place, check and try them, rename. AppError before that."""
    target = Path(args["engines"]) / args["name"]
    staging = target.with_name(f".building-{target.name}")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        installed.save(_tried(_stage(staging, args, emit), args, emit))
        _put(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _is_fine(target: Path) -> bool:
    try:
        installed.load(target)
    except AppError:
        return False
    return True


def _put(staging: Path, target: Path) -> None:
    """The only moment at which an engine appears. One of the same name makes room, or stays when that fails."""
    aside = target.with_name(f".removed-{target.name}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        if target.exists():
            move_folder(target, aside)
        move_folder(staging, target)
    except OSError as error:
        if aside.exists() and not target.exists():
            aside.replace(target)
        raise AppError(
            f"The engine {target.name} could not be put in its place.",
            "End what uses the one that is there (a running training), then try again.",
            details=repr(error),
            code="engine-busy",
        ) from error
    shutil.rmtree(aside, ignore_errors=True)


def _stage(staging: Path, args: Mapping[str, Any], emit: Emit) -> Engine:
    staging.mkdir(parents=True)
    programs: dict[str, str] = dict(args["programs"])
    made = Path(args["built"])
    for path in (*(made / name for name in programs.values()), *map(Path, args["libraries"])):
        if not path.is_file():
            raise AppError.of(vanished(str(path), "It was built, but it is not there any more."))
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
        options=tuple(args["options"]),
        library=args["library"],
        accepts=dict(args["accepts"]),
        live=args["live"],
    )


def _tried(engine: Engine, args: Mapping[str, Any], emit: Emit) -> Engine:
    """The engine with the losses of its self-test. AppError when it cannot train, or computes other numbers."""
    with tempfile.TemporaryDirectory(prefix=".test-", dir=engine.folder, ignore_cleanup_errors=True) as scratch:
        done = selftest(engine, Path(scratch), emit)
    tolerance = _TOLERANCE if engine.library in {"none", "openblas"} else _CARD_TOLERANCE
    wrong = compare(done, tuple(args["losses"]), tolerance)
    if wrong is not None:
        raise AppError.of(wrong)
    return replace(engine, losses=done.losses)


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
