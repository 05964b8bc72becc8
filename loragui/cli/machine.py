"""``doctor``: what this PC has, and whether the workspace is a good place."""

from __future__ import annotations

import argparse
from typing import Any

from loragui import machine
from loragui.cli.context import Context
from loragui.errors import AppError


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the parser."""
    verb = verbs.add_parser("doctor", parents=[common], help="look at this PC and at the workspace")
    verb.set_defaults(verb=doctor)


def doctor(_arguments: argparse.Namespace, context: Context) -> None:
    """Print the PC and the workspace's problems. AppError when one of them forbids working."""
    root = context.workspace.root
    pc = machine.look(root)
    problems = machine.workspace_problems(root)
    context.console.say(f"Workspace: {root}")
    for line in machine.doctor_lines(pc, problems):
        context.console.say(line)
    context.console.result(machine.to_json(pc, problems))
    blocking = [problem for problem in problems if problem.blocking]
    if blocking:
        raise AppError.of(blocking[0])
