"""``engine list|ways|build|add|rebuild|update|tune|remove``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from loragui import acquire, machine, units, workshop
from loragui.acquire import Work
from loragui.cli.context import Context
from loragui.engine import catalogue, installed
from loragui.engine.catalogue import Recipe
from loragui.engine.installed import Engine
from loragui.engine.sources import GIT, Source
from loragui.errors import AppError
from loragui.workshop import EngineRow

RECOMMENDED = ""
"""As a recipe: the one that suits this PC."""


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verbs to the parser."""
    verb = verbs.add_parser("engine", parents=[common], help="list, build, measure or remove engines")
    inner = verb.add_subparsers(metavar="ACT", required=True)
    inner.add_parser("list", parents=[common], help="the installed engines").set_defaults(verb=show)
    inner.add_parser("ways", parents=[common], help="every way to build, and what it lacks here").set_defaults(
        verb=ways
    )
    make = inner.add_parser("build", parents=[common], help="build an engine")
    known = [recipe.id for recipe in catalogue.recipes()]
    make.add_argument("--recipe", default=RECOMMENDED, choices=known, help="the way to build (what suits this PC)")
    make.add_argument("--pin", choices=[pin.id for pin in catalogue.pins()], help="the revision of llama.cpp")
    make.add_argument(
        "--source", default="package", metavar="package|git|FOLDER", help="where llama.cpp's source comes from"
    )
    make.set_defaults(verb=build_verb)
    take = inner.add_parser("add", parents=[common], help="take finished programs: a release zip, or a folder")
    take.add_argument("place", type=Path)
    take.set_defaults(verb=add_verb)
    acts = (
        ("rebuild", rebuild, "build an engine again; the old one stays until the new one is ready"),
        ("update", update, "build what replaces an engine, beside it"),
        ("tune", tune, "find the fastest settings for this PC (a minute at most)"),
        ("remove", remove, "delete an installed engine"),
    )
    for name, act, about in acts:
        one = inner.add_parser(name, parents=[common], help=about)
        one.add_argument("name")
        one.set_defaults(verb=act)


def show(_arguments: argparse.Namespace, context: Context) -> None:
    """Print the installed engines."""
    rows = _look(context).engines
    for row in rows:
        engine = row.found.engine
        if engine is None:
            context.console.say(f"{row.name}: {row.found.problem}")
            continue
        built = f"{engine.pin}, {engine.recipe}, built {engine.built[:10]}, {units.size(engine.size)}"
        users = f", used by {', '.join(row.users)}" if row.users else ""
        newer = f"; {row.newer[1].name} can replace it" if row.newer else ""
        context.console.say(f"{row.name}: {built}{users}{newer}")
    if not rows:
        context.console.say("No engine is installed yet. “loragui engine build” builds one.")
    context.console.result([_row(row.found.engine) for row in rows if row.found.engine is not None])


def ways(_arguments: argparse.Namespace, context: Context) -> None:
    """Print every way to build on this kind of computer, and which one is recommended."""
    seen = _look(context)
    best = seen.recommendation.recipe
    for way in seen.ways:
        mark = " (recommended)" if best is not None and way.recipe.id == best.id else ""
        context.console.say(f"{way.recipe.id}{mark}: {way.recipe.name}. {way.recipe.why}")
        for problem in way.problems:
            context.console.say(f"  - {problem}")
    context.console.say(seen.recommendation.reason)
    rows = [{"recipe": way.recipe.id, "problems": [problem.code for problem in way.problems]} for way in seen.ways]
    context.console.result({"recommended": best.id if best else None, "ways": rows})


def _look(context: Context) -> workshop.Workshop:
    return workshop.look(context.workspace, machine.look(context.workspace.root))


