"""``project new|show|set``: the choices of a project, as the window's pages edit them."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from loragui import machine
from loragui import project as projects
from loragui.cli.context import Context
from loragui.engine.tuning import suggested_threads
from loragui.errors import AppError
from loragui.project import FileRef, Hyperparameters, Project
from loragui.settings.parameters import Kind, Level, allowed, check, parameter


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verbs to the parser."""
    verb = verbs.add_parser("project", parents=[common], help="make, show or change a project")
    inner = verb.add_subparsers(metavar="ACT", required=True)
    new = inner.add_parser("new", parents=[common], help="make a project")
    new.add_argument("name", help="what you call it")
    _choices(new)
    new.set_defaults(verb=make)
    change = inner.add_parser("set", parents=[common], help="change a project's choices")
    change.add_argument("project", help="its folder, or its name in the workspace")
    _choices(change)
    change.set_defaults(verb=edit)
    view = inner.add_parser("show", parents=[common], help="show a project's choices")
    view.add_argument("project", help="its folder, or its name in the workspace")
    view.set_defaults(verb=show)


def _choices(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--base-model", metavar="FILE", type=Path, help="the GGUF to train on")
    verb.add_argument("--engine", metavar="NAME", help="an installed engine (see “engine list”)")
    verb.add_argument("--data", metavar="FILE", type=Path, nargs="+", help="your chats and texts, files or folders")
    verb.add_argument("--template", help="how samples are written")
    verb.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="a setting, such as iterations=200"
    )


def make(arguments: argparse.Namespace, context: Context) -> None:
    """Make a project in the workspace."""
    if context.dry_run:
        context.would(f"make a project “{arguments.name}” in {context.workspace.projects}")
        return
    changed(Project(name=arguments.name), Path(), arguments, context)  # refuse wrong choices before a folder is made
    engine = context.workspace.engines / arguments.engine if arguments.engine else None
    threads = suggested_threads(engine, machine.look(context.workspace.root))
    folder = projects.create(context.workspace.projects, arguments.name, Hyperparameters(threads=threads))
    projects.save(folder, changed(projects.load(folder), folder, arguments, context))
    context.console.say(f"Made {folder}")
    context.console.result({"project": str(folder)})


def edit(arguments: argparse.Namespace, context: Context) -> None:
    """Change a project's choices."""
    folder = context.project_folder(arguments.project)
    project = changed(projects.load(folder), folder, arguments, context)
    if not context.dry_run:
        projects.save(folder, project)
    _print(project, folder, context)


def show(arguments: argparse.Namespace, context: Context) -> None:
    """Print a project's choices."""
    folder = context.project_folder(arguments.project)
    _print(projects.load(folder), folder, context)


def _print(project: Project, folder: Path, context: Context) -> None:
    say = context.console.say
    say(f"{project.name} ({folder})")
    say(f"  engine: {Path(project.engine.absolute).name if project.engine else 'not chosen'}")
    say(f"  base model: {project.base_model.absolute if project.base_model else 'not chosen'}")
    for file in project.data.files:
        say(f"  data: {file.absolute}")
    for name, value in dataclasses.asdict(project.hyperparameters).items():
        entry = parameter(name)
        if value != entry.default or entry.level is not Level.EXPERT:
            say(f"  {name.replace('_', ' ')}: {entry.unset if value is None else value}")
    context.console.result(dataclasses.asdict(project))


def changed(project: Project, folder: Path, arguments: argparse.Namespace, context: Context) -> Project:
    """The project with the choices of the command line. AppError naming the wrong one."""
    if arguments.engine:
        place = context.workspace.engines / arguments.engine
        if not place.is_dir():
            raise AppError(f"There is no engine “{arguments.engine}”.", "“loragui engine list” shows them.")
        project = dataclasses.replace(project, engine=FileRef.of(place, folder))
    if arguments.base_model:
        project = dataclasses.replace(project, base_model=FileRef.of(_there(arguments.base_model), folder))
    if arguments.data:
        files = tuple(FileRef.of(_there(path), folder) for path in arguments.data)
        project = dataclasses.replace(project, data=dataclasses.replace(project.data, files=files))
    if arguments.template:
        project = dataclasses.replace(project, data=dataclasses.replace(project.data, template=arguments.template))
    settings = parsed_settings(arguments.set)
    return dataclasses.replace(project, hyperparameters=dataclasses.replace(project.hyperparameters, **settings))


def _there(path: Path) -> Path:
    if not path.exists():
        raise AppError(f"{path} does not exist.", "Check how it is written.", code="file-missing")
    return path.absolute()


def parsed_settings(words: list[str]) -> dict[str, Any]:
    """``NAME=VALUE`` words as values of their kinds. AppError naming the wrong word and what is possible."""
    found: dict[str, Any] = {}
    for word in words:
        name, _, text = word.partition("=")
        entry = parameter(name.strip().replace("-", "_"))
        try:
            found[entry.id] = _value(text.strip(), entry.kind)
        except ValueError as error:
            raise AppError(
                f"“{text}” does not fit the setting {entry.id}.", f"It can be {allowed(entry)}.", code="setting"
            ) from error
        wrong = check(entry, found[entry.id])
        if wrong is not None:
            raise AppError.of(wrong)
    return found


def _value(text: str, kind: Kind) -> int | float | bool | None:
    if kind.optional and text.lower() in {"", "none"}:
        return None
    if kind is not Kind.BOOL:
        return int(text) if kind.whole else float(text)
    if text.lower() not in {"yes", "no", "true", "false", "on", "off"}:
        raise ValueError(text)
    return text.lower() in {"yes", "true", "on"}
