"""Which way to build suits a PC, and why, in plain words. Pure: decided from what is known of the PC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loragui.engine import catalogue
from loragui.engine.catalogue import Recipe
from loragui.engine.recipes import disk_needed, problems
from loragui.engine.tools import Found
from loragui.errors import Problem
from loragui.machine import Machine
from loragui.units import size

_MAKERS = ("NVIDIA", "AMD")
"""Makers whose cards have a way of their own, the best first; every other card goes the way of "any"."""


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The way to build for a PC. ``recipe`` is None when there is none; ``problems`` say what it still lacks then."""

    recipe: Recipe | None
    reason: str
    problems: tuple[Problem, ...] = ()


def recommend(
    machine: Machine,
    found: Mapping[str, Found | None],
    *,
    system: str = "",
    recipes: Sequence[Recipe] | None = None,
) -> Recommendation:
    """The first way in the list that we have built ourselves, that this PC can go, and that its disk has room for.

    One with OpenBLAS goes before one without. When this PC can go none, it is the one that lacks least.

    A way with a graphics card is never the first choice: none of them has been measured beside the way of packages,
    and each needs gigabytes of other programs.
    """
    system = system or catalogue.this_system()
    here = [recipe for recipe in recipes or catalogue.recipes() if system in recipe.on]
    if not here:
        return Recommendation(recipe=None, reason=f"No engine can be built on this kind of computer ({system}) yet.")
    plain = sorted(
        (recipe for recipe in here if recipe.tried and not recipe.gpu), key=lambda way: way.library == "none"
    )
    ready = [recipe for recipe in plain if not problems(recipe, found, system=system)]
    roomy = [recipe for recipe in ready if _fits(recipe, machine)]
    if roomy:
        return Recommendation(recipe=roomy[0], reason=_reason(roomy[0], ready[0], machine, here))
    if ready:
        return Recommendation(recipe=ready[0], reason=_too_small(ready[0], machine))
    first = min(plain or here, key=lambda recipe: len(problems(recipe, found, system=system)))
    lacking = problems(first, found, system=system)
    reason = " ".join(str(problem) for problem in lacking) or first.why
    return Recommendation(recipe=first, reason=reason, problems=lacking)


def _fits(recipe: Recipe, machine: Machine) -> bool:
    return not machine.disks or machine.disks[0].free_bytes >= _needed(recipe)


def _needed(recipe: Recipe) -> int:
    return disk_needed(recipe, catalogue.pin(recipe.pins[0]))


def _too_small(recipe: Recipe, machine: Machine) -> str:
    free = size(machine.disks[0].free_bytes)
    return f"{recipe.why} It takes {size(_needed(recipe))} of disk while it is built, but only {free} are free."


def _reason(recipe: Recipe, best: Recipe, machine: Machine, here: Sequence[Recipe]) -> str:
    parts = [recipe.why]
    if recipe != best:
        parts.append(f"“{best.name}” would take more disk than is free ({size(_needed(best))}).")
    makers = {gpu.vendor for gpu in machine.gpus}
    maker = next((name for name in _MAKERS if name in makers), "any" if makers else "")
    own = [other for gpu in (maker, "any") if maker for other in here if other.gpu == gpu]
    if own:
        name = next(gpu.name for gpu in machine.gpus if maker in {gpu.vendor, "any"})
        parts.append(f"Your graphics card ({name}) is not needed. {_about(own[0])}")
    return " ".join(parts)


def _about(card: Recipe) -> str:
    measured = {
        "cublas": (
            "The guide measured that a card like it saves 17 to 24 % of the time of a plain build and doubles the RAM"
        ),
        "clblast": "The guide measured that it saves next to nothing",
        "hipblas": "Nobody has measured what it saves",
    }
    return f"{measured[card.library]}: “{card.name}” stands below."
