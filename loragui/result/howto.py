"""How to use a merged model in other programs: the facts of ``resources/howto.toml`` with the names filled in."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from loragui.errors import AppError
from loragui.gguf.read import read
from loragui.model import truename
from loragui.paths import resource_path

SCHEMA = 1
OTHER = "other"
_SLOT = re.compile(r"(?<!\{)\{([a-z_]+)\}(?!\})")
_SLOTS = frozenset({"model", "model_name", "folder", "context", "template"})
_RENAMED_SLOTS = _SLOTS | {"engine_pre"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_KEYS = {"id", "title", "source", "date", "steps", "by_template", "renamed"}


@dataclass(frozen=True, kw_only=True)
class HowTo:
    """What to do in one program, step by step."""

    id: str
    title: str
    steps: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the file, its steps with placeholders. ``by_template`` maps a template's name to more steps."""

    id: str
    title: str
    source: str
    date: str
    steps: tuple[str, ...]
    by_template: Mapping[str, tuple[str, ...]]
    renamed: tuple[str, ...]

    def steps_for(self, template: str, *, renamed: bool) -> Iterator[str]:
        """The steps for a model that was trained with that template."""
        yield from self.steps
        yield from self.by_template.get(template, self.by_template.get(OTHER, ()))
        if renamed:
            yield from self.renamed


def howtos(merged: Path, context_size: int, template: str) -> tuple[HowTo, ...]:
    """How to use the file ``merged`` with so many tokens of context. AppError when it is not there."""
    engine_pre = truename.engine_name(read(merged))
    slots = {
        "model": str(merged),
        "model_name": merged.name,
        "folder": str(merged.parent),
        "context": str(context_size),
        "template": template,
        "engine_pre": engine_pre,
    }
    return tuple(
        HowTo(
            id=entry.id,
            title=entry.title,
            steps=tuple(_fill(step, slots) for step in entry.steps_for(template, renamed=bool(engine_pre))),
        )
        for entry in entries()
    )


def _fill(step: str, slots: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda match: slots[match[1]], step)


@cache
def entries() -> tuple[Entry, ...]:
    """What ``resources/howto.toml`` holds."""
    return parse(resource_path("howto.toml"))


def parse(path: Path) -> tuple[Entry, ...]:
    """Read and check the file. AppError that names what is wrong in it."""
    try:
        with path.open("rb") as source:
            facts = tomllib.load(source)
        return _entries(facts)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise AppError(
            f"The list of instructions ({path.name}) is damaged.",
            "Install loragui again.",
            details=repr(error),
            code="howto-damaged",
        ) from error


def _entries(facts: Mapping[str, Any]) -> tuple[Entry, ...]:
    found = tuple(_entry(row) for row in facts["howto"])
    if facts["schema"] != SCHEMA or not found or len({entry.id for entry in found}) != len(found):
        raise ValueError("another schema, no entries, or two with one id")
    return found


def _entry(row: Mapping[str, Any]) -> Entry:
    unknown = set(row) - _KEYS
    if unknown or not _DATE.fullmatch(row["date"]):
        raise ValueError(f"{row['id']}: unknown {sorted(unknown)}, or no date")
    by_template = row.get("by_template", {})
    return Entry(
        id=_text(row["id"]),
        title=_text(row["title"]),
        source=_text(row["source"]),
        date=row["date"],
        steps=_steps(row["steps"], _SLOTS),
        by_template={name: _steps(steps, _SLOTS) for name, steps in by_template.items()},
        renamed=_steps(row["renamed"], _RENAMED_SLOTS) if "renamed" in row else (),
    )


def _steps(rows: Any, slots: frozenset[str]) -> tuple[str, ...]:
    if not isinstance(rows, list) or not rows:
        raise TypeError(f"steps expected: {rows!r}")
    for step in map(_text, rows):
        unknown = set(_SLOT.findall(step)) - slots
        if unknown:
            raise ValueError(f"{{{min(unknown)}}} is not known in {step!r}")
    return tuple(rows)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"text expected: {value!r}")
    return value
