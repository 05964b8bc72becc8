"""``resources/profiles/*.toml``: sets of values for a purpose, and whether settings still are those of a profile.

A profile changes only the settings that it names. It never names ``threads`` and ``seed``, which belong to the PC and
to the person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from loragui.errors import AppError
from loragui.paths import resource_path
from loragui.project import Hyperparameters
from loragui.settings.parameters import FIELDS, check, parameter
from loragui.settings.resources import load, text

SCHEMA = 1
PERSONAL = frozenset({"threads", "seed"})


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Values by field of Hyperparameters. ``about`` says what it is for and how long it takes.

    With ``iterations_per_sample`` the iterations follow the number of samples; those among ``values`` are
    for when that number is not known.
    """

    id: str
    name: str
    about: str
    source: str
    date: str
    order: int
    values: Mapping[str, Any]
    iterations_per_sample: float | None = None


@cache
def profiles() -> tuple[Profile, ...]:
    """The profiles that come with the program, the one for a first try first."""
    found = [read(path) for path in resource_path("profiles").glob("*.toml")]
    return tuple(sorted(found, key=lambda each: (each.order, each.id)))


def profile(name: str) -> Profile:
    """The profile with that id. AppError when there is none."""
    for each in profiles():
        if each.id == name:
            return each
    known = ", ".join(each.id for each in profiles())
    raise AppError(f"There is no profile called {name}.", f"Choose one of: {known}.", code="no-such")


def read(path: Path) -> Profile:
    """Read and check a profile's file. AppError that names what is wrong in it."""
    return load(path, SCHEMA, _parse)


def _parse(value: Mapping[str, Any]) -> Profile:
    values, ratio = dict(value["values"]), value.get("iterations_per_sample")
    wrong = sorted(set(values) - set(FIELDS) | set(values) & PERSONAL)
    if wrong:
        raise ValueError(f"a profile cannot set {', '.join(wrong)}")
    for name, given in values.items():
        problem = check(parameter(name), given)
        if problem is not None:
            raise ValueError(problem.message)
    if ratio is not None and (isinstance(ratio, bool) or not ratio > 0 or "iterations" not in values):
        raise ValueError("iterations_per_sample must be above 0, and iterations must say what it is without samples")
    if isinstance(value["order"], bool) or not isinstance(value["order"], int):
        raise TypeError("order must be a whole number")
    texts = {name: text(value, name) for name in ("id", "name", "about", "source", "date")}
    return Profile(**texts, order=value["order"], values=values, iterations_per_sample=ratio)


def apply(chosen: Profile, settings: Hyperparameters, *, samples: int | None) -> Hyperparameters:
    """The settings with the profile's values. ``samples`` is how many the training text has, if it is known."""
    values = dict(chosen.values)
    if chosen.iterations_per_sample is not None and samples:
        most = int(parameter("iterations").maximum)
        values["iterations"] = min(most, max(1, round(chosen.iterations_per_sample * samples)))
    return replace(settings, **values)


def changed(chosen: Profile, settings: Hyperparameters, samples: int | None) -> tuple[str, ...]:
    """The fields in which the settings differ from the profile."""
    wanted = apply(chosen, settings, samples=samples)
    return tuple(name for name in chosen.values if getattr(settings, name) != getattr(wanted, name))


def matching(settings: Hyperparameters, samples: int | None) -> Profile | None:
    """The profile whose values the settings have, or None."""
    return next((each for each in profiles() if not changed(each, settings, samples)), None)
