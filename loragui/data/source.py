"""The files that a person chose, opened for reading only.

A folder stands for the regular files in it, in the order of their names. Links are not followed: what was not
chosen is not read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from loragui.data.conversation import Place
from loragui.data.text import Decoded, decode
from loragui.errors import AppError

LARGEST = 1 << 30  # bytes; a file is held in memory while it is read
_STEP = 1 << 18  # characters between two reports of progress

Reached = Callable[[float], None]
"""Is told which share of a file, from 0 to 1, has been read."""


def _nobody(_: float) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file's bytes and its name as the person chose it. ``reached`` hears how far its reader is."""

    file: str
    data: bytes
    reached: Reached = field(default=_nobody, compare=False, repr=False)

    @cached_property
    def decoded(self) -> Decoded:
        """The bytes as text, decoded once."""
        return decode(self.data)

    @property
    def text(self) -> str:
        """The text of the file, not yet cleaned (JSON has its own escapes)."""
        return self.decoded.text

    @property
    def place(self) -> Place:
        """The file as a whole."""
        return Place(file=self.file)

    @property
    def stem(self) -> str:
        """The file's name without folder and ending."""
        return Path(self.file).stem

    def lines(self, *, first: float = 0.0, last: float = 0.0) -> Iterator[tuple[int, str]]:
        """Line numbers from 1 and the lines that are not blank. Only ``\\n`` ends a line.

        ``first`` and ``last`` are the shares of the reading that are done before and after this pass.
        """
        start, number, text, told = 0, 1, self.text, 0
        while start <= len(text):
            if start - told > _STEP:
                told = start
                self.reached(first + (last - first) * start / len(text))
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
            line = text[start:end].strip().strip("\ufeff\x00")
            if line:
                yield number, line
            start, number = end + 1, number + 1


def chosen_files(paths: Sequence[str | os.PathLike[str]]) -> tuple[Path, ...]:
    """The files that ``paths`` (files and folders) stand for, each once. AppError if one is missing."""
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            found.update(dict.fromkeys(_files_of(path)))
        elif path.is_file():
            found[path] = None
        else:
            raise AppError(
                f"{path} does not exist or is not a file or folder.",
                "If it was moved or renamed, choose it again.",
                code="data-missing",
            )
    return tuple(found)


def _files_of(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def open_source(path: Path, reached: Reached = _nobody) -> Source:
    """The content of ``path``. AppError if it cannot be read or is too large."""
    try:
        if path.stat().st_size > LARGEST:
            raise AppError(
                f"{path} is larger than 1 GB.",
                "Split it into smaller files, or choose a part of it: training reads only a few MB anyway.",
                code="file-too-large",
            )
        return Source(file=str(path), data=path.read_bytes(), reached=reached)
    except OSError as error:
        raise AppError(
            f"{path} could not be read: {error.strerror or error}.",
            "Check that the file is there and that you may open it, then try again.",
            details=repr(error),
            code="file-unreadable",
        ) from error
