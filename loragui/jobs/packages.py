"""Packages fetched with pip as a tool, so that a person's mirrors, proxies and certificates are honoured.

No registry address stands in our code. Every package is pinned by version and sha256.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loragui.errors import AppError
from loragui.jobs import failures, process
from loragui.jobs.events import Log, Note, Progress
from loragui.jobs.plan import Command
from loragui.jobs.pyjob import Emit, job_command
from loragui.paths import move_folder

_PART = ".part-"
"""How the names of unfinished folders begin."""
_OLD = 86_400
"""Seconds after which nobody works in one any more."""
_RAW_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
"""What ``--progress-bar raw`` prints (pip 24.1 and newer), in bytes."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """One pinned package. ``sha256`` lists the allowed files (one per platform); ``source`` asks for the sdist.

    ``target`` marks what is linked into programs, and so is for the system on which these run.
    """

    name: str
    version: str
    sha256: tuple[str, ...]
    source: bool = False
    target: bool = False

    def to_json(self) -> dict[str, Any]:
        """JSON-able form, the arguments of the jobs below."""
        return {
            "name": self.name,
            "version": self.version,
            "sha256": list(self.sha256),
            "source": self.source,
            "target": self.target,
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Package:
        """The inverse of ``to_json``; also reads a table of ``resources/*.toml``."""
        return Package(
            name=str(row["name"]),
            version=str(row["version"]),
            sha256=tuple(row["sha256"]),
            source=bool(row.get("source", False)),
            target=bool(row.get("target", False)),
        )

    @property
    def requirement(self) -> str:
        """One line of a requirements file, with its hashes."""
        return " ".join((f"{self.name}=={self.version}", *(f"--hash=sha256:{value}" for value in self.sha256)))


def download_command(package: Package, into: Path) -> Command:
    """Download the package's file into the folder ``into`` without installing it."""
    return job_command("package-download", {"package": package.to_json(), "into": str(into)})


def install_command(
    packages: Sequence[Package], into: Path, *, platform: str = "", proof: Sequence[str] = ()
) -> Command:
    """Unpack the packages' wheels into the folder ``into``, which appears only when all is there.

    ``platform`` is pip's name of the computer that the files are for (``win_amd64``); empty for this one. A folder
    that lacks a file of ``proof`` is replaced: virus scanners take compilers away.
    """
    args = {"packages": [p.to_json() for p in packages], "into": str(into), "platform": platform, "proof": list(proof)}
    return job_command("packages-install", args)


def _pip(verb: Sequence[str], packages: Sequence[Package], emit: Emit) -> None:
    with tempfile.TemporaryDirectory(prefix="loragui-") as scratch:
        wanted = Path(scratch) / "requirements.txt"
        wanted.write_text("".join(f"{package.requirement}\n" for package in packages), encoding="utf-8")
        argv = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *verb, "--no-deps",
                "--require-hashes", "--progress-bar", "raw", "-r", str(wanted)]  # fmt: skip
        names = ", ".join(f"{package.name} {package.version}" for package in packages)
        emit(Note(text=f"Downloading {names}"))
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            encoding="utf-8", errors="backslashreplace", creationflags=process.HIDDEN,
        ) as pip:  # fmt: skip
            assert pip.stdout is not None  # noqa: S101 - a pipe was asked for
            lines = []
            for line in pip.stdout:
                far = _RAW_PROGRESS.fullmatch(line.strip())
                if far:
                    emit(Progress(done=int(far[1]), total=int(far[2]), unit="bytes"))
                    continue
                lines.append(line.rstrip())
                emit(Log(text=line.rstrip()))
    if pip.returncode != 0:
        raise _failure(names, "\n".join(lines))


def _failure(names: str, output: str) -> AppError:
    """What pip's output means, in words for a person."""
    found = failures.known(output.splitlines(), 1, "pip")
    return AppError(
        f"Downloading {names} failed. {found.message}" if found else f"Downloading {names} failed.",
        found.hint if found else "Check the internet connection (and the proxy, if there is one), then try again.",
        details=output,
        code=found.code if found else "download",
    )


def download_job(args: Mapping[str, Any], emit: Emit) -> None:
    """The job behind ``download_command``. A file that is there already was checked when it came, so it is kept."""
    package = Package.from_json(args["package"])
    into = Path(args["into"])
    into.mkdir(parents=True, exist_ok=True)
    kind = "--no-binary=:all:" if package.source else "--only-binary=:all:"
    with tempfile.TemporaryDirectory(prefix=".part-", dir=into) as part:
        _pip(("download", kind, "--dest", part), (package,), emit)
        for arrived in Path(part).iterdir():
            arrived.replace(into / arrived.name)


def is_whole(folder: Path, proof: Iterable[str]) -> bool:
    """Whether packages are unpacked there, with every file of ``proof``."""
    return folder.is_dir() and all((folder / name).is_file() for name in proof)


def _clear_old(folder: Path) -> None:
    """Delete what a job that was ended left there: hundreds of megabytes. A younger one may be still at work."""
    for part in folder.glob(f"{_PART}*"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _OLD:
                shutil.rmtree(part, ignore_errors=True)


def install_job(args: Mapping[str, Any], emit: Emit) -> None:
    """The job behind ``install_command``."""
    into = Path(args["into"])
    if is_whole(into, args.get("proof", ())):
        return
    into.parent.mkdir(parents=True, exist_ok=True)
    _clear_old(into.parent)
    with tempfile.TemporaryDirectory(prefix=_PART, dir=into.parent, ignore_cleanup_errors=True) as part:
        place = Path(part) / "files"
        packages = tuple(Package.from_json(row) for row in args["packages"])
        other = ("--platform", str(args["platform"])) if args.get("platform") else ()
        _pip(("install", "--only-binary=:all:", "--no-compile", "--target", str(place), *other), packages, emit)
        try:
            if into.is_dir() and not is_whole(into, args.get("proof", ())):
                move_folder(into, Path(part) / "damaged")
            move_folder(place, into)
        except OSError:
            if not is_whole(into, args.get("proof", ())):
                raise
            emit(Note(text="Another build has brought them meanwhile."))
