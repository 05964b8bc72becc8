"""Closing the window while work is going on: what may happen to the work, and what each choice costs."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from loragui.gui.session import Session
from loragui.gui.watcher import RunWatcher
from loragui.gui.widgets.dialogs import Choice, ask
from loragui.training.start import KIND as TRAINING

KEEP, AFTER_SAVE, NOW = "keep", "after-save", "now"
translate = QCoreApplication.translate


def may_leave(window: QWidget, session: Session) -> bool:
    """Whether the window may close now; asks when work is going on, and does what was chosen."""
    going = [run for run in session.running() if not run.stopping]
    if not going:
        return True
    titles = ", ".join(run.plan.title for run in going if run.plan is not None)
    answer = ask(
        window,
        translate("Leaving", "Work is going on"),
        translate("Leaving", "{work} is not finished. What shall happen to it?").format(work=titles),
        choices(going),
    )
    if answer in {AFTER_SAVE, NOW}:
        for run in going:
            run.stop(after_save=answer == AFTER_SAVE and is_training(run))
    return bool(answer)


def choices(going: list[RunWatcher]) -> tuple[Choice, ...]:
    """The choices for these runs: a training can also stop where nothing is lost."""
    training = any(is_training(run) for run in going)
    keep = Choice(
        id=KEEP,
        text=translate("Leaving", "&Keep working in the background"),
        about=translate("Leaving", "Costs nothing. Open loragui again at any time to see how far it is."),
    )
    if training:
        keep = Choice(id=KEEP, text=translate("Leaving", "&Keep training in the background"), about=keep.about)
    after = Choice(
        id=AFTER_SAVE,
        text=translate("Leaving", "Stop &after the next checkpoint"),
        about=translate("Leaving", "Loses nothing: it trains until the next checkpoint is saved, then stops."),
    )
    cost = translate("Leaving", "What was done since the last checkpoint is lost and must be trained again.")
    if not training:
        cost = translate("Leaving", "The part that is being done now must be done again; finished parts are kept.")
    now = Choice(id=NOW, text=translate("Leaving", "&Stop now"), about=cost)
    return (keep, after, now) if training else (keep, now)


def is_training(run: RunWatcher) -> bool:
    """Whether the run is a training, which saves checkpoints."""
    return run.plan is not None and run.plan.kind == TRAINING
