"""What the list of places says about each: its state and one short line."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication

from loragui.gui.session import Session
from loragui.gui.widgets.sidebar import ATTENTION, DONE, LOCKED, OPEN, RUNNING, Entry
from loragui.steps import Gate, Step

translate = QCoreApplication.translate


def title(step: Step | None) -> str:
    """How a place is called."""
    return {
        None: translate("Places", "Start"),
        Step.ENGINE: translate("Places", "Engine"),
        Step.MODEL: translate("Places", "Base model"),
        Step.DATA: translate("Places", "Training data"),
        Step.SETTINGS: translate("Places", "Settings"),
        Step.TRAIN: translate("Places", "Train"),
        Step.RESULT: translate("Places", "Result"),
    }[step]


def entries(session: Session) -> tuple[Entry, ...]:
    """Every place as the list shows it now."""
    start = Entry(title=title(None), note=translate("Places", "Your projects"))
    return (start, *(_entry(step, session) for step in Step))


def _entry(step: Step, session: Session) -> Entry:
    if session.store.opened is None:
        return Entry(title=title(step), state=LOCKED, note=translate("Places", "Open a project first"))
    running = session.running_step(step)
    if running is not None:
        percent = round(100 * running.progress.fraction)
        note = translate("Places", "Working, {percent} %").format(percent=percent)
        return Entry(title=title(step), state=RUNNING, note=note)
    gates = session.gates
    return Entry(title=title(step)) if step not in gates else _by_gate(step, gates)


def _by_gate(step: Step, gates: Mapping[Step, Gate]) -> Entry:
    gate = gates[step]
    if gate.locked:
        before = next(earlier for earlier in Step if not gates[earlier].done)
        note = translate("Places", "First: {step}").format(step=title(before))
        return Entry(title=title(step), state=LOCKED, note=note, reason=gate.locked[0].message)
    if gate.done:
        return Entry(title=title(step), state=DONE, note=translate("Places", "Done"))
    first = next(problem for problem in gate.missing if problem.blocking)
    fresh = first.code in {"no-engine", "no-model", "no-data", "no-training", "no-lora"}
    state = OPEN if fresh else ATTENTION
    return Entry(title=title(step), state=state, note=_short(first.message), reason=str(first))


def _short(text: str, most: int = 44) -> str:
    return text if len(text) <= most else f"{text[:most].rsplit(' ', 1)[0]} …"
