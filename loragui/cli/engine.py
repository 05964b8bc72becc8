"""``engine list|build|remove``."""

from __future__ import annotations

import argparse
from typing import Any

from loragui import acquire, units
from loragui.cli.context import Context
from loragui.engine import catalogue, installed
from loragui.engine.installed import Engine

DEFAULT_RECIPE = "wheels"


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verbs to the parser."""
    verb = verbs.add_parser("engine", parents=[common], help="list, build or remove engines")
    inner = verb.add_subparsers(metavar="ACT", required=True)
    inner.add_parser("list", parents=[common], help="the installed engines").set_defaults(verb=show)
    make = inner.add_parser("build", parents=[common], help="build an engine")
    make.add_argument("--recipe", default=DEFAULT_RECIPE, choices=[recipe.id for recipe in catalogue.recipes()])
    make.set_defaults(verb=build_verb)
    drop = inner.add_parser("remove", parents=[common], help="delete an installed engine")
    drop.add_argument("name")
    drop.set_defaults(verb=remove)


def show(_arguments: argparse.Namespace, context: Context) -> None:
    """Print the installed engines."""
    found = installed.engines(context.workspace)
    for engine in found:
        context.console.say(f"{engine.name}: {engine.pin}, built {engine.built}, {units.size(engine.size)}")
    if not found:
        context.console.say("No engine is installed yet. “loragui engine build” builds one.")
    context.console.result([_row(engine) for engine in found])


def build_verb(arguments: argparse.Namespace, context: Context) -> None:
    """Build an engine, or say that it is there."""
    engine = build(arguments.recipe, context)
    if engine is not None:
        context.console.say(f"The engine {engine.name} is ready in {engine.folder}.")
        context.console.result(_row(engine))


def build(recipe_id: str, context: Context) -> Engine | None:
    """The engine of that recipe and the recommended revision; built when not there. None after a dry run."""
    recipe = catalogue.recipe(recipe_id)
    ready = acquire.built(recipe, context.workspace)
    if ready is not None and not context.dry_run:
        return ready
    work = acquire.engine_work(recipe, context.workspace)
    if context.dry_run:
        context.show_plan(work.plan)
        return None
    context.perform(work.folder, work.plan)
    return installed.load(work.makes)


def remove(arguments: argparse.Namespace, context: Context) -> None:
    """Delete an engine; it can be built again at any time."""
    if context.dry_run:
        context.would(f"delete {context.workspace.engines / arguments.name}")
        return
    installed.remove(context.workspace, arguments.name)
    context.console.say(f"Removed {arguments.name}.")
    context.console.result({"removed": arguments.name})


def _row(engine: Engine) -> dict[str, Any]:
    return {
        "name": engine.name,
        "folder": str(engine.folder),
        "pin": engine.pin,
        "recipe": engine.recipe,
        "built": engine.built,
        "bytes": engine.size,
    }
