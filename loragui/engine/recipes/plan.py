"""Whether this PC can build in a certain way, what it costs, and the plan."""

from __future__ import annotations

import os
from collections.abc import Mapping

from loragui.engine.catalogue import Pin, Recipe, this_system
from loragui.engine.recipes.base import Build, engine_name
from loragui.engine.recipes.builders import compiling
from loragui.engine.sources import GIT, Source
from loragui.engine.tools import Found, facts
from loragui.errors import AppError, Problem
from loragui.jobs.plan import Plan
from loragui.paths import Workspace

KIND = "engine-build"


def problems(
    recipe: Recipe, found: Mapping[str, Found | None], *, system: str = "", source: Source | None = None
) -> tuple[Problem, ...]:
    """Why this computer cannot build with ``recipe``: another system, or tools that are missing or do not fit."""
    system = system or this_system()
    if system not in recipe.on:
        message = f"“{recipe.name}” is not available for this kind of computer ({system})."
        return (Problem(message=message, hint="Choose another way to build.", code="other-system"),)
    needs = (*recipe.on[system].needs, *(("git",) if source is not None and source.kind == GIT else ()))
    return tuple(problem for tool in needs if (problem := _missing(recipe, tool, found.get(tool), system)))


def _missing(recipe: Recipe, tool: str, found: Found | None, system: str) -> Problem | None:
    known = facts.tool(tool)
    if found is not None and found.good:
        return None
    if found is not None:
        return Problem(
            message=f"“{recipe.name}” needs another {known.name}: {found.why}",
            hint=f"Get it from the list of tools, or from {known.page}.",
            code="tool-unfit",
        )
    debian = ", ".join(known.debian) if system.startswith("linux") else ""
    return Problem(
        message=f"“{recipe.name}” needs {known.name}, which is not on this PC.",
        hint=f"Install it (on Debian or Ubuntu: {debian})." if debian else "Get it from the list of tools.",
        code="tool-missing",
    )


def disk_needed(recipe: Recipe, pin: Pin) -> int:
    """Bytes of disk that a fresh build takes at most: downloads, tools, sources, compiled files."""
    downloads = pin.download_bytes + recipe.download_bytes
    return downloads + pin.unpacked_bytes + recipe.unpacked_bytes + recipe.work_bytes


def disk_missing(recipe: Recipe, pin: Pin, plan: Plan) -> int:
    """Bytes of disk that the rest of this build takes: what the cache holds already is there."""
    steps = {step.id for step in plan.steps}
    fetched = pin.download_bytes if steps & {"download", "git-fetch"} else 0
    tools = recipe.download_bytes + recipe.unpacked_bytes if "tools" in steps else 0
    return fetched + tools + pin.unpacked_bytes + recipe.work_bytes


def jobs_for(recipe: Recipe, cores: int, ram_bytes: int, *, tight: bool = False) -> int:
    """How many compilers may run at once: one for each core, as far as the free RAM goes; one when it was ``tight``."""
    return 1 if tight else max(1, min(cores, ram_bytes // recipe.job_bytes))


def _check(recipe: Recipe, pin: Pin, missing: tuple[Problem, ...]) -> None:
    if missing:
        raise AppError.of(missing[0])
    if pin.id not in recipe.pins:
        hint = f"Choose one of: {', '.join(recipe.pins)}."
        raise AppError(f"“{recipe.name}” does not build {pin.name}.", hint, code="other-pin")


def build_plan(
    recipe: Recipe,
    pin: Pin,
    workspace: Workspace,
    *,
    found: Mapping[str, Found | None] | None = None,
    name: str = "",
    system: str = "",
    host: str = "",
    jobs: int = 0,
    source: Source | None = None,
    anew: bool = False,
) -> Plan:
    """Everything from the download to the installed engine ``workspace.engines/name``.

    ``jobs`` compilers run at once (all CPU threads when 0). What the cache holds already is not fetched
    again. AppError when the recipe cannot build the ``pin``, or not on the ``system`` (this computer's when empty),
    or lacks a tool in ``found``. ``host`` is the system on which it is built, when that is another one.
    """
    system = system or this_system()
    source = source or Source()
    _check(recipe, pin, problems(recipe, found or {}, system=system, source=source))
    build = Build(
        recipe=recipe,
        pin=pin,
        workspace=workspace,
        name=name or engine_name(pin, recipe),
        system=system,
        host=host or system,
        jobs=jobs or os.cpu_count() or 1,
        source=source,
        found=found or {},
        anew=anew,
    )
    return _plan(build)


def _plan(build: Build) -> Plan:
    recipe, pin = build.recipe, build.pin
    return Plan(
        kind=KIND,
        title=f"Building the engine {build.name}",
        steps=(*build.fetching(), *compiling(build), build.install()),
        facts={
            "engine": str(build.workspace.engines / build.name),
            "name": build.name,
            "recipe": recipe.id,
            "pin": pin.id,
            "download": pin.download_bytes + recipe.download_bytes,
            "disk": disk_needed(recipe, pin),
            "seconds": recipe.seconds,
        },
    )
