"""The command line: one verb per step of the wizard, each on the same functions as the window."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from loragui import __version__
from loragui.cli.console import Console
from loragui.cli.context import Context
from loragui.cli.watch import Stopped
from loragui.errors import AppError
from loragui.jobs.pyjob import os_problem
from loragui.paths import Workspace, default_workspace

Verb = Callable[[argparse.Namespace, Context], None]

VERBS = ("machine", "tools", "engine", "model", "data", "project", "training", "result", "run", "log", "demo")
"""Modules of this package that add verbs; ``run`` stands alone, so that the runner imports nothing else."""

DONE, COULD_NOT, WRONG_USE, STOPPED = 0, 1, 2, 130


def main(argv: Sequence[str]) -> int:
    """Run one verb. Returns 0 done, 1 could not, 2 wrong use, 130 stopped."""
    if argv[:1] == ["job"]:  # a step's own process: its output is read by the runner
        from loragui.cli.jobs import main as job

        return job(argv[1:])
    if not argv:
        parser().print_help()
        return WRONG_USE
    arguments = parser(("run",) if argv[:1] == ["run"] else VERBS).parse_args(argv)
    # The three common options have no defaults, so that a verb's does not hide one given before the verb.
    console = Console(as_json=getattr(arguments, "json", False))
    context = Context(
        console=console,
        workspace=Workspace(Path(getattr(arguments, "workspace", None) or default_workspace()).absolute()),
        dry_run=getattr(arguments, "dry_run", False),
    )
    return _carry_out(arguments.verb, arguments, context)


def _carry_out(verb: Verb, arguments: argparse.Namespace, context: Context) -> int:
    console = context.console
    try:
        verb(arguments, context)
    except AppError as error:
        console.problem(error.problem)
        return WRONG_USE if error.problem.code == "usage" else COULD_NOT
    except BrokenPipeError:  # whoever read our output has gone, as “head” does; nothing is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return COULD_NOT
    except OSError as error:
        console.problem(os_problem(error))
        return COULD_NOT
    except (Stopped, KeyboardInterrupt):
        console.say("Stopped. The same command goes on from here.")
        return STOPPED
    return DONE


def verbs() -> frozenset[str]:
    """The words that begin a command."""
    actions = parser()._subparsers  # noqa: SLF001 - argparse has no public way to ask
    groups = actions._group_actions if actions is not None else []  # noqa: SLF001
    return frozenset(str(word) for group in groups for word in group.choices or ())


def parser(modules: Sequence[str] = VERBS) -> argparse.ArgumentParser:
    """The verbs of ``modules`` with their arguments."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--workspace", metavar="FOLDER", help="where engines, models and projects are kept")
    common.add_argument("--json", action="store_true", help="print nothing but the result, as JSON")
    common.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    top = argparse.ArgumentParser(
        prog="loragui",
        description="From your own texts and chats to a finished LoRA in a merged GGUF file.",
        epilog="Without a verb, or with a project's folder, the window opens. "
        "Exit codes: 0 done, 1 could not, 2 wrong use, 130 stopped.",
        parents=[common],
    )
    top.add_argument("--version", action="version", version=f"loragui {__version__}")
    verbs = top.add_subparsers(metavar="VERB", required=True)
    for name in modules:
        importlib.import_module(f"loragui.cli.{name}").add(verbs, common)
    return top


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
