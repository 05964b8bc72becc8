"""Is a folder fit to be the workspace? The judging is pure and apart from the probing.

Why so strict: on Windows the engine cannot open a path with other than ASCII letters, paths over 259
characters fail in compilers and in the engine, and synced or network folders lock or lose files under a run
of many hours.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import psutil

from loragui import units
from loragui.errors import Problem

LONGEST_PATH = 240  # Windows allows 259; some tools add a suffix of their own
DEEPEST_FILE = 150  # jobs/NAME/src/ + the 104 characters of llama.cpp's deepest source file, and a little more
NEEDED_BYTES = 4 << 30  # compiler 0.7 GB, sources and build 0.5 GB, an F32 base, its merge and checkpoints

_SYNCED = {
    "onedrive": "OneDrive",
    "dropbox": "Dropbox",
    "google drive": "Google Drive",
    "googledrive": "Google Drive",
    "my drive": "Google Drive",
    "icloud drive": "iCloud",
    "iclouddrive": "iCloud",
    "mobile documents": "iCloud",
    "nextcloud": "Nextcloud",
}
_NETWORK = {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "fuse.sshfs", "davfs"}
_DRIVE_REMOTE = 4


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What was found out about a folder. ``write_error`` is empty when a file could be made there."""

    free_bytes: int | None = None
    write_error: str = ""
    remote: bool = False


def workspace_problems(path: Path, *, needed_bytes: int = NEEDED_BYTES) -> tuple[Problem, ...]:
    """Everything that speaks against ``path`` as the workspace. Makes and removes one small file there."""
    absolute = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - resolve() would follow links away
    return judge_workspace(
        PureWindowsPath(absolute) if os.name == "nt" else PurePosixPath(absolute),
        probe_workspace(absolute),
        environment=os.environ,
        needed_bytes=needed_bytes,
    )


def judge_workspace(
    path: PurePath, probe: Probe, *, environment: Mapping[str, str], needed_bytes: int = NEEDED_BYTES
) -> tuple[Problem, ...]:
    """The problems of ``path``, from facts only. A ``PureWindowsPath`` is judged by the rules of Windows."""
    windows = isinstance(path, PureWindowsPath)
    found = (
        _letters(path, windows=windows),
        _length(path) if windows else None,
        _network(path, remote=probe.remote),
        _synced(path, environment),
        _writable(path, probe.write_error),
        _room(path, probe.free_bytes, needed_bytes),
    )
    return tuple(problem for problem in found if problem is not None)


def _letters(path: PurePath, *, windows: bool) -> Problem | None:
    text = str(path)
    if text.isascii() and text.isprintable():
        return None
    strange = sorted({letter for letter in text if not letter.isascii() or not letter.isprintable()})
    if windows:
        message = f"The folder {text} has letters in its name that the training program cannot open on Windows."
        hint = r"Choose a folder with plain English letters, for example C:\loragui."
    else:
        message = f"The folder {text} has letters in its name that some of the tools may not understand."
        hint = "It should work here; if a step cannot open a file, choose a folder with plain English letters."
    return Problem(
        message=message,
        hint=hint,
        details=" ".join(map(ascii, strange)),
        code="path-letters",
        blocking=windows,
    )


def _length(path: PurePath) -> Problem | None:
    room = LONGEST_PATH - DEEPEST_FILE
    length = len(str(path))
    if length <= room:
        return None
    return Problem(
        message=f"The folder's path has {length} characters: Windows would refuse longer paths inside it.",
        hint=rf"Choose a folder with at most {room} characters in its path, for example C:\loragui.",
        code="path-long",
    )


def _network(path: PurePath, *, remote: bool) -> Problem | None:
    if not remote and not str(path).startswith(("\\\\", "//")):
        return None
    return Problem(
        message=f"The folder {path} is on the network. A training would end whenever the network fails.",
        hint="Choose a folder on a disk inside this PC.",
        code="path-network",
    )


def _synced(path: PurePath, environment: Mapping[str, str]) -> Problem | None:
    service = synced_by(path, environment)
    if service is None:
        return None
    return Problem(
        message=f"The folder {path} is copied to the internet by {service}, which locks files while they are"
        " written and would upload many gigabytes.",
        hint="Choose a folder outside of it, for example one directly on the disk.",
        code="path-synced",
    )


def synced_by(path: PurePath, environment: Mapping[str, str]) -> str | None:
    """The service that syncs ``path``: by Windows' OneDrive variables, or by the usual folder names."""
    for name, value in environment.items():
        if name.upper().startswith("ONEDRIVE") and value and path.is_relative_to(type(path)(value)):
            return "OneDrive"
    for part in path.parts:
        plain = part.lower()
        for name, service in _SYNCED.items():
            if plain == name or plain.startswith((f"{name} - ", f"{name} (", f"{name}-")):
                return service
    return None


def _writable(path: PurePath, error: str) -> Problem | None:
    if not error:
        return None
    return Problem(
        message=f"No file can be made in the folder {path}.",
        hint="Choose a folder of your own, or change the permissions of this one.",
        details=error,
        code="path-readonly",
    )


def _room(path: PurePath, free_bytes: int | None, needed_bytes: int) -> Problem | None:
    if free_bytes is None or free_bytes >= needed_bytes:
        return None
    return Problem(
        message=f"The disk of {path} has {units.size(free_bytes)} free, {units.size(needed_bytes)} needed.",
        hint="Free some room, or choose a folder on another disk.",
        code="disk-full",
    )


def existing_parent(path: Path) -> Path:
    """``path`` itself if it is a folder, else the nearest folder above it that exists."""
    for folder in (path, *path.absolute().parents):
        if folder.is_dir():
            return folder
    return Path(path.absolute().anchor)


def probe_workspace(path: Path) -> Probe:
    """Look at the folder ``path``, or at the nearest existing one above it."""
    there = existing_parent(path)
    in_the_way = next((part for part in (path, *path.parents) if part.is_file()), None)
    error = f"{in_the_way} is a file" if in_the_way else _write_error(there)
    try:
        free: int | None = shutil.disk_usage(there).free
    except OSError:
        free = None
    return Probe(free_bytes=free, write_error=error, remote=_is_remote(there))


def _write_error(folder: Path) -> str:
    probe = folder / f".loragui-{uuid.uuid4().hex[:8]}.tmp"
    try:
        try:
            probe.write_bytes(b"loragui")
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        return str(error)
    return ""


def _is_remote(folder: Path) -> bool:
    if sys.platform == "win32":
        return bool(ctypes.windll.kernel32.GetDriveTypeW(folder.absolute().anchor) == _DRIVE_REMOTE)
    else:  # noqa: RET505 - so that mypy reads each branch for its own system only
        try:
            mounts = [(part.mountpoint, part.fstype) for part in psutil.disk_partitions(all=True)]
        except (OSError, psutil.Error):
            return False
        return on_network(PurePosixPath(folder.resolve()), mounts)


def on_network(path: PurePath, mounts: Iterable[tuple[str, str]]) -> bool:
    """Whether the mount that holds ``path`` (the longest of ``(folder, file system)``) is a network one."""
    holding = [(folder, kind) for folder, kind in mounts if path.is_relative_to(folder)]
    return bool(holding) and max(holding, key=lambda mount: len(mount[0]))[1].lower() in _NETWORK