def build_verb(arguments: argparse.Namespace, context: Context) -> None:
    """Build an engine, or say that it is there."""
    place = arguments.source
    source = {"package": Source(), "git": Source(kind=GIT)}.get(place) or Source.of_folder(Path(place))
    engine = build(arguments.recipe, context, pin=arguments.pin, source=source)
    if engine is not None:
        _tell(engine, context)


def build(recipe_id: str, context: Context, *, pin: str | None = None, source: Source | None = None) -> Engine | None:
    """The engine of that recipe (or the recommended) and revision (the recipe's own), built when not there.

    None after a dry run.
    """
    recipe = catalogue.recipe(recipe_id) if recipe_id else _recommended(context)
    revision = catalogue.pin(pin or recipe.pins[0])
    ready = acquire.built(recipe, context.workspace, revision)
    if ready is not None and not context.dry_run:
        return ready
    return _made(acquire.engine_work(recipe, context.workspace, pin=revision, source=source), context)


def _recommended(context: Context) -> Recipe:
    found = _look(context).recommendation
    if found.recipe is None:
        raise AppError("No engine can be built on this computer.", found.reason, code="other-system")
    return found.recipe


def _made(work: Work, context: Context) -> Engine | None:
    if context.dry_run:
        context.show_plan(work.plan)
        return None
    context.perform(work.folder, work.plan)
    return installed.load(work.makes)


def _tell(engine: Engine, context: Context) -> None:
    context.console.say(f"The engine {engine.name} is ready in {engine.folder}.")
    context.console.result(_row(engine))


def add_verb(arguments: argparse.Namespace, context: Context) -> None:
    """Take finished programs as an engine, after the same checks as after a build."""
    engine = _made(acquire.ready_work(arguments.place, context.workspace), context)
    if engine is not None:
        _tell(engine, context)


def _named(name: str, context: Context) -> EngineRow:
    rows = _look(context).engines
    for row in rows:
        if row.name == name:
            return row
    known = ", ".join(row.name for row in rows)
    hint = f"There are: {known}." if known else "Build one first."
    raise AppError(f"There is no engine {name} in {context.workspace.engines}.", hint, code="no-engine")


def rebuild(arguments: argparse.Namespace, context: Context) -> None:
    """Build an engine again, of the same revision in the same way."""
    row = _named(arguments.name, context)
    if row.again is None:
        why = "it was brought as finished programs, or its revision is not in the list any more"
        hint = "Add its programs again, or build another engine."
        raise AppError(f"{row.name} cannot be built again: {why}.", hint, code="not-built")
    recipe, pin = row.again
    engine = _made(acquire.engine_work(recipe, context.workspace, pin=pin, name=row.name, anew=True), context)
    if engine is not None:
        _tell(engine, context)


def update(arguments: argparse.Namespace, context: Context) -> None:
    """Build the revision that the list names today, beside the old engine."""
    row = _named(arguments.name, context)
    if row.newer is None:
        context.console.say(f"{row.name} is what the list of engines names today.")
        return
    recipe, pin = row.newer
    engine = _made(acquire.engine_work(recipe, context.workspace, pin=pin), context)
    if engine is not None:
        _tell(engine, context)


def tune(arguments: argparse.Namespace, context: Context) -> None:
    """Measure, and say what came out."""
    engine = installed.load(context.workspace.engines / arguments.name)
    work = acquire.tune_work(engine, context.workspace)
    if context.dry_run:
        context.show_plan(work.plan)
        return
    context.perform(work.folder, work.plan)
    found = next((row.tuning for row in _look(context).engines if row.name == engine.name), None)
    if found is not None:
        threads = units.plural(found.threads, "thread", "threads")
        gain = f"{found.ratio:.2f} times as fast as usual" if found.gains else "as usual"
        context.console.say(f"Fastest: {threads}, {gain}.")
        context.console.result({"threads": found.threads, "blas_threads": found.blas_threads, "ratio": found.ratio})


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
        "options": list(engine.options),
        "built": engine.built,
        "bytes": engine.size,
    }
