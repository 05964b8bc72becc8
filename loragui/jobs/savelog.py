"""The whole log of a run as one file for whoever helps, without what names a person (see ``redact``)."""

from __future__ import annotations

import codecs
import getpass
import os
import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from loragui import __version__, machine
from loragui.errors import AppError
from loragui.jobs.events import RunEnded
from loragui.jobs.folder import RunFolder
from loragui.jobs.redact import Redactor

BLOCK = 1 << 20
"""Bytes read at a time; a line that is four times as long is cut at a blank."""
_LINE_END = re.compile(r".*[\r\n]", re.DOTALL)


def save_log(folder: RunFolder, target: Path, *, overwrite: bool = False) -> None:
    """Write ``target``: what the run was, how it ended, on what PC, then all that its programs printed.

    It appears only when it is whole. AppError when there is no run, or when the file exists and ``overwrite`` is
    not set.
    """
    head = _head(folder)
    if target.exists() and not overwrite:
        raise AppError(f"{target} exists already.", "Choose another name, or delete it first.", code="exists")
    if not target.parent.is_dir():
        raise AppError(f"The folder {target.parent} does not exist.", "Choose another place.", code="folder-missing")
    redactor = redactor_here(folder.path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as out:
            out.write(redactor(head))
            for title, path in (("Output", folder.output_file), ("The runner itself", folder.runner_log)):
                _copy(title, path, out, redactor)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def redactor_here(run: Path) -> Redactor:
    """The redactor for this PC, this person, and the workspace in which the run folder lies."""
    user = ""
    with suppress(OSError, KeyError, ImportError):  # no such user in a container
        user = getpass.getuser()
    return Redactor(
        home=str(Path.home()), user=user, host=platform.node(), folders=(("workspace", str(workspace_of(run))),)
    )


def workspace_of(run: Path) -> Path:
    """The workspace to which a run folder belongs, by the layout of ``paths.Workspace``."""
    above = (parent.parent for parent in run.absolute().parents if parent.name in {"jobs", "projects"})
    return next(above, run.absolute().parent)


def _head(folder: RunFolder) -> str:
    plan = folder.load_plan()
    lines = [f"loragui {__version__}", "", plan.describe(), ""]
    ended = folder.last(RunEnded)
    lines.append(f"State: {ended.state if ended else 'it has not ended'}")
    if ended is not None and ended.problem is not None:
        problem = ended.problem
        lines += [f"Problem: {problem.message}", f"What to do: {problem.hint}", f"Code: {problem.code}"]
        lines += [f"    {line}" for line in problem.details.splitlines()]
    pc = machine.doctor_rows(machine.look(folder.path))
    return "\n".join([*lines, "", *(f"{part}: {text}" for part, text in pc), ""])


def _copy(title: str, path: Path, out: TextIO, redactor: Redactor) -> None:
    if not path.is_file() or not path.stat().st_size:
        return
    out.write(f"\n---- {title} ----\n")
    with path.open("rb") as source:
        out.writelines(redactor(block) for block in whole_lines(source))
    out.write("\n")


def whole_lines(source: BinaryIO) -> Iterator[str]:
    """The text in blocks of whole lines, so that nothing is cut in two. Bytes that are not UTF-8 as ``\\xf6``."""
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    rest = ""
    while data := source.read(BLOCK):
        rest += decoder.decode(data)
        end = _LINE_END.match(rest)
        at = end.end() if end else rest.rfind(" ") + 1 if len(rest) > 4 * BLOCK else 0
        if at:
            yield rest[:at].replace("\r\n", "\n").replace("\r", "\n")
            rest = rest[at:]
    rest += decoder.decode(b"", final=True)
    yield rest.replace("\r\n", "\n").replace("\r", "\n")
