"""``estimate · train · resume · stop · runs``."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from loragui import acts, machine, steps, units
from loragui.cli.context import Context
from loragui.cli.watch import execute
from loragui.errors import AppError
from loragui.jobs import client
from loragui.jobs.folder import RunFolder
from loragui.machine import Machine
from loragui.settings import fit
from loragui.settings.estimate import Estimate
from loragui.steps import Step
from loragui.training import runs, start


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verbs to the parser."""
    for name, verb, words in (
        ("estimate", estimate, "RAM, time and disk of a project's training"),
        ("train", train, "train a project's LoRA"),
        ("resume", resume, "go on with a stopped training"),
        ("stop", stop, "stop the training that is running"),
        ("runs", history, "a project's runs and how they ended"),
    ):
        sub = verbs.add_parser(name, parents=[common], help=words)
        sub.add_argument("project", help="its folder, or its name in the workspace")
        sub.set_defaults(verb=verb)
        if name in {"train", "resume"}:
            sub.add_argument("--background", action="store_true", help="return at once; “runs” shows how it goes")
        if name in {"resume", "stop"}:
            sub.add_argument("--run", metavar="NUMBER", help="which run, such as 0002 (the newest)")
        if name == "stop":
            sub.add_argument(
                "--after-checkpoint", action="store_true", help="wait for the next checkpoint: loses nothing"
            )


def estimate(arguments: argparse.Namespace, context: Context) -> None:
    """Print what the training will need."""
    opened = acts.open_project(context.project_folder(arguments.project))
    pc = machine.look(context.workspace.root)
    found = acts.estimate(opened, pc)
    tell_estimate(found, pc, context)
    context.console.result(fit.to_json(found))


def tell_estimate(found: Estimate, pc: Machine, context: Context) -> None:
    """Print the estimate and whether it fits this PC."""
    for line in fit.estimate_lines(found):
        context.console.say(f"  {line}")
    for problem in fit.fits(found, pc):
        context.console.say(f"  {'Problem' if problem.blocking else 'Advice'}: {problem}")


def train(arguments: argparse.Namespace, context: Context) -> None:
    """Start a new training."""
    opened = acts.open_project(context.project_folder(arguments.project))
    pc = machine.look(context.workspace.root)
    refuse_locked(opened, pc)
    for advice in steps.missing(Step.SETTINGS, opened, pc):
        context.console.say(f"Advice: {advice}")
    if context.dry_run:
        context.show_plan(acts.training_plan(opened))
        return
    _carry_out(acts.train(opened), arguments, context)


def refuse_locked(opened: acts.Open, pc: Machine) -> None:
    """AppError with the first reason for which the project cannot be trained yet."""
    locked = steps.problems(Step.TRAIN, opened, pc)
    if locked:
        raise AppError.of(locked[0])


def resume(arguments: argparse.Namespace, context: Context) -> None:
    """Go on with a training where its last good checkpoint is."""
    opened = acts.open_project(context.project_folder(arguments.project))
    folder = runs.latest_training(opened.folder, arguments.run)
    if context.dry_run:
        context.show_plan(start.plan(folder.path, start.load(folder.path), opened.engine()))
        return
    start.prepare_resume(folder, opened.engine())
    _carry_out(folder, arguments, context)


def _carry_out(folder: RunFolder, arguments: argparse.Namespace, context: Context) -> None:
    context.console.say(f"Run {folder.path.name} in {folder.path}")
    if arguments.background:
        client.start(folder)
        context.console.say("The training goes on in the background.")
        context.console.result({"run": folder.path.name, "folder": str(folder.path), "state": "running"})
        return
    execute(folder, context.console)
    done = runs.summarize(folder)
    context.console.say(
        f"Done: {units.plural(done.iteration, 'iteration', 'iterations')} in {units.duration(done.seconds)}, "
        f"at most {units.size(done.peak_rss)} of RAM."
    )
    context.console.result({"folder": str(folder.path), **dataclasses.asdict(done)})


def stop(arguments: argparse.Namespace, context: Context) -> None:
    """Stop the running training now, or right after its next checkpoint."""
    folder = runs.latest_training(context.project_folder(arguments.project), arguments.run)
    if context.dry_run:
        context.would(f"stop {folder.path}")
        return
    client.request_stop(folder, after_save=arguments.after_checkpoint)
    if arguments.after_checkpoint:
        context.console.say("The training stops after its next checkpoint.")
    else:
        for _ in client.follow(folder):
            pass
        context.console.say("Stopped. What came after the last checkpoint is lost; “resume” goes on from there.")
    context.console.result({"run": folder.path.name, "state": folder.look().state})


def history(arguments: argparse.Namespace, context: Context) -> None:
    """Print every run of the project."""
    project: Path = context.project_folder(arguments.project)
    rows = [runs.summarize(folder) for folder in runs.run_folders(project)]
    for row in rows:
        progress = f", {row.iteration} of {row.total} iterations" if row.total else ""
        loss = f", loss {row.loss:.3f}" if row.loss is not None else ""
        context.console.say(f"{row.number}  {row.title}: {row.state}{progress}{loss}, {units.duration(row.seconds)}")
        if row.message:
            context.console.say(f"      {row.message}")
    if not rows:
        context.console.say("No runs yet.")
    context.console.result([dataclasses.asdict(row) for row in rows])
