"""An engine out of finished programs: a release zip of llama.cpp, or a folder, that a person brings.

Which revision it is, the program itself says. What is known of that revision decides; then the programs are checked
and tried as after a build.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loragui.engine import catalogue
from loragui.engine.build import put_engine
from loragui.engine.catalogue import Pin
from loragui.engine.recipes import KIND
from loragui.engine.toolbox import unpacker
from loragui.engine.tools.unpack import needs_cmake, unpack
from loragui.errors import AppError
from loragui.jobs import failures, process
from loragui.jobs.events import Note
from loragui.jobs.plan import Plan, Step
from loragui.jobs.pyjob import Emit, job_command
from loragui.paths import Workspace, slug

READY = "ready"
"""As an engine's recipe: it was not built here."""
PAGE = "https://github.com/ggerganov/llama.cpp/releases"
RELEASE = f"{PAGE}/tag/b2321"
"""A release that trains, also with a graphics card."""
_VERSION = re.compile(rb"^version: (\d+) \((\w+)\)", re.MULTILINE)
_LIBRARIES = (".dll", ".so", ".dylib")
_SECONDS = 120


def ready_plan(place: Path, workspace: Workspace) -> Plan:
    """Take the finished programs in ``place``, an archive or a folder, which is only read."""
    if not place.exists():
        raise AppError(f"There is no {place}.", "Choose the zip file or the folder again.", code="file-missing")
    name = f"{READY}-{slug(place.stem)}"
    cmake, fetching = unpacker(workspace) if place.is_file() and needs_cmake(place) else ("", ())
    args = {
        "place": str(place.absolute()),
        "engines": str(workspace.engines),
        "name": name,
        "cmake": str(cmake),
    }
    step = Step(id="ready", title=f"Checking the programs in {place.name}", command=job_command("engine-ready", args))
    facts = {"engine": str(workspace.engines / name), "name": name, "recipe": READY}
    return Plan(kind=KIND, title=f"Taking the engine in {place.name}", steps=(*fetching, step), facts=facts)


def ready_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``engine-ready``: unpack, find out what it is, check, try, and put it in its place."""
    place, engines = Path(args["place"]), Path(args["engines"])
    engines.mkdir(parents=True, exist_ok=True)
    with _scratch(engines, f".{args['name']}.") as scratch:
        folder = place
        if place.is_file():
            folder = Path(scratch) / "files"
            unpack(place, folder, emit, cmake=args["cmake"])
            for path in folder.rglob("*"):
                path.chmod(path.stat().st_mode | 0o100)  # not every archive says what is a program
        made = programs_in(folder)
        number, commit = revision_of(made)
        pin = _behaves_like(number)
        emit(Note(text=f"These are programs of llama.cpp b{number}"))
        suffix = made.suffix
        libraries = [file for file in made.parent.iterdir() if _is_library(file)]
        put_engine(
            {
                "name": args["name"],
                "engines": str(engines),
                "built": str(made.parent),
                "programs": {target: f"{target}{suffix}" for target in pin.targets},
                "libraries": [str(file) for file in libraries],
                "flags": {name: list(flags) for name, flags in pin.flags.items()},
                "environment": {},
                "options": [],
                "pin": f"b{number}",
                "commit": commit,
                "recipe": READY,
                "library": _kind(libraries),
                "accepts": dict(pin.accepts),
                "losses": list(pin.losses),
                "live": False,
                "anew": True,
            },
            emit,
        )


def _scratch(folder: Path, prefix: str) -> tempfile.TemporaryDirectory[str]:
    """A folder to work in, after those are cleared away that a job which was ended has left."""
    for left in folder.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    return tempfile.TemporaryDirectory(prefix=prefix, dir=folder, ignore_cleanup_errors=True)


def programs_in(folder: Path) -> Path:
    """The file of ``finetune`` below ``folder``. AppError when there is none."""
    for path in sorted(folder.rglob("finetune*"), key=lambda path: len(path.parts)):
        if path.is_file() and path.name.lower() in {"finetune", "finetune.exe"}:
            return path
    newer = any(path.stem == "llama-cli" for path in folder.rglob("llama-cli*"))
    raise AppError(
        "There is no program “finetune” in it."
        + (" This llama.cpp is too new: training was taken out of it in July 2024." if newer else ""),
        f"Take an older release, for example b2321, from {PAGE}.",
        code="no-finetune",
    )


def revision_of(finetune: Path) -> tuple[int, str]:
    """Number and commit that ``main`` beside ``finetune`` tells. AppError when it does not start or does not say."""
    program = finetune.with_name(f"main{finetune.suffix}")
    try:
        done = subprocess.run(
            [str(program), "--version"], cwd=program.parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=_SECONDS, check=False, creationflags=process.HIDDEN,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AppError(
            f"The program {program.name} does not start on this computer.",
            "Take a release for this kind of computer (avx2, avx, noavx).",
            details=repr(error),
            code="engine-does-not-start",
        ) from error
    lacking = failures.known(done.stdout.decode("utf-8", "backslashreplace").splitlines(), done.returncode, "main")
    if lacking is not None and lacking.code == "library-missing":
        raise AppError(
            f"{program.name} needs a file that is neither beside it nor on this PC.",
            "For a release with “cublas” in its name, unpack it and NVIDIA's files (“cudart…” on the same page) into "
            "one folder, then bring that folder as a zip.",
            details=lacking.details,
            code="library-missing",
        )
    if lacking is not None and lacking.code == "illegal-instruction":
        raise AppError(
            lacking.message, "Take a release for this processor (avx2, avx, noavx).", code="illegal-instruction"
        )
    match = _VERSION.search(done.stdout)
    if match is None or int(match[1]) == 0:
        raise AppError(
            "These programs do not say which revision of llama.cpp they are.",
            f"Take a release from {PAGE}, or let loragui build the engine.",
            details=done.stdout.decode("utf-8", "backslashreplace")[-500:],
            code="revision-unknown",
        )
    return int(match[1]), match[2].decode()


def _behaves_like(number: int) -> Pin:
    known = catalogue.revisions(number)
    if not known.like:
        raise AppError(
            f"llama.cpp b{number} cannot be used. {known.why}",
            f"Take another release, for example b2321, from {PAGE}.",
            code="revision-bad",
        )
    return catalogue.pin(known.like)


def _is_library(path: Path) -> bool:
    return path.is_file() and any(path.name.endswith(end) or f"{end}." in path.name for end in _LIBRARIES)


def _kind(libraries: list[Path]) -> str:
    """What multiplies the matrices, by the libraries that lie beside the programs."""
    names = " ".join(file.name.lower() for file in libraries)
    return next((kind for kind in ("cublas", "clblast", "openblas") if kind in names), "none")
