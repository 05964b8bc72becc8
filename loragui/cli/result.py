"""``merge`` and ``try``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from loragui import acts, units
from loragui.cli.context import Context
from loragui.cli.watch import execute
from loragui.jobs.folder import RunFolder
from loragui.result import merge, prove
from loragui.training import runs


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verbs to the parser."""
    join = verbs.add_parser("merge", parents=[common], help="merge a training's LoRA into its base model")
    join.add_argument("project", help="its folder, or its name in the workspace")
    join.add_argument("--run", metavar="NUMBER", help="which training (the newest)")
    join.add_argument("--checkpoint", metavar="ITERATION", type=int, help="which LoRA (the last)")
    join.add_argument("--type", default="Q8_0", choices=merge.TYPES, help="format of the merged model")
    join.add_argument("--strength", type=float, default=1.0, help="how strongly the LoRA is applied (1.0)")
    join.set_defaults(verb=merge_verb)
    ask = verbs.add_parser("try", parents=[common], help="ask base model and result the same")
    ask.add_argument("project", help="its folder, or its name in the workspace")
    ask.add_argument("prompt", help="the text to go on from, or @FILE")
    ask.add_argument("--tokens", type=int, default=64, help="longest reply in tokens")
    ask.set_defaults(verb=try_verb)


def merge_verb(arguments: argparse.Namespace, context: Context) -> None:
    """Merge and say where the model is."""
    opened = acts.open_project(context.project_folder(arguments.project))
    training = runs.latest_training(opened.folder, arguments.run)
    request = acts.MergeRequest(iteration=arguments.checkpoint, output_type=arguments.type, strength=arguments.strength)
    if context.dry_run:
        context.show_plan(acts.merge_plan(opened, training, request))
        return
    model = carry_out(acts.merge(opened, training, request), context)
    context.console.result({"model": str(model), "bytes": model.stat().st_size})


def carry_out(folder: RunFolder, context: Context) -> Path:
    """Run a merge to its end; returns the merged model."""
    execute(folder, context.console)
    model = merge.output_path(folder.path)
    context.console.say(f"  The merged model is {model} ({units.size(model.stat().st_size)}).")
    return model


def try_verb(arguments: argparse.Namespace, context: Context) -> None:
    """Print what base model and merged model say."""
    opened = acts.open_project(context.project_folder(arguments.project))
    text = arguments.prompt
    prompt = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
    candidates = acts.candidates(opened, with_lora=False)
    if context.dry_run:
        context.would(f"ask {' and '.join(str(candidate.model) for candidate in candidates)}")
        return
    folder = acts.ask(opened, candidates, prompt, tokens=arguments.tokens, seed=1)
    execute(folder, context.console)
    said = prove.texts(folder)
    for candidate in candidates:
        context.console.say(f"\n{candidate.title}:\n{said.get(candidate.id, '')}")
    context.console.result(said)
