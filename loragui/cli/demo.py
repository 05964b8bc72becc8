"""``demo``: the whole way once, by the same functions as the window; stopped and started again, it goes on."""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path
from typing import Any

from loragui import acts, machine, units
from loragui import demo as demos
from loragui import project as projects
from loragui.cli import data as data_verb
from loragui.cli import engine as engine_verb
from loragui.cli import machine as machine_verb
from loragui.cli import model as model_verb
from loragui.cli import result as result_verb
from loragui.cli import training as training_verb
from loragui.cli.context import Context
from loragui.cli.watch import execute
from loragui.data.demo import Demo, load_demo
from loragui.data.folder import load_report
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.jobs.folder import DONE, RunFolder
from loragui.model import catalogue as models
from loragui.paths import file_sha256
from loragui.result import merge, prove
from loragui.result.prove import Proof
from loragui.training import runs, start


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the parser."""
    verb = verbs.add_parser("demo", parents=[common], help="go the whole way once with our own small example")
    verb.set_defaults(verb=demo)


def demo(arguments: argparse.Namespace, context: Context) -> None:
    """Engine, base model, data, estimate, training, merge, proof. AppError when any of it fails."""
    if context.dry_run:
        _dry_run(context)
        return
    began = time.monotonic()
    _heading(context, 1, "This PC")
    machine_verb.doctor(arguments, dataclasses.replace(context, console=context.console.quiet_result()))
    _heading(context, 2, "Engine")
    engine = engine_verb.build(engine_verb.RECOMMENDED, context)
    assert engine is not None  # noqa: S101 - only a dry run has none
    context.console.say(f"  Ready: {engine.name}")
    _heading(context, 3, "Base model")
    model = _base_model(engine, context)
    example = load_demo()
    opened = _project(example, engine, model, context)
    _heading(context, 4, "Training data")
    _format(opened, context)
    _heading(context, 5, "Estimate")
    _estimate(opened, context)
    _heading(context, 6, "Training")
    training = _train(opened, context)
    _heading(context, 7, "Merging")
    merged = _merge(opened, training, context)
    _heading(context, 8, "Proof")
    proof = _prove(opened, example, merged, context)
    seconds = time.monotonic() - began
    context.console.say(f"\nAll of it took {units.duration(seconds)} this time. The merged model: {merged}")
    context.console.result({"model": str(merged), "proof": dataclasses.asdict(proof), "seconds": round(seconds, 1)})


def _dry_run(context: Context) -> None:
    silent = dataclasses.replace(context, console=context.console.quiet_result())
    engine_verb.build(engine_verb.RECOMMENDED, silent)
    model_verb.fetch_model(models.recommended()[0].id, silent)
    context.would("then convert the model, format the data, train, merge, and prove that it learned")


def _heading(context: Context, number: int, text: str) -> None:
    context.console.say(f"\n── {number} of 8: {text}")


def _base_model(engine: Engine, context: Context) -> Path:
    source = model_verb.fetch_model(models.recommended()[0].id, context)
    assert source is not None  # noqa: S101 - only a dry run has none
    verdict = model_verb.verdict_of(source, engine.accepts)
    model_verb.tell(verdict, context)
    path = model_verb.trainable(verdict, source, context)
    assert path is not None  # noqa: S101 - only a dry run has none
    context.console.say(f"  Ready: {path.name} ({units.size(path.stat().st_size)})")
    return path


def _project(example: Demo, engine: Engine, model: Path, context: Context) -> acts.Open:
    """The demo's project, made anew or brought up to date; its runs stay."""
    folder = context.workspace.projects / demos.FOLDER
    pc = machine.look(context.workspace.root)
    projects.save(folder, demos.project(example, pc, folder, engine=engine.folder, model=model))
    return acts.open_project(folder)


def _format(opened: acts.Open, context: Context) -> None:
    folder, plan = acts.format_data(opened)
    context.perform(folder, plan)
    data_verb.tell(load_report(opened.data, findings=True), opened.data, context)


