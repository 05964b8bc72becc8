"""7z archives, also those that unpack themselves, unpacked by the libarchive in CMake: ``cmake -E tar``.

It is not trusted with names: on Windows it writes ``/x`` to the top of the drive. So what it lists is checked before,
what it wrote after, and how much it writes meanwhile.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from loragui.engine.tools.members import Entry, OddError, Parts, checked, top_of
from loragui.errors import AppError
from loragui.jobs import failures, process
from loragui.jobs.events import Progress
from loragui.jobs.pyjob import Emit

_LIST_SECONDS, _SECONDS = 120.0, 1800.0
_LONGEST_LIST = 64 << 20
_LOOK_SECONDS = 0.1
_REPARSE = 0x400
_LINE = re.compile(r"([-a-z])\S{9} +\d+ +\S+ +\S+ +([\d,]+) ")
"""``-rw-r--r--  0 0      0        8000 25 Nov 14:35 kit/bin/gcc.exe``; of a device two numbers instead of the size."""


class DamagedError(Exception):
    """CMake cannot read the archive; the text is what it says."""


def expand(cmake: Path, archive: Path, scratch: Path, limit: int, emit: Emit) -> Path:
    """Unpack below the empty folder ``scratch``. The folder that then holds all: without the top one that all share.

    OddError for what has no business in an archive, DamagedError for what CMake cannot read, AppError for a full disk.
    """
    tar = _Tar(cmake, archive.absolute(), scratch)
    entries = tar.listing()
    names = checked(entries, limit)
    total = sum(entry.size for entry in entries)
    tar.extract(limit, lambda done: emit(Progress(done=min(done, total), total=total, unit="bytes")))
    _check_written(tar.out, {names[entry.name] for entry in entries if not entry.folder})
    return tar.out / top_of(entries, names)


class _Tar:
    """CMake's tar at work on one archive, its words and what it unpacks below ``scratch``."""

    def __init__(self, cmake: Path, archive: Path, scratch: Path) -> None:
        self._cmake, self._archive, self._scratch = cmake, archive, scratch
        self.out = scratch / "out"
        self.out.mkdir()

    def listing(self) -> Sequence[Entry]:
        """All that is in it. The short list has the plain names, the long one what they are."""
        short, long = (self._lines(self._run(verb, _LONGEST_LIST, _LIST_SECONDS)) for verb in ("tf", "tvf"))
        if len(short) != len(long):
            raise OddError("its list of files is not clear")
        return [_entry(name, line) for name, line in zip(short, long, strict=True)]

    def extract(self, limit: int, tell: Callable[[int], None]) -> None:
        """Unpack all into ``out``; ``tell`` hears how many bytes are there."""
        self._run("xf", limit, _SECONDS, tell)

    @staticmethod
    def _lines(said: str) -> list[str]:
        return [line.removesuffix("\r") for line in said.removesuffix("\n").split("\n")] if said else []

    def _run(self, verb: str, limit: int, seconds: float, tell: Callable[[int], None] = lambda _done: None) -> str:
        said = self._scratch / "said"
        argv = [str(self._cmake), "-E", "tar", verb, str(self._archive)]
        # Without a UTF-8 locale it cannot name every file.
        env = process.overlaid({"LC_ALL": "C.UTF-8"})
        with (
            said.open("wb") as out,
            subprocess.Popen(
                argv, cwd=self.out, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
                creationflags=process.HIDDEN,
            ) as running,
        ):  # fmt: skip
            try:
                words = self._watch(running, limit, seconds, tell).decode("utf-8", "backslashreplace").strip()
            except BaseException:
                process.end(process.descendants(running.pid), grace=0)
                raise
        if running.returncode != 0 or words:  # a wrong checksum is a warning to it
            found = failures.known(words.splitlines(), running.returncode, "cmake")
            if found is not None and found.code == "disk-full":
                raise AppError.of(found)
            raise DamagedError(words or f"cmake -E tar {verb} ended with {running.returncode}")
        return said.read_bytes().decode("utf-8", "surrogateescape")

    def _watch(
        self, running: subprocess.Popen[bytes], limit: int, seconds: float, tell: Callable[[int], None]
    ) -> bytes:
        """What it says on its second output, at its end."""
        end, words = time.monotonic() + seconds, None
        while words is None:
            with suppress(subprocess.TimeoutExpired):
                _, words = running.communicate(timeout=_LOOK_SECONDS)
            done = _weight(self._scratch)
            tell(done)
            if done > limit:
                raise OddError("it holds more than it says")
            if words is None and time.monotonic() > end:
                raise DamagedError(f"cmake did not end in {seconds:.0f} seconds")
        return words


def _entry(name: str, line: str) -> Entry:
    match = _LINE.match(line)
    if match is None or (match[1] in "-d" and not line.endswith(f" {name}")):
        raise OddError(f"the name {name!r} in it is not clear")
    kind, weight = match.groups()
    odd = kind not in "-d"
    return Entry(name=name, size=0 if odd else int(weight), folder=kind == "d", odd=odd)


def _weight(folder: Path) -> int:
    """The bytes of all files below ``folder``, while they come and go."""
    total = 0
    for top, _folders, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(top, name)).st_size  # noqa: PTH118 - thousands of them, ten times a second
            except OSError:
                continue
    return total


def _check_written(folder: Path, expected: set[Parts]) -> None:
    """Nothing but the listed files was written, and no links. Nothing stays that only its maker could change."""
    found = set()
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(top, name)
            about = path.lstat()
            kind = stat.S_IFMT(about.st_mode)
            if getattr(about, "st_file_attributes", 0) & _REPARSE or kind not in {stat.S_IFREG, stat.S_IFDIR}:
                raise OddError(f"{name!r} in it is a link or a device")
            path.chmod(0o755 if kind == stat.S_IFDIR or about.st_mode & stat.S_IXUSR else 0o644)
            if kind == stat.S_IFREG:
                found.add(path.relative_to(folder).parts)
    if found != expected:
        raise OddError("its list of files is not what came out of it")
