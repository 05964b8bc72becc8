"""Getting what belongs to no project but to the workspace: an engine, a base model, a copy that an engine can train.

Each is a run folder, the plan for it and what it makes. Window and command line carry it out; nothing here runs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loragui import machine
from loragui.engine import catalogue, installed, ready, recipes, timing, tools, tuning
from loragui.engine.catalogue import Pin, Recipe
from loragui.engine.installed import Engine
from loragui.engine.sources import Source
from loragui.engine.tools import Found, get
from loragui.engine.tools.facts import Tool
from loragui.engine.tuning import FILE
from loragui.errors import AppError
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Plan
from loragui.machine import Machine
from loragui.model import convert, fetch
from loragui.model.catalogue import Recommended
from loragui.model.judge import Outcome, Verdict
from loragui.paths import Workspace, require_space, slug
from loragui.project import FileRef, Hyperparameters

COMPILER_MEMORY = "compiler-memory"
"""The code of the failure that a build with fewer compilers at once avoids (``resources/failures.toml``)."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is to be done in ``folder``, and the file or folder that is there afterwards."""

    folder: RunFolder
    plan: Plan
    makes: Path


def engine_work(
    recipe: Recipe,
    workspace: Workspace,
    *,
    found: Mapping[str, Found | None] | None = None,
    pin: Pin | None = None,
    source: Source | None = None,
    name: str = "",
    anew: bool = False,
) -> Work:
    """Build ``pin`` (the recipe's first) with ``recipe``. AppError when this computer cannot, or its disk has no room.

    ``found`` are the tools of this PC, which are looked for when left out (up to 2 s). ``anew`` replaces the engine,
    also one that has a ``name`` of its own.
    One compiler at a time when the last try ran out of memory.
    """
    pin = pin or catalogue.pin(recipe.pins[0])
    found = tools.survey(workspace) if found is None else found
    name = name or recipes.engine_name(pin, recipe)
    folder = engine_folder(name, workspace)
    last = folder.look().problem
    tight = last is not None and last.code == COMPILER_MEMORY
    jobs = recipes.jobs_for(recipe, os.cpu_count() or 1, machine.ram()[1], tight=tight)
    plan = recipes.build_plan(recipe, pin, workspace, found=found, name=name, jobs=jobs, source=source, anew=anew)
    needed = recipes.disk_missing(recipe, pin, plan)
    require_space(machine.existing_parent(workspace.cache), needed, "Building the engine")
    return Work(folder=folder, plan=plan, makes=workspace.engines / name)


def engine_folder(name: str, workspace: Workspace) -> RunFolder:
    """The run folder in which the engine ``name`` is built."""
    return RunFolder(workspace.jobs / f"engine-{name}")


def built(recipe: Recipe, workspace: Workspace, pin: Pin | None = None) -> Engine | None:
    """The engine of ``recipe`` and ``pin`` (its recommended revision) if it is there and usable."""
    name = recipes.engine_name(pin or catalogue.pin(recipe.pins[0]), recipe)
    return next((engine for engine in installed.engines(workspace) if engine.name == name), None)


def ready_work(place: Path, workspace: Workspace) -> Work:
    """Take the finished programs in an archive or a folder as an engine. AppError when nothing is there."""
    plan = ready.ready_plan(place, workspace)
    name = str(plan.facts["name"])
    return Work(folder=engine_folder(name, workspace), plan=plan, makes=workspace.engines / name)


def tune_work(engine: Engine, workspace: Workspace) -> Work:
    """Find the fastest settings for this PC."""
    folder = RunFolder(workspace.jobs / f"tune-{engine.name}")
    return Work(folder=folder, plan=timing.tune_plan(engine, workspace), makes=engine.folder / FILE)


def tool_work(tool: Tool, kind: str, workspace: Workspace, *, archive: Path | None = None) -> Work:
    """Get a tool: downloaded, by winget (only after the person agreed), or out of an ``archive`` of the person's."""
    if archive is not None:
        plan = get.bring_plan(tool, archive, workspace)
    else:
        plan = get.winget_plan(tool) if kind == get.WINGET else get.fetch_plan(tool, workspace)
    return Work(folder=get.run_folder(tool, workspace), plan=plan, makes=workspace.tools)


def engine_choice(engine: Path, project: Path, settings: Hyperparameters, pc: Machine | None) -> dict[str, Any]:
    """What using the engine in that folder changes in the project: the engine, and threads nobody chose by hand."""
    chosen = settings if pc is None else tuning.adopted(settings, engine, pc)
    return {"engine": FileRef.of(engine, project), "hyperparameters": chosen}


def newer(engine: Engine) -> tuple[Recipe, Pin] | None:
    """The way and the revision that replace the engine's in today's list, or None when there is nothing newer.

    The new engine stands beside the old one, which projects go on using until they are told otherwise.
    """
    recipe = catalogue.known_recipe(engine.recipe)
    if recipe is None or engine.pin == recipe.pins[0]:
        return None
    return recipe, catalogue.pin(recipe.pins[0])


def accepts_of(engine: FileRef | None, folder: Path) -> Mapping[str, Any]:
    """What a project's engine can train, the recommended one before it has any. AppError when the engine is gone."""
    return installed.load(engine.resolve(folder)).accepts if engine is not None else catalogue.pins()[0].accepts


def model_work(entry: Recommended, workspace: Workspace) -> Work:
    """Download a recommended base model."""
    return Work(
        folder=RunFolder(workspace.jobs / f"fetch-{entry.id}"),
        plan=fetch.fetch_plan(entry, workspace),
        makes=fetch.model_path(entry, workspace),
    )


def copy_work(source: Path, verdict: Verdict, workspace: Workspace) -> Work:
    """Make the copy of ``source`` that the engine can train. AppError when none is needed or there is no way."""
    if verdict.recipe is None:
        for reason, problem in zip(verdict.reasons, verdict.problems(), strict=True):
            if reason.outcome is Outcome.NO:  # not one that a copy alone would have mended
                raise AppError.of(problem)
        raise AppError(f"{source.name} can be trained as it is.", "No copy is needed.", code="no-copy-needed")
    target = workspace.models / convert.target_name(source, verdict.recipe)
    return Work(
        folder=RunFolder(workspace.jobs / f"convert-{slug(target.stem)}"),
        plan=convert.convert_plan(source, target, verdict.recipe),
        makes=target,
    )
