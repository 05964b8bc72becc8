"""``resources/parameters.toml``: what each setting means, which values it can take, and whether a value is one.

The ranges there are what can be meant; what the engine itself cannot do is known by its adapter. A value is refused
as soon as it is given, with the allowed range.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from loragui.engine import classic
from loragui.errors import AppError, Problem
from loragui.paths import resource_path
from loragui.project import Hyperparameters
from loragui.settings.resources import load, text

SCHEMA = 1
FIELDS = {field.name: field for field in dataclasses.fields(Hyperparameters)}

Value = int | float | bool | None


class Kind(StrEnum):
    """What a value is, written as the type of its field."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    OPTIONAL_INT = "optional int"
    OPTIONAL_FLOAT = "optional float"

    @property
    def optional(self) -> bool:
        """Whether it can be left alone, which is None."""
        return self.startswith("optional")

    @property
    def whole(self) -> bool:
        """Whether only whole numbers make sense."""
        return self.endswith("int")


class Level(StrEnum):
    """Who should see a setting: everybody, who asks for details, or who knows what it does."""

    SIMPLE = "simple"
    ADVANCED = "advanced"
    EXPERT = "expert"


class Group(StrEnum):
    """The headings of the guide's Appendix C; what it has under “Unknown” is the optimizer's."""

    FILES = "File management"
    DATA = "Data formatting"
    QUALITY = "LoRA quality"
    OPTIMIZER = "Optimizer"
    PERFORMANCE = "Performance"
    MISCELLANEOUS = "Miscellaneous"


_KINDS = {
    "int": Kind.INT,
    "float": Kind.FLOAT,
    "bool": Kind.BOOL,
    "int | None": Kind.OPTIONAL_INT,
    "float | None": Kind.OPTIONAL_FLOAT,
}
_NUMBERS = ("minimum", "maximum", "step")


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One setting. ``id`` is the field of Hyperparameters; the numbers of a BOOL say nothing.

    ``unset`` says what holds when an optional one is left alone (``as the base model says``); others have none.
    """

    id: str
    label: str
    explanation: str
    unit: str
    kind: Kind
    default: Value
    minimum: float
    maximum: float
    step: float
    suggested: tuple[float, ...]
    level: Level
    group: Group
    source: str
    date: str
    unset: str = ""


def parameters() -> tuple[Parameter, ...]:
    """All settings, in the order in which they are shown."""
    return tuple(_by_id().values())


def parameter(name: str) -> Parameter:
    """The setting of that field. AppError when there is none."""
    found = _by_id().get(name)
    if found is None:
        raise AppError(f"There is no setting “{name}”.", f"Possible: {', '.join(FIELDS)}.", code="setting")
    return found


@cache
def _by_id() -> Mapping[str, Parameter]:
    return {found.id: found for found in read(resource_path("parameters.toml"))}


def read(path: Path) -> tuple[Parameter, ...]:
    """Read and check a file of parameters. AppError that names what is wrong in it."""
    return load(path, SCHEMA, _parse)


def _parse(value: Mapping[str, Any]) -> tuple[Parameter, ...]:
    common = {"source": value["source"], "date": value["date"]}
    found = tuple(_parameter({**common, **row}) for row in value["parameter"])
    names = [entry.id for entry in found]
    if sorted(names) != sorted(FIELDS):
        wrong = sorted(set(names) ^ set(FIELDS)) or sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"missing, unknown or twice: {', '.join(wrong)}")
    return found


def _parameter(row: Mapping[str, Any]) -> Parameter:
    kind = Kind(row["kind"])
    texts: dict[str, Any] = {name: text(row, name) for name in ("id", "label", "explanation", "unit", "source", "date")}
    numbers: dict[str, Any] = {name: 0 if kind is Kind.BOOL else _number(row, name, kind) for name in _NUMBERS}
    found = Parameter(
        **texts,
        **numbers,
        kind=kind,
        default=None if kind.optional else row["default"],
        suggested=tuple(row["suggested"]),
        level=Level(row["level"]),
        group=Group(row["group"]),
        unset=text(row, "unset") if kind.optional else "",
    )
    field = FIELDS.get(found.id)
    if field is not None and (_KINDS[str(field.type)], field.default) != (kind, found.default):
        raise ValueError(f"{found.id} is {field.type} = {field.default} in the program")
    for value in (found.default, *found.suggested):
        if check(found, value) is not None:
            raise ValueError(f"{found.id}: {value} is outside of its own range")
    return found


def _number(row: Mapping[str, Any], name: str, kind: Kind) -> float:
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, int if kind.whole else int | float):
        raise TypeError(f"{row['id']}: {name} must be a number, not {value!r}")
    return value


def check(entry: Parameter, value: object) -> Problem | None:
    """Why the setting cannot have this value, with those that it can have; None when it can."""
    if _right(entry, value):
        return None
    usual = ", ".join(written(entry, each) for each in entry.suggested)
    return Problem(
        message=f"{entry.label} is {written(entry, value)}; it can be {allowed(entry)}.",
        hint=f"Usual values: {usual}." if usual else "",
        code="setting-out-of-range",
    )


def _right(entry: Parameter, value: object) -> bool:
    if entry.kind is Kind.BOOL or isinstance(value, bool):
        return entry.kind is Kind.BOOL and isinstance(value, bool)
    if value is None:
        return entry.kind.optional
    numbers = int if entry.kind.whole else int | float
    return isinstance(value, numbers) and entry.minimum <= value <= entry.maximum


def problems(settings: Hyperparameters) -> tuple[Problem, ...]:
    """What is wrong with the settings: values out of range; if there are none, what the engine cannot do."""
    found = (check(entry, getattr(settings, entry.id)) for entry in parameters())
    return tuple(problem for problem in found if problem is not None) or classic.problems(settings)


def allowed(entry: Parameter) -> str:
    """Which values the setting can have, in words."""
    if entry.kind is Kind.BOOL:
        return "on or off"
    unit = f" {entry.unit}" if entry.unit else ""
    choice = f"{_told(entry.minimum)} to {_told(entry.maximum)}{unit}"
    return f"{choice}, or left alone ({entry.unset})" if entry.kind.optional else choice


def written(entry: Parameter, value: object) -> str:
    """A value of the setting as a person reads it: ``2,048``, ``0.000065``, ``on``."""
    if value is None:
        return entry.unset or "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    return _told(value) if isinstance(value, int | float) else f"“{value}”"


def _told(number: float) -> str:
    if isinstance(number, float) and not abs(number) < 1e15:  # also not a number
        return f"{number:g}"
    whole = int(number)
    return f"{whole:,}" if whole == number else format(Decimal(repr(number)), "f")
