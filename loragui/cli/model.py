"""``model inspect|fetch|convert``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loragui import acquire, acts, units
from loragui.acquire import Work
from loragui.cli.context import Context
from loragui.engine import catalogue as engines
from loragui.errors import AppError
from loragui.model import catalogue
from loragui.model.inspect import describe
from loragui.model.judge import Outcome, Verdict


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verbs to the parser."""
    verb = verbs.add_parser("model", parents=[common], help="look at, fetch or convert a base model")
    inner = verb.add_subparsers(metavar="ACT", required=True)
    look = inner.add_parser("inspect", parents=[common], help="what a GGUF file is, and whether it can be trained")
    look.add_argument("file", type=Path)
    look.set_defaults(verb=inspect_verb)
    get = inner.add_parser("fetch", parents=[common], help="download a recommended base model")
    get.add_argument("name", choices=[entry.id for entry in catalogue.recommended()])
    get.set_defaults(verb=fetch_verb)
    copy = inner.add_parser("convert", parents=[common], help="make a copy that the engine can train")
    copy.add_argument("file", type=Path)
    copy.set_defaults(verb=convert_verb)


def verdict_of(path: Path, accepts: Mapping[str, Any] | None = None) -> Verdict:
    """What an engine that ``accepts`` these bases (the usual one) can do with the model. AppError for a bad file."""
    if not path.is_file():
        raise AppError(f"There is no file {path}.", "Check how it is written.", code="file-missing")
    return acts.verdict_of(path, accepts or engines.pins()[0].accepts)


def inspect_verb(arguments: argparse.Namespace, context: Context) -> None:
    """Print what the model is and what can be done with it."""
    verdict = verdict_of(arguments.file)
    facts = describe(verdict.model)
    for label, text in facts:
        context.console.say(f"{label}: {text}")
    tell(verdict, context)
    context.console.result(
        {
            "facts": dict(facts),
            "outcome": verdict.outcome.name.lower(),
            "reasons": [{"code": reason.code, "message": reason.message} for reason in verdict.reasons],
            "copy_bytes": verdict.copy_bytes,
        }
    )


def tell(verdict: Verdict, context: Context) -> None:
    """Print the verdict with every reason."""
    context.console.say(verdict.summary())
    for problem in verdict.problems():
        context.console.say(f"  - {problem}")


def fetch_verb(arguments: argparse.Namespace, context: Context) -> None:
    """Download a recommended model, or say that it is there."""
    path = fetch_model(arguments.name, context)
    if path is not None:
        context.console.say(f"The model is {path} ({units.size(path.stat().st_size)}).")
        context.console.result({"model": str(path)})


def fetch_model(name: str, context: Context) -> Path | None:
    """The file of a recommended model, fetched when it is not there. None after a dry run."""
    work = acquire.model_work(catalogue.find(name), context.workspace)
    return _made(work, context)


def _made(work: Work, context: Context) -> Path | None:
    """What ``work`` makes, carried out when it is not there. None after a dry run."""
    if context.dry_run:
        context.show_plan(work.plan)
        return None
    if not work.makes.is_file():
        context.perform(work.folder, work.plan)
    return work.makes


def convert_verb(arguments: argparse.Namespace, context: Context) -> None:
    """Make the copy that the engine needs, or say that none is needed."""
    verdict = verdict_of(arguments.file)
    tell(verdict, context)
    path = trainable(verdict, arguments.file, context)
    if path is not None:
        context.console.say(f"Ready to train: {path}")
        context.console.result({"model": str(path)})


def trainable(verdict: Verdict, source: Path, context: Context) -> Path | None:
    """A file that the engine can train: the model itself, or its converted copy. None after a dry run.

    AppError when there is no way.
    """
    if verdict.outcome is Outcome.AS_IT_IS:
        return source
    return _made(acquire.copy_work(source, verdict, context.workspace), context)
