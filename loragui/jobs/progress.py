"""How far a run is, folded from its events; the same for the window and the command line."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from loragui.jobs.events import (
    Metric,
    Note,
    Progress,
    RunStarted,
    Stamped,
    StepEnded,
    StepStarted,
)
from loragui.jobs.plan import Plan


@dataclass(frozen=True, kw_only=True)
class State:
    """A run's progress. ``fraction`` of the whole plan 0 to 1, ``eta`` seconds left of the current step or None."""

    fraction: float = 0.0
    step: str = ""
    title: str = ""
    index: int = 0
    count: int = 0
    done: float = 0.0
    total: float = 0.0
    unit: str = ""
    note: str = ""
    eta: float | None = None
    began: float = 0.0


def advance(state: State, stamped: Stamped, plan: Plan) -> State:
    """The progress after one more event. ``plan`` gives the steps' weights."""
    match stamped.event:
        case RunStarted():
            return State()
        case StepStarted() as started:
            return State(
                fraction=_share(plan, started.index, 0.0),
                step=started.id,
                title=started.title,
                index=started.index,
                count=started.count,
                began=stamped.time,
            )
        case StepEnded(ok=True):
            return dataclasses.replace(state, fraction=_share(plan, state.index, 1.0), eta=None)
        case Progress() as progress:
            state = dataclasses.replace(state, note=progress.text or state.note)
            return _moved(state, plan, stamped.time, progress.done, progress.total, progress.unit, progress.eta)
        case Metric() as metric:
            return _moved(state, plan, stamped.time, metric.iteration, metric.total, "iterations", metric.eta)
        case Note(text=text):
            return dataclasses.replace(state, note=text)
        case _:
            return state


def _moved(state: State, plan: Plan, now: float, done: float, total: float, unit: str, eta: float | None) -> State:
    part = min(1.0, done / total) if total > 0 else 0.0
    spent = now - state.began
    if eta is None and part > 0.02 and spent > 1:
        eta = spent * (1 - part) / part
    return dataclasses.replace(
        state, fraction=_share(plan, state.index, part), done=done, total=total, unit=unit, eta=eta
    )


def _share(plan: Plan, index: int, part: float) -> float:
    weights = [step.weight for step in plan.steps]
    whole = sum(weights) or 1.0
    here = weights[index] if index < len(weights) else 0.0
    return min(1.0, (sum(weights[:index]) + part * here) / whole)
