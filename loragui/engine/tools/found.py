"""What looking for a tool gave, and whether its version will do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from loragui.engine.tools import facts


@dataclass(frozen=True, kw_only=True)
class Found:
    """A tool on this PC: the program, or the folder of a kit.

    ``version`` is empty when it could not be read. ``why`` says in plain words what is wrong when it is not ``good``.
    ``parts`` are the paths and names that a build needs (``gcc``, ``nvcc``, ``include``, ``library``, ``generator``).
    """

    path: str
    version: str = ""
    good: bool = True
    why: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)


def numbers(version: str) -> tuple[int, ...]:
    """``12.4.1`` as (12, 4, 1), to compare; empty for a text without numbers."""
    return tuple(int(part) for part in re.findall(r"\d{1,9}", version))


def first(pattern: str, text: str) -> str:
    """The first group of the first match in ``text``; empty when there is none."""
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else ""


def judged(name: str, path: str, version: str, parts: Mapping[str, str] | None = None, *, lacks: str = "") -> Found:
    """The tool ``name`` as found, held against its facts; ``lacks`` says what else is wrong with it."""
    why = lacks or wrong_version(facts.tool(name), version)
    return Found(path=path, version=version, good=not why, why=why, parts=dict(parts or {}))


def wrong_version(tool: facts.Tool, version: str) -> str:
    """Why that version will not do; empty when it will, or when it is not known."""
    have = numbers(version)
    if have and tool.minimum and have < numbers(tool.minimum):
        return f"{tool.name} {version} is too old: {tool.minimum} or newer is needed."
    if have and tool.below and have >= numbers(tool.below):
        return f"{tool.name} {version} is too new: {tool.below_why}"
    return ""
