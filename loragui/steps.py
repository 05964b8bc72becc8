"""The order of the wizard's steps, and the gate of each: why it cannot be done yet.

Later steps stand on earlier ones, so a step's problems are those of all before it that are still open, then its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from loragui import acts
from loragui.acts import MergeRequest, Open
from loragui.data import job
from loragui.engine import recipes, timing
from loragui.engine.tools import get
from loragui.errors import AppError, Problem
from loragui.jobs.pyjob import os_problem
from loragui.machine import Machine
from loragui.model import convert, fetch
from loragui.result import merge, prove
from loragui.training import start
from loragui.training.runs import latest_training


class Step(Enum):
    """The places of a project, in order."""

    ENGINE = "Engine"
    MODEL = "Base model"
    DATA = "Training data"
    SETTINGS = "Settings"
    TRAIN = "Train"
    RESULT = "Result"


def missing(step: Step, opened: Open, pc: Machine) -> tuple[Problem, ...]:
    """What keeps ``step`` itself from being done: nothing chosen, a file gone, settings that cannot work.

    A training is done as soon as it has saved a LoRA: from then on there is something to merge.
    """
    try:
        return _DONE[step](opened, pc)
    except AppError as error:
        return (error.problem,)
    except OSError as error:
        return (os_problem(error),)


def problems(step: Step, opened: Open, pc: Machine) -> tuple[Problem, ...]:
    """Why ``step`` cannot be entered: what is missing in the steps before it. Empty when it is open."""
    return gates(opened, pc)[step].locked


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One step: what is ``missing`` before it is done, and why it is ``locked`` (what earlier steps miss)."""

    missing: tuple[Problem, ...] = ()
    locked: tuple[Problem, ...] = ()

    @property
    def done(self) -> bool:
        """Whether nothing is missing but advice."""
        return not any(problem.blocking for problem in (*self.missing, *self.locked))


def gates(opened: Open, pc: Machine) -> dict[Step, Gate]:
    """Every step's gate, in their order."""
    found: dict[Step, Gate] = {}
    so_far: list[Problem] = []
    for step in Step:
        here = missing(step, opened, pc)
        found[step] = Gate(missing=here, locked=tuple(dict.fromkeys(so_far)))  # the next step often misses the same
        so_far.extend(problem for problem in here if problem.blocking)
    return found


def step_of(kind: str) -> Step | None:
    """The step whose page shows a run of that kind (``Plan.kind``)."""
    return _KINDS.get(kind)


def _engine(opened: Open, _pc: Machine) -> tuple[Problem, ...]:
    opened.engine()
    return ()


def _model(opened: Open, _pc: Machine) -> tuple[Problem, ...]:
    return acts.model_problems(opened)


def _data(opened: Open, _pc: Machine) -> tuple[Problem, ...]:
    return acts.data_problems(opened)


def _train(opened: Open, _pc: Machine) -> tuple[Problem, ...]:
    acts.merge_plan(opened, latest_training(opened.folder), MergeRequest())
    return ()


def _result(opened: Open, _pc: Machine) -> tuple[Problem, ...]:
    acts.candidates(opened, with_lora=False)
    return ()


_KINDS: Mapping[str, Step] = {
    recipes.KIND: Step.ENGINE,
    get.KIND: Step.ENGINE,
    timing.KIND: Step.ENGINE,
    fetch.KIND: Step.MODEL,
    convert.KIND: Step.MODEL,
    job.JOB: Step.DATA,
    start.KIND: Step.TRAIN,
    merge.KIND: Step.RESULT,
    prove.KIND: Step.RESULT,
}

_DONE: Mapping[Step, Callable[[Open, Machine], tuple[Problem, ...]]] = {
    Step.ENGINE: _engine,
    Step.MODEL: _model,
    Step.DATA: _data,
    Step.SETTINGS: acts.settings_problems,
    Step.TRAIN: _train,
    Step.RESULT: _result,
}