def _estimate(opened: acts.Open, context: Context) -> None:
    pc = machine.look(context.workspace.root)
    training_verb.tell_estimate(acts.estimate(opened, pc), pc, context)
    training_verb.refuse_locked(opened, pc)


def _train(opened: acts.Open, context: Context) -> RunFolder:
    """Train, go on with a training that was stopped, or take the one that is done for these very settings."""
    folder = _earlier(opened)
    if folder is None:
        folder = acts.train(opened)
        execute(folder, context.console)
    elif folder.look().state != DONE:
        if not folder.is_running():
            start.prepare_resume(folder, opened.engine())
        execute(folder, context.console)
    done = runs.summarize(folder)
    context.console.say(
        f"  {units.plural(done.iteration, 'iteration', 'iterations')} in {units.duration(done.seconds)}, "
        f"last loss {done.loss or 0:.3f}, at most {units.size(done.peak_rss)} of RAM."
    )
    return folder


def _earlier(opened: acts.Open) -> RunFolder | None:
    """The newest training if it has the same settings and data, else None."""
    try:
        folder = runs.latest_training(opened.folder)
    except AppError:
        return None
    training = start.load(folder.path)
    same_data = training.data_sha256 == file_sha256(acts.training_text(opened))
    return folder if same_data and training.hyperparameters == opened.project.hyperparameters else None


def _merge(opened: acts.Open, training: RunFolder, context: Context) -> Path:
    earlier = acts.newest_merge(opened)
    if earlier is not None and Path(merge.load(earlier.path).lora).parent.name == training.path.name:
        model = merge.output_path(earlier.path)
        context.console.say(f"  The merged model is there already: {model}")
        return model
    return result_verb.carry_out(acts.merge(opened, training, acts.MergeRequest(keep_f32=True)), context)


def _prove(opened: acts.Open, example: Demo, merged: Path, context: Context) -> Proof:
    said = _said_before(opened, merged)
    if said is None:
        asked = acts.candidates(opened, with_lora=True)
        folder = acts.ask(opened, asked, example.prompt, tokens=example.tokens, seed=example.prompt_seed)
        execute(folder, context.console)
        said = prove.texts(folder)
    proof = prove.weigh(said, acts.training_text(opened).read_text(encoding="utf-8"))
    _show(proof, example, context)
    problems = list(proof.problems)
    if not example.learned(said["merged"]) or example.learned(said["base"]):
        problems.append(f"The reply does not show what the data teaches: {example.habit}")
    if problems:
        raise AppError(f"The demo failed. {' '.join(problems)}", "Please report this with the text above.")
    context.console.say(f"  Proved: the merged model learned. {example.habit}")
    (merged.parent / merge.MERGED_F32).unlink(missing_ok=True)  # it was kept for the proof
    return proof


def _said_before(opened: acts.Open, merged: Path) -> dict[str, str] | None:
    """What was said when this merged model was asked before, or None."""
    newest = runs.run_folders(opened.folder)[-1]
    later = newest.path.name > merged.parent.name
    if later and runs.kind_of(newest) == prove.KIND and newest.look().state == DONE:
        return prove.texts(newest)
    return None


def _show(proof: Proof, example: Demo, context: Context) -> None:
    say = context.console.say
    say("\n  The same prompt, seed and temperature 0. Its last lines:")
    for line in example.prompt.strip().splitlines()[-4:]:
        say(f"    | {line}")
    titles = {
        "base": "Base model",
        "lora": "Base model + LoRA",
        "wide": "Merged model, before packing",
        "merged": "Merged model, Q8_0",
    }
    for name, text in proof.texts.items():
        say(f"\n  {titles[name]} (likeness to the data {proof.likeness[name]:.0%}):")
        for line in text.splitlines():
            say(f"    {line}")
    say(f"\n  Base + LoRA and the merged model agree in {proof.agreement:.0%} of their text.")
