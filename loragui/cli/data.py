"""``data format``: the person's files become training text and a report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from loragui import acts, units
from loragui.cli.context import Context
from loragui.data.folder import load_report
from loragui.data.job import prepare_plan
from loragui.data.report import Report
from loragui.data.template import DEFAULT, template_names
from loragui.errors import AppError
from loragui.jobs.folder import RunFolder


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verbs to the parser."""
    verb = verbs.add_parser("data", parents=[common], help="turn chats and texts into training text")
    inner = verb.add_subparsers(metavar="ACT", required=True)
    make = inner.add_parser("format", parents=[common], help="make training text and a report")
    make.add_argument("files", metavar="FILE", nargs="*", type=Path, help="chats, cards, folders")
    make.add_argument("--project", help="use this project's files and settings, and put the text there")
    make.add_argument("--output", metavar="FOLDER", type=Path, help="where train.txt and report.json go")
    make.add_argument("--base-model", metavar="FILE", type=Path, help="the GGUF whose tokens are counted")
    make.add_argument("--context-size", type=int, default=256, help="longest sample in tokens")
    make.add_argument("--template", default=DEFAULT, help=f"{', '.join(template_names())}, or a .toml file")
    make.add_argument("--seed", type=int, default=1)
    make.set_defaults(verb=format_verb)


def format_verb(arguments: argparse.Namespace, context: Context) -> None:
    """Make training text for a project, or for a folder that is named."""
    if arguments.project:
        opened = acts.open_project(context.project_folder(arguments.project))
        folder, plan = acts.format_data(opened)
        output = opened.data
    else:
        output = _output(arguments)
        folder = RunFolder(output / "run")
        plan = prepare_plan(
            arguments.files,
            out="..",
            base_model=arguments.base_model,
            context_size=arguments.context_size,
            template=arguments.template,
            seed=arguments.seed,
        )
    if context.dry_run:
        context.show_plan(plan)
        return
    results = context.perform(folder, plan)
    tell(load_report(output, findings=True), output, context)
    context.console.result({**results, "train": str(output / "train.txt"), "report": str(output / "report.json")})


def _output(arguments: argparse.Namespace) -> Path:
    if not arguments.files or arguments.output is None:
        raise AppError("Nothing to do.", "Give files and --output FOLDER, or --project PROJECT.", code="usage")
    output: Path = arguments.output.absolute()
    return output


def tell(report: Report, output: Path, context: Context) -> None:
    """Print the report and where everything is."""
    for line in report.summary().splitlines():
        context.console.say(f"  {line}")
    size = (output / "train.txt").stat().st_size
    context.console.say(f"  Written: {output / 'train.txt'} ({units.size(size)}), {output / 'report.json'}")
