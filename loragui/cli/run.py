"""``run``: the runner itself. Window and verbs start it detached; a person can start it by hand."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from loragui.cli.context import Context
from loragui.errors import AppError
from loragui.jobs.folder import DONE, STOPPED, UNEXPECTED, RunFolder


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the parser."""
    verb = verbs.add_parser("run", parents=[common], help="execute the plan of a run folder (or go on with it)")
    verb.add_argument("folder", metavar="DIR", type=Path)
    verb.set_defaults(verb=run)


def run(arguments: argparse.Namespace, context: Context) -> None:
    """Execute a run folder in this process."""
    from loragui.cli.readers import READERS
    from loragui.cli.watch import Stopped
    from loragui.jobs import process, runner

    folder = RunFolder(arguments.folder.absolute())
    if context.dry_run:
        context.show_plan(folder.load_plan())
        return
    process.no_error_boxes()
    ended = runner.run(folder, READERS)
    if ended.state == STOPPED:
        raise Stopped
    if ended.state != DONE:
        raise AppError.of(ended.problem or UNEXPECTED)
    context.console.result({"state": ended.state, "seconds": ended.seconds})
