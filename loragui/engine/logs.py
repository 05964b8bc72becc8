"""Readers of every program that an engine consists of or is built with: output lines become events."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

from loragui.engine.finetune import KEPT, FinetuneReader
from loragui.jobs.events import Event, Log, Progress, Result, Trouble
from loragui.jobs.failures import explain, is_error, known, unsaid

__all__ = [
    "ExportLoraReader",
    "FinetuneReader",
    "GenerateReader",
    "MakeReader",
    "MsbuildReader",
    "NinjaReader",
    "QuantizeReader",
]


class Kept:
    """The last lines of a program, and before them its first errors, which hundreds of lines may follow."""

    def __init__(self) -> None:
        self._errors: list[str] = []
        self._last: deque[str] = deque()

    def add(self, line: str) -> None:
        """Keep a line for now."""
        self._last.append(line)
        if len(self._last) > KEPT:
            old = self._last.popleft()
            if len(self._errors) < KEPT and is_error(old):
                self._errors.append(old)

    def all(self) -> tuple[str, ...]:
        """What was kept, in its order."""
        return (*self._errors, *self._last)


class ProgramReader:
    """Keeps every line as log and explains a bad end. The readers below add what is special.

    ``args``: ``program`` is its name in the list of failures, where one reader serves several.
    """

    program = ""

    def __init__(self, folder: Path, args: Mapping[str, object]) -> None:
        del folder
        self.program = str(args.get("program", self.program))
        self._lines = Kept()

    def line(self, text: str, stream: str) -> Iterable[Event]:
        """Events of one output line."""
        del stream
        self._lines.add(text)
        return (Log(text=text),) if text.strip() else ()

    def end(self, returncode: int) -> Iterable[Event]:
        """The explanation of a bad exit code, or of a failure that the exit code does not tell."""
        lines = self._lines.all()
        problem = explain(lines, returncode, self.program) if returncode else unsaid(lines, self.program)
        return (Trouble(problem=problem),) if problem else ()


class NinjaReader(ProgramReader):
    """Reader of ``ninja`` and ``cmake``: ``[12/27] Building …`` is progress."""

    program = "ninja"
    _DONE = re.compile(r"\[(\d+)/(\d+)\] (.*)")

    def line(self, text: str, stream: str) -> Iterable[Event]:
        """Progress in files, or the line itself."""
        match = self._DONE.match(text)
        found = super().line(text, stream)
        if match is None:
            return found
        done, total = int(match[1]), int(match[2])
        return (*found, Progress(done=done, total=total, unit="files", text=_plain_target(match[3])))


class MakeReader(ProgramReader):
    """Reader of ``make``: counts compiler commands. ``args``: ``total`` commands of the whole build."""

    program = "make"
    _COMMAND = re.compile(r"\S*(?:cc|c\+\+|gcc|g\+\+|clang|clang\+\+)(?:-\d+)? .* -o (\S+)")

    def __init__(self, folder: Path, args: Mapping[str, object]) -> None:
        super().__init__(folder, args)
        self._total = int(str(args.get("total", 0)))
        self._done = 0

    def line(self, text: str, stream: str) -> Iterable[Event]:
        """Progress in files at each compiler command (it is printed when it starts), or the line itself."""
        found = super().line(text, stream)
        match = self._COMMAND.match(text)
        if match is None:
            return found
        done, self._done = self._done, self._done + 1
        total = max(self._total, self._done)
        return (*found, Progress(done=done, total=total, unit="files", text=f"Building {match[1]}"))


class MsbuildReader(MakeReader):
    """Reader of ``cmake --build`` with Visual Studio: a line for each file, when it is compiled or linked."""

    program = "msbuild"
    _COMMAND = re.compile(r"\s*(?:[\w.-]+\.vcxproj -> .*\\)?([\w.-]+\.(?:c|cc|cpp|cu|exe))$")


def _plain_target(action: str) -> str:
    """``Building CXX object common/x.dir/train.cpp.o`` as ``Building train.cpp``."""
    verb, *_, target = action.split() or [""]
    name = target.rpartition("/")[2].removesuffix(".o").removesuffix(".obj")
    return f"{verb} {name}" if verb in {"Building", "Linking"} else action


class ExportLoraReader(ProgramReader):
    """Reader of ``export-lora``, which ends with 0 although it ignored the LoRA."""

    program = "export-lora"

    def end(self, returncode: int) -> Iterable[Event]:
        """The explanation of a bad exit code, or of a merge without a LoRA."""
        problem = known(self._lines.all(), returncode, self.program) if returncode == 0 else None
        return (Trouble(problem=problem),) if problem else super().end(returncode)


class QuantizeReader(ProgramReader):
    """Reader of ``quantize``: ``[  12/ 291] …`` is progress."""

    program = "quantize"
    _TENSOR = re.compile(r"\[ *(\d+)/ *(\d+)\] ")

    def line(self, text: str, stream: str) -> Iterable[Event]:
        """Progress in tensors, or the line itself."""
        match = self._TENSOR.match(text)
        if match is None:
            return super().line(text, stream)
        return (Progress(done=int(match[1]), total=int(match[2]), unit="tensors"),)


class GenerateReader(ProgramReader):
    """Reader of ``main``: what it writes to stdout is the new text, a ``Result`` with ``text`` at the end.

    ``args``: ``end`` is how the model's end-of-text token is written, which is no part of the reply; ``echo`` the
    prompt's file in the run's folder, if the engine writes the prompt first (``classic.echoes``).
    """

    program = "main"
    _END = " [end of text]"

    def __init__(self, folder: Path, args: Mapping[str, object]) -> None:
        super().__init__(folder, args)
        self._end = str(args.get("end", ""))
        self._echo = folder / str(args["echo"]) if "echo" in args else None
        self._said: list[str] = []

    def line(self, text: str, stream: str) -> Iterable[Event]:
        """The line, kept as part of the reply when it came on stdout."""
        if stream == "stdout":
            self._said.append(text)
            return ()
        return super().line(text, stream)

    def end(self, returncode: int) -> Iterable[Event]:
        """The reply, or why there is none."""
        if returncode == 0:
            text = "\n".join(self._said).removesuffix(self._END).removesuffix(self._end)
            return (Result(values={"text": self._reply(text)}),)
        return super().end(returncode)

    def _reply(self, text: str) -> str:
        """The text after the prompt, before which the engine writes a space."""
        if self._echo is None:
            return text
        prompt = self._echo.read_text(encoding="utf-8").removesuffix("\n")
        return text.removeprefix(" ").removeprefix(prompt)
