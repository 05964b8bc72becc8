"""``tools list|get|install``: the external programs that a build may need."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from loragui.cli.context import Context
from loragui.engine import tools
from loragui.engine.tools import facts, get
from loragui.engine.tools.facts import Tool
from loragui.engine.tools.found import Found
from loragui.engine.tools.get import Way
from loragui.errors import AppError

SYSTEM = sys.platform


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verbs to the parser."""
    verb = verbs.add_parser("tools", parents=[common], help="find or get the programs that a build needs")
    inner = verb.add_subparsers(metavar="ACT", required=True)
    inner.add_parser("list", parents=[common], help="what is on this PC, and whether it will do").set_defaults(
        verb=show
    )
    known = [tool.id for tool in facts.tools()]
    tell = inner.add_parser("get", parents=[common], help="every way to get a tool; changes nothing")
    tell.add_argument("name", metavar="NAME", choices=known, help=", ".join(known))
    tell.set_defaults(verb=get_verb)
    make = inner.add_parser("install", parents=[common], help="get a tool")
    make.add_argument("name", metavar="NAME", choices=known, help=", ".join(known))
    make.add_argument("--file", type=Path, metavar="ARCHIVE", help="unpack this archive that you have downloaded")
    make.add_argument("--yes", action="store_true", help="let winget change this PC; its command is shown without it")
    make.set_defaults(verb=install)


def show(_arguments: argparse.Namespace, context: Context) -> None:
    """Print every tool: found where, which version, will it do."""
    found = tools.survey(context.workspace)
    for name, one in found.items():
        context.console.say(_line(facts.tool(name), one))
    context.console.result({name: _row(one) for name, one in found.items()})


def get_verb(arguments: argparse.Namespace, context: Context) -> None:
    """Print what a tool is for, and every way to get it."""
    tool = facts.tool(arguments.name)
    known = get.ways(tool, SYSTEM)
    context.console.say(f"{tool.name} {tool.purpose}.")
    for way in known:
        context.console.say(f"- {way.text}:")
        context.console.say(f"    {command_line(way, SYSTEM)}")
    context.console.result({"tool": tool.id, "ways": [dataclasses.asdict(way) for way in known]})


def install(arguments: argparse.Namespace, context: Context) -> None:
    """Get a tool the best way that we can go ourselves."""
    tool = facts.tool(arguments.name)
    plan = get.bring_plan(tool, arguments.file, context.workspace) if arguments.file else None
    ways = get.ways(tool, SYSTEM)
    way = ways[0]
    if plan is None and way.kind == get.FETCH:
        plan = get.fetch_plan(tool, context.workspace)
    if plan is None and way.kind == get.WINGET and (arguments.yes or context.dry_run):
        plan = get.winget_plan(tool)
    if plan is None:
        raise _by_hand(tool, way)
    if context.dry_run:
        context.show_plan(plan)
        return
    done = context.perform(get.run_folder(tool, context.workspace), plan)
    found = tools.find(tool.id, context.workspace)
    context.console.say(_line(tool, found))
    context.console.result({**done, "found": _row(found)})


def _by_hand(tool: Tool, way: Way) -> AppError:
    agree = " Say --yes to let it run." if way.ours and way.command else ""
    hint = f"{way.text}: {command_line(way, SYSTEM)}{agree}"
    return AppError(f"loragui does not install {tool.name} here by itself.", hint, code="by-hand")


def command_line(way: Way, system: str) -> str:
    """What a person types or opens."""
    if not way.command:
        return way.url
    return subprocess.list2cmdline(way.command) if system == "win32" else shlex.join(way.command)


def _line(tool: Tool, found: Found | None) -> str:
    if found is None:
        return f"{tool.name}: not here. “loragui tools get {tool.id}” says how to get it."
    where = f" in {found.path}" if found.path else ""
    version = f" {found.version}" if found.version else ""
    return f"{tool.name}{version}{where}: {'good' if found.good else found.why}"


def _row(found: Found | None) -> dict[str, Any] | None:
    return None if found is None else {**vars(found), "parts": dict(found.parts)}
