"""What a program's last words mean: ``resources/failures.toml`` applied to its output lines and exit code.

What is not in the list is shown with its first real error line, never hidden behind an exit code.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from loragui.errors import Problem
from loragui.paths import resource_path

_WINDOWS = {
    0xC0000005: -11,
    0xC000001D: -4,
    0xC0000094: -8,
    0xC00000FD: -11,
    0xC000013A: -2,
    0xC0000409: -6,
}
"""Windows' exceptions and the signals that mean the same (ntstatus.h)."""
_TAIL = 30
"""Lines of output that a problem's details quote."""
_REAL = re.compile(
    r"(?:^|[\s:>])(?:(?:fatal |internal compiler )?error|schwerer Fehler|Fehler|erreur(?: fatale)?|errore)"
    r"(?: [A-Z]{1,4}\d{3,5})?\s?:"  # gcc, clang, MSVC, nvcc, ld.lld, ninja, pip, our engines
    r"|\b(?:C[123]\d{3}|LNK[12]\d{3})\s?:"  # MSVC in any language
    r"|^CMake Error|\bfatal\s*:|undefined reference to|cannot find -l"
    r"|\*\*\* (?!\[)|: (?:command )?not found$|GGML_ASSERT|terminate called|terminating due to|what\(\):",
    re.IGNORECASE,
)
"""What only an error looks like."""
_ERROR = re.compile(r"\berror\b|\bfatal\b|failed|cannot|can't|could not|unable to|not found", re.IGNORECASE)
"""What may be one."""
_NOISE = re.compile(
    r"unknown command: -"  # llama.cpp's CMakeLists.txt asks zig as if it were gcc
    r"|\b(?:Git (?:index|repository)|ccache)\b.* not found"  # its build goes on without them
    r"|fatal: not a git repository"  # the same, about its own version
    r"|\bwarning\b|\bWarnung\b|\bavertissement\b|\bnote:|\bremark\b|error\(s\)|-Werror"
    r"|^llama_model_loader: |^\s*-|^\s*\d* \|"  # status lines; source lines quoted by gcc and clang
    r"|^\S*(?:cc|\+\+|clang|nvcc|cl\.exe|ar)(?:-\d+)? .* -"  # the command itself
    r"|^\[|^FAILED: |\*\*\* \[|because of errors|build stopped: |ld returned \d|wait4\.c|^ptrace"
)
"""What is none, whatever it looks like; and what merely follows from an error that was told before."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One entry of the list; see the head of the file for the fields."""

    code: str
    message: str
    hint: str
    source: str
    programs: frozenset[str]
    returncodes: frozenset[int]
    pattern: re.Pattern[str] | None
    without: re.Pattern[str] | None

    def fits(self, lines: Sequence[str], returncode: int, program: str) -> re.Match[str] | str | None:
        """The match (or an empty text when no pattern is asked for) if this failure is what happened."""
        if (self.programs and program not in self.programs) or (
            self.returncodes and returncode not in self.returncodes
        ):
            return None
        if self.without is not None and any(self.without.search(line) for line in lines):
            return None
        if self.pattern is None:
            return ""
        return next((match for line in lines if (match := self.pattern.search(line))), None)


@cache
def failures() -> tuple[Failure, ...]:
    """The list, in its order."""
    return parse(resource_path("failures.toml"))


def parse(path: Path) -> tuple[Failure, ...]:
    """Read a list of failures. ValueError or KeyError for a wrong one (a mistake of ours)."""
    with path.open("rb") as source:
        return tuple(_entry(row) for row in tomllib.load(source)["failure"])


def _entry(row: Mapping[str, Any]) -> Failure:
    unknown = set(row) - {
        "code", "message", "hint", "source", "programs", "returncodes", "pattern", "without",
    }  # fmt: skip
    if unknown or not (row.get("pattern") or row.get("returncodes")):
        raise ValueError(f"{row['code']}: {sorted(unknown) or 'a pattern or returncodes is needed'}")
    return Failure(
        code=row["code"],
        message=row["message"],
        hint=row["hint"],
        source=row["source"],
        programs=frozenset(row.get("programs", ())),
        returncodes=frozenset(row.get("returncodes", ())),
        pattern=re.compile(row["pattern"]) if "pattern" in row else None,
        without=re.compile(row["without"]) if "without" in row else None,
    )


def signal_of(returncode: int) -> int:
    """The exit code with every way to say "ended by signal n" written as ``-n``, as Python does on Linux.

    Windows' other codes are written without a sign, as Python does there.
    """
    if 128 < returncode < 160:
        return 128 - returncode
    code = returncode & 0xFFFFFFFF
    return _WINDOWS.get(code, code) if abs(returncode) > 255 else returncode


def known(lines: Sequence[str], returncode: int, program: str) -> Problem | None:
    """The problem from the list that fits, or None."""
    return _first(failures(), lines, signal_of(returncode), program)


def _first(among: Iterable[Failure], lines: Sequence[str], returncode: int, program: str) -> Problem | None:
    for failure in among:
        match = failure.fits(lines, returncode, program)
        if match is None:
            continue
        said = match.string if isinstance(match, re.Match) else ""
        names = match.groupdict("") if isinstance(match, re.Match) else {}
        return Problem(
            message=failure.message.format_map(names),
            hint=failure.hint.format_map(names),
            details=_details(lines, returncode, program, said),
            code=failure.code,
        )
    return None


def explain(lines: Sequence[str], returncode: int, program: str) -> Problem:
    """What happened when ``program`` ended with ``returncode`` (a signal n: -n) after printing ``lines``."""
    problem = known(lines, returncode, program)
    if problem is not None:
        return problem
    returncode = signal_of(returncode)
    said = first_error(lines)
    return Problem(
        message=f"{program} stopped with an error: {said}" if said else f"{program} stopped without saying why.",
        hint="Try again. If it happens again, the details show what the program said last.",
        details=_details(lines, returncode, program, said),
        code="unexplained",
    )


def unsaid(lines: Sequence[str], program: str) -> Problem | None:
    """What went wrong although ``program`` ended with 0: only what the list expects with that exit code."""
    return _first((failure for failure in failures() if 0 in failure.returncodes), lines, 0, program)


def vanished(place: str, details: str) -> Problem:
    """A program of ours that is not there although it was made."""
    return Problem(
        message=f"{place} is missing. Most often an antivirus program removed it.",
        hint="Allow the workspace folder there (Windows Security, “Virus & threat protection”, “Exclusions”), "
        "then start again.",
        details=details,
        code="antivirus",
    )


def first_error(lines: Sequence[str]) -> str:
    """The first line that is an error, else the first that reads like one, else the last that says anything."""
    spoken = [line.strip() for line in lines if line.strip()]
    heard = [line for line in lines if is_error(line)]
    real = next((line.strip() for line in heard if _REAL.search(line)), "")
    said = real or (heard[0].strip() if heard else spoken[-1] if spoken else "")
    if said.startswith("CMake Error") and said.endswith(":"):  # what is wrong stands in the next line
        after = spoken[spoken.index(said) + 1 :]
        said = f"{said} {after[0]}" if after else said
    return said[:300]


def is_error(line: str) -> bool:
    """Whether the line is, or reads like, an error. Those are worth keeping when the others are too many."""
    return bool(_REAL.search(line) or _ERROR.search(line)) and not _NOISE.search(line)


def _details(lines: Sequence[str], returncode: int, program: str, said: str) -> str:
    tail = [line for line in lines if line.strip()][-_TAIL:]
    head = [said] if said and said not in tail else []
    return "\n".join((f"{program} ended with {returncode}", *head, *tail))
