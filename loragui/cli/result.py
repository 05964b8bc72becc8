"""``merge · try · card · howto``."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

from loragui import acts, units
from loragui.cli.context import Context
from loragui.cli.watch import execute
from loragui.jobs.folder import RunFolder
from loragui.result import card, merge, prove
from loragui.result.facts import CHEAP
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
    about = verbs.add_parser("card", parents=[common], help="write the LoRA's card, to publish beside it")
    about.add_argument("--sha256", action="store_true", help="hash large files too, which takes a while")
    about.set_defaults(verb=card_verb)
    usage = verbs.add_parser("howto", parents=[common], help="how to use the result in other programs")
    usage.set_defaults(verb=howto_verb)
    for verb in (about, usage):
        verb.add_argument("project", help="its folder, or its name in the workspace")
        verb.add_argument("--run", metavar="NUMBER", help="which merge, such as 0002 (the newest)")


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


def card_verb(arguments: argparse.Namespace, context: Context) -> None:
    """Write the card beside the merged model, and print it."""
    opened = acts.open_project(context.project_folder(arguments.project))
    folder = acts.merged_model(opened, arguments.run).folder.path
    if context.dry_run:
        context.would(f"write a card into {folder}")
        return
    text = card.card(acts.card_facts(opened, folder, hash_up_to=sys.maxsize if arguments.sha256 else CHEAP))
    path = card.write_card(folder, text)
    context.console.say(f"{text}\nThe card is {path}. It tells nothing of your data but sums; you may edit it.")
    context.console.result({"card": str(path), "text": text})


def howto_verb(arguments: argparse.Namespace, context: Context) -> None:
    """Print how the merged model is used in other programs."""
    opened = acts.open_project(context.project_folder(arguments.project))
    found = acts.howtos(opened, acts.merged_model(opened, arguments.run))
    for entry in found:
        context.console.say(f"\n{entry.title}")
        for number, step in enumerate(entry.steps, start=1):
            context.console.say(f"  {number}. {step}")
    context.console.result([dataclasses.asdict(entry) for entry in found])
