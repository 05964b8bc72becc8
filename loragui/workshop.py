"""What there is to build engines with on this PC, which ways it can go, and the engines that are there.

Read in the background and shown by the page “Engine” and by ``loragui engine``; nothing here builds.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loragui import acquire
from loragui import project as projects
from loragui.engine import catalogue, installed, recipes, tools
from loragui.engine.catalogue import Pin, Recipe
from loragui.engine.ready import READY
from loragui.engine.recommend import Recommendation, recommend
from loragui.engine.tools import Found, facts, get
from loragui.engine.tools.facts import Tool
from loragui.engine.tuning import Tuning, tuned
from loragui.errors import AppError, Problem
from loragui.jobs.folder import UNFINISHED, RunFolder
from loragui.machine import Machine
from loragui.overview import project_folders
from loragui.paths import Workspace
from loragui.project import FileRef


@dataclass(frozen=True, kw_only=True)
class EngineRow:
    """An engine folder. ``users`` are the names of projects that use it, ``newer`` what could replace it.

    ``again`` is how the very same is built once more: None for what was not built here, or is not in the list any more.
    """

    found: installed.Found
    users: tuple[str, ...] = ()
    newer: tuple[Recipe, Pin] | None = None
    recipe: Recipe | None = None
    again: tuple[Recipe, Pin] | None = None
    tuning: Tuning | None = None

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.found.folder.name


@dataclass(frozen=True, kw_only=True)
class BuildWay:
    """A recipe of this system, and why this PC cannot go that way yet."""

    recipe: Recipe
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class ToolRow:
    """A tool of this system as it was found, how to get it, and the names of the recipes that need it."""

    tool: Tool
    found: Found | None
    ways: tuple[get.Way, ...]
    needed_by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """All of it. ``unfinished`` is the last build that did not come to its end."""

    engines: tuple[EngineRow, ...]
    ways: tuple[BuildWay, ...]
    tools: tuple[ToolRow, ...]
    found: Mapping[str, Found | None]
    recommendation: Recommendation
    unfinished: RunFolder | None = None

    @property
    def usable(self) -> tuple[installed.Engine, ...]:
        """The engines that work."""
        return tuple(row.found.engine for row in self.engines if row.found.engine is not None)

    def used(self, chosen: FileRef | None, project: Path) -> EngineRow | None:
        """The engine that a project in the folder ``project`` has ``chosen``, also a damaged one; None for others."""
        if chosen is None:
            return None
        for row in self.engines:
            here = FileRef.of(row.found.folder, project)
            if (chosen.relative == here.relative) if here.relative else chosen == here:
                return row
        return None

    def way(self, recipe: Recipe) -> BuildWay | None:
        """That recipe on this PC."""
        return next((way for way in self.ways if way.recipe.id == recipe.id), None)


def look(workspace: Workspace, machine: Machine, *, found: Mapping[str, Found | None] | None = None) -> Workshop:
    """Everything, now. Looking for tools takes up to 2 s and is left out when ``found`` is given."""
    found = tools.survey(workspace) if found is None else found
    system = catalogue.this_system()
    here = [recipe for recipe in catalogue.recipes() if system in recipe.on]
    recommendation = recommend(machine, found)
    return Workshop(
        engines=_engines(workspace, machine),
        ways=tuple(BuildWay(recipe=recipe, problems=recipes.problems(recipe, found)) for recipe in here),
        tools=tuple(_tool(tool, found, here, system) for tool in facts.tools() if sys.platform in tool.systems),
        found=found,
        recommendation=recommendation,
        unfinished=_unfinished(workspace),
    )


def _unfinished(workspace: Workspace) -> RunFolder | None:
    runs = map(RunFolder, workspace.jobs.glob("engine-*"))
    unfinished = [run for run in runs if run.look().state in UNFINISHED]
    return max(unfinished, key=lambda run: run.events_file.stat().st_mtime, default=None)


def _tool(tool: Tool, found: Mapping[str, Found | None], here: list[Recipe], system: str) -> ToolRow:
    return ToolRow(
        tool=tool,
        found=found.get(tool.id),
        ways=get.ways(tool, sys.platform),
        needed_by=tuple(recipe.name for recipe in here if tool.id in recipe.on[system].needs),
    )


def _engines(workspace: Workspace, machine: Machine) -> tuple[EngineRow, ...]:
    users = _users(workspace)
    rows = []
    for found in installed.survey(workspace):
        names = users.get(found.folder.resolve(), ())
        engine = found.engine
        if engine is None:
            rows.append(EngineRow(found=found, users=names, again=_named(found.folder.name)))
            continue
        known = catalogue.known_recipe(engine.recipe)
        newer = acquire.newer(engine) if engine.recipe != READY else None
        measured = tuned(engine.folder, machine)
        again = None if known is None or engine.pin not in known.pins else (known, catalogue.pin(engine.pin))
        rows.append(EngineRow(found=found, users=names, newer=newer, recipe=known, again=again, tuning=measured))
    return tuple(rows)


def _named(name: str) -> tuple[Recipe, Pin] | None:
    """What builds an engine of that name, which is all that a damaged one still tells."""
    for recipe in catalogue.recipes():
        for pin in map(catalogue.pin, recipe.pins):
            if recipes.engine_name(pin, recipe) == name:
                return recipe, pin
    return None


def _users(workspace: Workspace) -> Mapping[Path, tuple[str, ...]]:
    """Engine folders to the names of the projects of this workspace that use them."""
    users: dict[Path, tuple[str, ...]] = {}
    for folder in project_folders(workspace):
        try:
            project = projects.load(folder)
            if project.engine is not None:
                engine = project.engine.resolve(folder).resolve()
                users[engine] = (*users.get(engine, ()), project.name)
        except (AppError, OSError):
            continue  # its own page says what is wrong with it
    return users
