"""What the main buttons do: each act checks its gate and makes the run folder that does the work.

Window and command line call these and then start and watch the folder; nothing here runs anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loragui import project as projects
from loragui.data.folder import TEXT_FILE, load_report
from loragui.data.job import outdated, prepare_plan
from loragui.engine import flags, installed
from loragui.engine.installed import Engine
from loragui.errors import AppError, Problem
from loragui.gguf.read import read
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Plan
from loragui.machine import Machine
from loragui.model.inspect import inspect
from loragui.model.judge import Accepts, Outcome, Verdict, judge
from loragui.project import Project
from loragui.result import facts, howto, prove
from loragui.result import merge as merging
from loragui.result.card import CardFacts
from loragui.result.facts import CHEAP
from loragui.result.howto import HowTo
from loragui.result.prove import Candidate
from loragui.result.runs import Merged
from loragui.result.runs import merges as merges_of
from loragui.settings.estimate import Estimate
from loragui.settings.estimate import estimate as estimate_of
from loragui.settings.fit import fits
from loragui.settings.pace import blas_of, pace_of
from loragui.settings.parameters import problems as parameter_problems
from loragui.settings.size import size_of
from loragui.training import start
from loragui.training.checkpoints import numbers
from loragui.training.runs import latest_training
from loragui.training.standing import Standing, standing

CONTEXT = 4096
"""Tokens of context that are suggested for other programs at most."""


@dataclass(frozen=True, kw_only=True)
class Open:
    """A project with its folder, as it was when it was opened."""

    folder: Path
    project: Project

    @property
    def runs(self) -> Path:
        """Where its trainings, merges and proofs are."""
        return self.folder / "runs"

    @property
    def data(self) -> Path:
        """Where its training text is."""
        return self.folder / "data"

    def engine(self) -> Engine:
        """The chosen engine. AppError when none is chosen or it is gone."""
        if self.project.engine is None:
            raise AppError("No engine is chosen yet.", "Choose or build one in the step “Engine”.", code="no-engine")
        return installed.load(self.project.engine.resolve(self.folder))

    def base_model(self) -> Path:
        """The chosen base model's file. AppError when none is chosen or it is gone."""
        if self.project.base_model is None:
            raise AppError("No base model is chosen yet.", "Choose one in the step “Base model”.", code="no-model")
        return self.project.base_model.resolve(self.folder)


def open_project(folder: Path) -> Open:
    """Read the project of ``folder``."""
    return Open(folder=folder, project=projects.load(folder))


def format_data(opened: Open) -> tuple[RunFolder, Plan]:
    """Turn the project's files into training text below its ``data`` folder."""
    data = opened.project.data
    if not data.files:
        raise AppError("No chats or texts are chosen yet.", "Add some in the step “Training data”.", code="no-data")
    plan = prepare_plan(
        [file.resolve(opened.folder) for file in data.files],
        out="..",
        base_model=opened.base_model(),
        context_size=opened.project.hyperparameters.context_size,
        template=data.template,
        seed=data.seed,
    )
    return RunFolder(opened.data / "run"), plan


def training_text(opened: Open) -> Path:
    """The project's training text. AppError when the data step has not been done."""
    path = opened.data / TEXT_FILE
    if not path.is_file():
        raise AppError("The training text has not been made yet.", "Do the step “Training data” first.", code="no-data")
    return path


def estimate(opened: Open, pc: Machine) -> Estimate:
    """RAM, time and disk of training the project as it is."""
    engine = opened.engine() if opened.project.engine is not None else None
    size, settings = size_of(read(opened.base_model())), opened.project.hyperparameters
    return estimate_of(size, settings, blas=blas_of(engine), machine=pc, pace=pace_of(engine, pc))


def verdict_of(model: Path, accepts: Mapping[str, Any]) -> Verdict:
    """What an engine that ``accepts`` these bases can do with the model. AppError for a bad file."""
    return judge(inspect(model), Accepts.of(accepts))


def model_problems(opened: Open) -> tuple[Problem, ...]:
    """Why the chosen engine cannot train the chosen base model as it is."""
    verdict = verdict_of(opened.base_model(), opened.engine().accepts)
    if verdict.outcome is Outcome.AS_IT_IS:
        return ()
    return tuple(problem for problem in verdict.problems() if problem.blocking)


def data_problems(opened: Open) -> tuple[Problem, ...]:
    """Whether the training text was made, and from what is chosen now."""
    made_for = load_report(training_text(opened).parent).context_size
    wanted = opened.project.hyperparameters.context_size
    if made_for == wanted:
        problem = outdated(*format_data(opened)) if opened.project.data.files else None
        return (problem,) if problem is not None else ()
    return (
        Problem(
            message=f"The training text was made for a context of {made_for} tokens, the settings say {wanted}.",
            hint="Make the training text again.",
            code="data-outdated",
        ),
    )


def settings_problems(opened: Open, pc: Machine) -> tuple[Problem, ...]:
    """What speaks against the settings: values that cannot work, a PC that is too small, running on battery."""
    settings = opened.project.hyperparameters
    wrong = parameter_problems(settings)
    if not wrong and opened.project.engine is not None:
        wrong = flags.lacking(opened.engine(), settings)
    if wrong:
        return wrong
    battery = Problem(
        message="The PC runs on battery.",
        hint="Plug it in: a training takes long.",
        code="battery",
        blocking=False,
    )
    return (*((battery,) if pc.on_battery else ()), *fits(estimate(opened, pc), pc))


