"""Every folder that the program uses, and what is done with any file, in one place."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import time
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import platformdirs

from loragui.errors import AppError
from loragui.units import size

APP = "loragui"
PATIENCE = (0.1, 0.2, 0.5, 1.0, 2.0) if sys.platform == "win32" else ()
"""Seconds between attempts to rename a folder."""


def resource_path(*parts: str) -> Path:
    """A file of ``resources/``: in the wheel it lies in the package, in a checkout beside it."""
    package = Path(__file__).resolve().parent
    packed = package / "resources"
    root = packed if packed.is_dir() else package.parent / "resources"
    return root.joinpath(*parts)


def default_workspace() -> Path:
    """Where a person's engines, models and projects go when nothing else was chosen.

    On Windows a short folder at the drive's root (long paths and non-ASCII user names break the engine).
    What was chosen in the window goes before it, ``LORAGUI_WORKSPACE`` before both.
    """
    chosen = os.environ.get("LORAGUI_WORKSPACE") or _remembered_workspace()
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("SYSTEMDRIVE", "C:") + "\\") / APP
    return Path(platformdirs.user_data_path(APP))


def _remembered_workspace() -> str:
    try:
        return (platformdirs.user_config_path(APP) / "workspace").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def remember_workspace(root: Path) -> None:
    """Make ``root`` the workspace of all later starts."""
    write_atomic(platformdirs.user_config_path(APP) / "workspace", f"{root.absolute()}\n")


class Workspace:
    """The layout of a workspace folder. Nothing is created by asking for a path."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def engines(self) -> Path:
        """Installed engines, one folder each."""
        return self.root / "engines"

    @property
    def models(self) -> Path:
        """Base models, downloaded or converted."""
        return self.root / "models"

    @property
    def projects(self) -> Path:
        """One folder per project."""
        return self.root / "projects"

    @property
    def cache(self) -> Path:
        """What can be fetched again: source packages, compilers."""
        return self.root / "cache"

    @property
    def tools(self) -> Path:
        """External programs that we unpacked, one folder each (``w64devkit-1.23.0``)."""
        return self.root / "tools"

    @property
    def jobs(self) -> Path:
        """Run folders of work that belongs to no project (engine builds, downloads, conversions)."""
        return self.root / "jobs"


def slug(name: str) -> str:
    """A short ASCII folder name for what a person called something; never empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:40].strip("-") or "project"


def move_folder(source: Path, target: Path, *, waits: Iterable[float] = PATIENCE) -> None:
    """Rename a folder, after all ``waits`` (seconds) if need be. OSError when it cannot be done even then.

    Windows renames no folder while a file in it is open, and virus scanners open what has just been written.
    """
    for wait in waits:
        try:
            source.replace(target)
        except OSError:
            time.sleep(wait)
        else:
            return
    source.replace(target)


def write_atomic(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` (UTF-8): written beside it, synced, renamed, so never half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as readable JSON, atomically."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def file_sha256(path: Path) -> str:
    """The sha256 of a file's content, in hexadecimal."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def require_space(folder: Path, needed: int, what: str, *, reserve: int = 0) -> None:
    """AppError when the disk of ``folder`` has no room for the ``needed`` bytes of ``what`` and ``reserve`` more."""
    free = shutil.disk_usage(folder).free
    if free < needed + reserve:
        raise AppError(
            f"{what} needs {size(needed)} of free disk space; {size(free)} are free on this disk.",
            "Free some space, or put the workspace on a larger disk.",
            code="disk-full",
        )
