"""Getting what belongs to no project but to the workspace: an engine, a base model, a copy that an engine can train.

Each is a run folder, the plan for it and what it makes. Window and command line carry it out; nothing here runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loragui.engine import catalogue, installed, recipes
from loragui.engine.catalogue import Recipe
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Plan
from loragui.model import convert, fetch
from loragui.model.catalogue import Recommended
from loragui.model.judge import Outcome, Verdict
from loragui.paths import Workspace, slug
from loragui.project import FileRef


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is to be done in ``folder``, and the file or folder that is there afterwards."""

    folder: RunFolder
    plan: Plan
    makes: Path


def engine_work(recipe: Recipe, workspace: Workspace) -> Work:
    """Build the recommended revision with ``recipe``. AppError when this computer cannot."""
    pin = catalogue.pins()[0]
    missing = recipes.problems(recipe)
    if missing:
        raise AppError.of(missing[0])
    name = recipes.engine_name(pin, recipe)
    return Work(
        folder=engine_folder(name, workspace),
        plan=recipes.build_plan(recipe, pin, workspace),
        makes=workspace.engines / name,
    )


def engine_folder(name: str, workspace: Workspace) -> RunFolder:
    """The run folder in which the engine ``name`` is built."""
    return RunFolder(workspace.jobs / f"engine-{name}")


def built(recipe: Recipe, workspace: Workspace) -> Engine | None:
    """The engine of ``recipe`` and the recommended revision if it is there and usable."""
    name = recipes.engine_name(catalogue.pins()[0], recipe)
    return next((engine for engine in installed.engines(workspace) if engine.name == name), None)


def pin_of(engine: FileRef | None, folder: Path) -> str:
    """The revision of a project's engine, the recommended one before it has any. AppError when the engine is gone."""
    return installed.load(engine.resolve(folder)).pin if engine is not None else catalogue.pins()[0].id


def recommended_recipe() -> Recipe:
    """The first way to build that this computer can go; the first of all when it can go none."""
    known = catalogue.recipes()
    return next((recipe for recipe in known if not recipes.problems(recipe)), known[0])


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
