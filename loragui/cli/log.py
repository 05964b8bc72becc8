"""``log``: the whole log of a run as one file for whoever helps, without what names a person."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from loragui.cli.context import Context
from loragui.jobs.folder import RunFolder


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the parser."""
    verb = verbs.add_parser(
        "log", parents=[common], help="save a run's whole log for someone who helps, without your name and folders"
    )
    verb.add_argument("folder", metavar="RUN_FOLDER", type=Path)
    verb.add_argument("--out", metavar="FILE", type=Path, required=True, help="where to write it")
    verb.add_argument("--overwrite", action="store_true", help="replace FILE when it exists")
    verb.set_defaults(verb=log)


def log(arguments: argparse.Namespace, context: Context) -> None:
    """Write the file."""
    from loragui.jobs.savelog import save_log

    target = arguments.out.absolute()
    if context.dry_run:
        context.would(f"write {target}")
        return
    save_log(RunFolder(arguments.folder.absolute()), target, overwrite=arguments.overwrite)
    context.console.say(f"Saved {target}. Have a look at it before you send it to anyone.")
    context.console.result({"log": str(target), "bytes": target.stat().st_size})
