"""Result: merge what was trained, compare it with the base model, take it along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QWidget

from loragui import acts, units
from loragui.acts import Open
from loragui.errors import AppError, Problem
from loragui.gui.page import Act, Page
from loragui.gui.session import Session
from loragui.gui.watcher import RunWatcher
from loragui.gui.widgets.problem import ProblemBox, ProblemList
from loragui.gui.widgets.result_compare import ResultCompare
from loragui.gui.widgets.result_merge import ResultMerge
from loragui.gui.widgets.result_use import ResultCard, ResultModel, ResultUse
from loragui.gui.widgets.run_panel import RunPanel
from loragui.jobs.folder import FAILED, RunFolder
from loragui.outcome import Outcome, outcome
from loragui.result.card import card, write_card
from loragui.result.howto import HowTo
from loragui.result.runs import Merged
from loragui.steps import Step


@dataclass(frozen=True, kw_only=True)
class _About:
    """What is told about one merged model."""

    merged: Merged
    howtos: tuple[HowTo, ...]
    card: str


class ResultPage(Page):
    """Shows what came out of the project."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.seen = Outcome()
        self.heading(
            self.tr("Result"),
            self.tr(
                "What was learned is merged into the base model: one GGUF file that koboldcpp, llama.cpp and others "
                "can use. Compare it with the base model before you take it along."
            ),
        )
        self.problem, self.gate = ProblemBox(), ProblemList()
        self.panel = RunPanel(
            stop_cost=self.tr("Nothing is lost but the time: merging or asking begins again."), again=self._again
        )
        self.merge, self.model, self.compare = ResultMerge(), ResultModel(), ResultCompare()
        self.use, self.card = ResultUse(), ResultCard()
        parts = (self.problem, self.gate, self.panel, self.model, self.compare, self.use, self.card, self.merge)
        for part in parts:
            self.body.addWidget(part)
        self.body.addStretch(1)
        self.merge.changed.connect(self.act_changed)
        self.merge.wanted.connect(self._merge)
        self.model.chosen.connect(self._read_about)
        self.compare.asked.connect(self._asked)
        self.card.saving.connect(self._save_card)
        session.run_ended.connect(self._ended)
        session.runs_changed.connect(self._look_for_run)
        session.gates_changed.connect(self._render)

    def enter(self) -> None:
        """Look at what there is anew."""
        self.refresh()
        self._look_for_run()

    def refresh(self) -> None:
        """Read what has come out, in the background."""
        opened = self.session.store.opened
        if opened is not None:
            self.latest.ask(lambda: outcome(opened), self._take, self.problem.show_problem)

    def _take(self, seen: Outcome) -> None:
        self.seen = seen
        self.model.show_merges(seen.merges)
        if seen.unfinished is not None and self.panel.watcher is None:
            self.panel.show_run(self.session.watch(seen.unfinished))
        self._render()

    def _render(self) -> None:
        gate = self.session.gates.get(Step.RESULT)
        self.gate.show_problems(gate.locked if gate is not None else ())
        working = self.session.running_step(Step.RESULT) is not None
        self.merge.show_outcome(self.seen, working=working)
        self.compare.show_outcome(self.seen, working=working)
        self.act_changed.emit()

    def _read_about(self) -> None:
        opened, merged = self.session.store.opened, self.model.merged
        if opened is not None and merged is not None:
            self.session.reader.run(self, lambda: _about(opened, merged), self._show_about)

    def _show_about(self, about: _About) -> None:
        if self.model.merged == about.merged:
            self.use.show_howtos(about.howtos)
            self.card.show_card(about.card)

    def act(self) -> Act | None:
        """Merge, compare, and take it along."""
        running = self.session.running_step(Step.RESULT)
        if running is not None:
            return Act(text=self.tr("Working …"), why=self.tr("You may close the window; it goes on."))
        gate = self.session.gates.get(Step.RESULT)
        if gate is not None and gate.locked:
            return Act(text=self.tr("Merge"), why=gate.locked[0].message)
        if not self.seen.merges:
            failed = self.panel.watcher is not None and self.panel.watcher.state == FAILED
            text = self.tr("Try again") if failed else self.tr("Merge")
            return Act(text=text, run=self._merge if self.seen.trained else None, why=self._cost())
        if not any(answer.after_merge for answer in self.seen.answers):
            why = self.tr("Asks both models the same; takes a minute or two.")
            return Act(text=self.tr("Compare base and result"), run=self._compare, why=why)
        return Act(text=self.tr("Open folder"), run=self.model.open_folder)

    def _cost(self) -> str:
        if not self.seen.disk_needed:
            return ""
        return self.tr("Needs {size} of free disk while it works.").format(size=units.size(self.seen.disk_needed))

    def _merge(self) -> None:
        training, request = self.merge.training_folder(), self.merge.request()
        if training is not None:
            self._do(lambda opened: acts.merge(opened, training, request))

    def _compare(self) -> None:
        self._asked(self.compare.request())

    def _asked(self, what: tuple[str, int]) -> None:
        prompt, tokens = what
        merged = self.model.merged
        if not prompt.strip():
            hint = self.tr("Write how the text begins that both models shall go on with.")
            self.problem.show_problem(
                Problem(message=self.tr("There is no prompt yet."), hint=hint, code="no-prompt", blocking=False)
            )
            return
        self._do(
            lambda opened: acts.ask(
                opened, acts.candidates(opened, with_lora=False, merged=merged), prompt, tokens=tokens, seed=1
            )
        )

    def _do(self, make: Callable[[Open], RunFolder]) -> None:
        opened = self.session.store.opened
        if opened is not None and self.session.running_step(Step.RESULT) is None:
            self.problem.show_problem(None)
            self.session.background.run(self, lambda: make(opened), self._start, self.problem.show_problem)

    def _start(self, folder: RunFolder) -> None:
        watcher = self.session.watch(folder)
        self.panel.show_run(watcher)
        watcher.start()

    def _again(self) -> None:
        if self.panel.watcher is not None:
            self.panel.watcher.start()

    def _look_for_run(self) -> None:
        running = self.session.running_step(Step.RESULT)
        if running is not None and running is not self.panel.watcher:
            self.panel.show_run(running)
        self._render()

    def _ended(self, run: RunWatcher) -> None:
        if run is self.panel.watcher:
            self.refresh()

    def _save_card(self, text: str) -> None:
        merged = self.model.merged
        if merged is not None:
            folder = merged.folder.path
            self.session.background.run(
                self, lambda: write_card(folder, text), self._card_saved, self.card.problem.show_problem
            )

    def _card_saved(self, path: Path) -> None:
        self.card.saved.setText(self.tr("Saved as {name}.").format(name=path.name))


def _about(opened: Open, merged: Merged) -> _About:
    """How to use a merged model, and its card; runs in the background."""
    try:
        howtos = acts.howtos(opened, merged)
    except AppError:
        howtos = ()
    try:
        text = card(acts.card_facts(opened, merged.folder.path))
    except AppError:
        text = ""
    return _About(merged=merged, howtos=howtos, card=text)