def _training_request(opened: Open) -> start.Request:
    report = load_report(training_text(opened).parent)
    return start.Request(
        data=training_text(opened),
        marker=report.marker,
        samples=report.totals.samples,
        base_model=opened.base_model(),
        engine=opened.engine(),
        settings=opened.project.hyperparameters,
    )


def train(opened: Open) -> RunFolder:
    """Make the folder of a new training from the project as it is now."""
    return start.create(opened.runs, _training_request(opened))


def training_plan(opened: Open) -> Plan:
    """The plan of a new training, without making anything."""
    request, folder = _training_request(opened), opened.runs / "0000"
    return start.plan(folder, start.snapshot(folder, request), request.engine)


def training_standing(opened: Open) -> Standing | None:
    """Where the newest training stands against what would be started now; None without one. AppError when damaged."""
    try:
        folder = latest_training(opened.folder)
    except AppError:
        return None
    try:
        wanted = start.snapshot(folder.path, _training_request(opened))
    except AppError:
        wanted = None
    return standing(folder, wanted)


def resume(opened: Open, folder: RunFolder) -> RunFolder:
    """Write the plan that goes on with a training. AppError when it cannot go on."""
    start.prepare_resume(folder, opened.engine())
    return folder


@dataclass(frozen=True, kw_only=True)
class MergeRequest:
    """Which LoRA of a training is merged how strongly into which type of file. ``iteration`` None is the last.

    ``keep_f32`` keeps the merged model at full precision as well, for a proof.
    """

    iteration: int | None = None
    output_type: str = "Q8_0"
    strength: float = 1.0
    keep_f32: bool = False


def merge(opened: Open, training: RunFolder, request: MergeRequest) -> RunFolder:
    """Make the run folder that merges."""
    return merging.create(opened.runs, _merge_of(opened, training, request), opened.engine())


def merge_plan(opened: Open, training: RunFolder, request: MergeRequest) -> Plan:
    """The plan of a merge, without making anything."""
    return merging.plan(_merge_of(opened, training, request), opened.runs / "0000", opened.engine())


def _merge_of(opened: Open, training: RunFolder, request: MergeRequest) -> merging.Merge:
    return merging.merge_of(
        opened.project.name, training.path, iteration=request.iteration,
        output_type=request.output_type, strength=request.strength,
        keep_f32=request.keep_f32,
    )  # fmt: skip


def checkpoints(training: RunFolder) -> tuple[int, ...]:
    """The iterations of which a LoRA exists, the newest last."""
    return tuple(numbers(training.path, "lora"))


def merges(opened: Open) -> tuple[Merged, ...]:
    """The project's merged models, the newest first."""
    return merges_of(opened.folder)


def newest_merge(opened: Open) -> RunFolder | None:
    """The run folder of the newest merge that is done, or None."""
    return next((merged.folder for merged in merges(opened)), None)


def merged_model(opened: Open, number: str | None = None) -> Merged:
    """The merged model of the run with that number, or the newest. AppError when there is none."""
    for merged in merges(opened):
        if number in {None, merged.folder.path.name}:
            return merged
    which = f" of run {number}" if number else ""
    raise AppError(f"There is no merged model{which} yet.", "Merge first.", code="no-model")


def candidates(opened: Open, *, with_lora: bool, merged: Merged | None = None) -> tuple[Candidate, ...]:
    """The models to compare: base, base with the merged LoRA (when asked for), and the merged one, else the newest.

    AppError before a merge.
    """
    merged = merged or merged_model(opened)
    what = merged.merge
    base = Path(what.base_model)
    found = [Candidate(id="base", title="Base model", model=base)]
    if with_lora:
        found.append(Candidate(id="lora", title="Base model + LoRA", model=base, lora=Path(what.lora)))
        wide = merged.folder.path / merging.MERGED_F32
        if wide.is_file():
            found.append(Candidate(id="wide", title="Merged model, before packing", model=wide))
    title = f"Merged model, {what.output_type}"
    return (*found, Candidate(id="merged", title=title, model=merged.path))


def ask(opened: Open, models: Sequence[Candidate], prompt: str, *, tokens: int, seed: int) -> RunFolder:
    """Make the run folder that asks every model the same."""
    threads = opened.project.hyperparameters.threads
    return prove.create(opened.runs, opened.engine(), models, prompt, tokens=tokens, threads=threads, seed=seed)


def card_facts(opened: Open, merge_folder: Path, *, hash_up_to: int = CHEAP) -> CardFacts:
    """What the card of a finished merge tells. Reads files; those of more than ``hash_up_to`` bytes are not hashed."""
    engine = None
    with suppress(AppError):
        engine = opened.engine()
    return facts.card_facts(
        opened.project.name, merge_folder, data=opened.data, template=opened.project.data.template, engine=engine,
        hash_up_to=hash_up_to,
    )  # fmt: skip


def howtos(opened: Open, merged: Merged) -> tuple[HowTo, ...]:
    """How to use a merged model in other programs, with a context that it knows and most PCs have room for."""
    trained, known = opened.project.hyperparameters.context_size, inspect(merged.path).context
    template = Path(opened.project.data.template).name.removesuffix(".toml")
    return howto.howtos(merged.path, max(trained, min(known, CONTEXT)), template)
