"""Base model: choose, get, understand, and if need be convert the model that the LoRA is trained for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from loragui import acquire, offers, units
from loragui.acquire import Work
from loragui.errors import AppError, Problem
from loragui.gui.page import Act, Page
from loragui.gui.session import Session
from loragui.gui.watcher import RunWatcher
from loragui.gui.widgets.basic import Card, Details, Facts, button, clear, label, row, rule
from loragui.gui.widgets.drop import Drops
from loragui.gui.widgets.model_offer import ModelOffer, fit_badge
from loragui.gui.widgets.problem import ProblemBox
from loragui.gui.widgets.run_panel import RunPanel
from loragui.jobs.folder import DONE
from loragui.machine import Machine
from loragui.model import catalogue
from loragui.model.convert import target_name
from loragui.model.inspect import describe
from loragui.model.judge import Outcome
from loragui.offers import Chosen, Offer
from loragui.paths import Workspace
from loragui.project import FileRef, Hyperparameters
from loragui.steps import Gate, Step

PLAIN = ("Name", "Size", "Number format", "Context", "Licence")
"""Rows of ``describe`` that everybody may want to know; the others stand under Details."""


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What can be chosen, and what is chosen."""

    offers: tuple[Offer, ...] = ()
    chosen: Chosen | None = None
    problem: Problem | None = None


class ModelPage(Page):
    """Chooses the project's base model."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.seen = _Seen()
        self._begun: set[Path] = set()
        self._shown: tuple[tuple[Offer, ...], Path | None] | None = None
        self._told: Chosen | None = None
        self.heading(
            self.tr("Base model"),
            self.tr(
                "The base model can write already. Your LoRA teaches it your style or your characters, and works with "
                "this very model only. Larger models write better and need more memory and time."
            ),
        )
        self.problem = ProblemBox()
        self.panel = RunPanel(
            stop_cost=self.tr("What is downloaded or written so far of this file is begun again next time."),
            again=self._again,
        )
        self.chosen = Card(self.tr("Your base model"))
        self._chosen_box = QVBoxLayout()
        self.chosen.box.addLayout(self._chosen_box)
        self.list = Card(self.tr("Models to choose from"))
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        self.list.box.addLayout(self._list)
        for part in (self.problem, self.panel, self.chosen, self.list, self._own_file()):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self._drops = Drops(self, self.own)
        self._drops.dropped.connect(self._dropped)
        session.run_ended.connect(self._ended)
        session.runs_changed.connect(self._look_for_run)
        for moved in (session.store.changed, session.machine_changed):
            moved.connect(self.refresh)
        session.gates_changed.connect(self.act_changed)
        self._render()

    def _own_file(self) -> Card:
        self.own = Card(self.tr("A file of your own"))
        self.own.box.addWidget(
            label(self.tr("Any GGUF file of a Llama-like model. Drop it here, or choose it."), role="quiet", wrap=True)
        )
        self.browse = button(self.tr("&Choose a GGUF file …"), self._browse)
        self.own.box.addLayout(row(self.browse, 1))
        return self.own

    def enter(self) -> None:
        """Look at the models anew."""
        self.refresh()
        self._look_for_run()

    def refresh(self) -> None:
        """Read models and verdict in the background."""
        opened, pc = self.session.store.opened, self.session.machine
        if opened is None or pc is None:
            return
        settings, workspace = opened.project.hyperparameters, self.session.workspace
        chosen, folder = opened.project.base_model, opened.folder
        engine = opened.project.engine

        def look() -> _Seen:
            return _look(workspace, settings, pc, _Wanted(chosen=chosen, engine=engine, folder=folder))

        self.latest.ask(look, self._take)

    def _take(self, seen: _Seen) -> None:
        self.seen = seen
        self._render()

    def _render(self) -> None:
        self.problem.show_problem(self.seen.problem)
        self._show_offers()
        self._show_chosen()
        self.act_changed.emit()

    def _show_offers(self) -> None:
        shown = self.seen.offers, self.seen.chosen.model.path if self.seen.chosen else None
        if shown == self._shown:
            return  # rows that stay the same keep the focus
        self._shown = shown
        clear(self._list)
        for number, offer in enumerate(self.seen.offers):
            if number:
                self._list.addWidget(rule())
            made = ModelOffer(offer, mine=self._is_mine(offer.path))
            made.taken.connect(self._take_offer)
            self._list.addWidget(made)

    def _is_mine(self, path: Path | None) -> bool:
        chosen = self.seen.chosen
        return path is not None and chosen is not None and path == chosen.model.path

    def _show_chosen(self) -> None:
        chosen = self.seen.chosen
        self.chosen.setVisible(chosen is not None)
        if chosen is None or chosen == self._told:
            return
        self._told = chosen
        clear(self._chosen_box)
        rows = describe(chosen.model)
        badge = fit_badge(chosen.fit)
        summary = label(chosen.verdict.summary(), wrap=True)
        self._chosen_box.addLayout(row(summary, *([badge] if badge is not None else [])))
        if chosen.fit is not None:
            self._chosen_box.addWidget(label(chosen.fit.sentence, role="quiet", wrap=True))
        for problem in chosen.verdict.problems():
            self._chosen_box.addWidget(label(f"•  {problem}", wrap=True))
        if chosen.verdict.outcome is Outcome.COPY:
            kept = self.tr("The original file stays as it is. The copy computes exactly the same.")
            self._chosen_box.addWidget(label(kept, role="quiet", wrap=True))
        self._chosen_box.addWidget(Facts(pair for pair in rows if pair[0] in PLAIN))
        more = Details(self.tr("De&tails of this model"))
        more.box.addWidget(Facts(pair for pair in rows if pair[0] not in PLAIN))
        self._chosen_box.addWidget(more)

    def act(self) -> Act | None:
        """Get, use or convert a model, or go on."""
        running = self.session.running_step(Step.MODEL)
        if running is not None:
            return Act(text=self.tr("Working …"), why=self.tr("You may close the window; it goes on."))
        chosen, gate = self.seen.chosen, self.session.gates.get(Step.MODEL)
        if chosen is not None and chosen.verdict.outcome is Outcome.AS_IT_IS and gate is not None and gate.done:
            return self.next_act(Step.DATA, self.tr("Continue to the training data"))
        if chosen is not None:
            return self._act_of(chosen, gate)
        first = next((offer for offer in self.seen.offers if not offer.page), None)
        if first is None:
            return Act(text=self.tr("Download"))
        if first.path is not None:
            return Act(text=self.tr("Use {name}").format(name=first.name), run=partial(self._take_offer, first))
        return Act(
            text=self.tr("Download {name}").format(name=first.name),
            run=partial(self._take_offer, first),
            why=self.tr("Downloads {size}.").format(size=units.size(first.download_bytes)),
        )

    def _act_of(self, chosen: Chosen, gate: Gate | None) -> Act:
        match chosen.verdict.outcome:
            case Outcome.COPY if chosen.copy is not None:
                copy = chosen.copy
                return Act(text=self.tr("Use the converted copy"), run=partial(self._use, copy), why=copy.name)
            case Outcome.COPY:
                size = units.size(chosen.verdict.copy_bytes)
                return Act(
                    text=self.tr("Make a converted copy"),
                    run=self._convert,
                    why=self.tr("Takes {size} of disk and about as long as copying such a file.").format(size=size),
                )
            case Outcome.NO:
                why = next((str(found) for found in chosen.verdict.problems() if found.blocking), "")
                return Act(text=self.tr("Choose another model"), why=why)
        why = str(gate.missing[0]) if gate is not None and gate.missing else ""
        return Act(text=self.tr("Continue to the training data"), why=why)

    def _take_offer(self, offer: Offer) -> None:
        if offer.path is not None:
            self._use(offer.path)
            return
        workspace = self.session.workspace
        self._do(lambda: acquire.model_work(catalogue.find(offer.id), workspace))

    def _convert(self) -> None:
        chosen, workspace = self.seen.chosen, self.session.workspace
        if chosen is not None:
            self._do(lambda: acquire.copy_work(chosen.model.path, chosen.verdict, workspace))

    def _do(self, make: Callable[[], Work]) -> None:
        self.session.background.run(self, make, self._start, self.problem.show_problem)

    def _start(self, work: Work) -> None:
        self._begun.add(work.folder.path)
        watcher = self.session.watch(work.folder)
        self.panel.show_run(watcher)
        watcher.start(work.plan)

    def _again(self) -> None:
        watcher = self.panel.watcher
        if watcher is not None:
            watcher.start()

    def _look_for_run(self) -> None:
        running = self.session.running_step(Step.MODEL)
        if running is not None:
            self.panel.show_run(running)
        self.act_changed.emit()

    def _ended(self, watcher: RunWatcher) -> None:
        if watcher is not self.panel.watcher:
            return
        made = watcher.results.get("model")
        if watcher.state == DONE and made and self._is_for_this_project(watcher, Path(str(made))):
            self._use(Path(str(made)))
        self.refresh()

    def _is_for_this_project(self, watcher: RunWatcher, made: Path) -> bool:
        """Models are shared: another project's work may be shown here, and must not change this project."""
        chosen, project = self.seen.chosen, self.session.store.project
        if watcher.folder.path in self._begun or project.base_model is None:
            return True
        if chosen is None or chosen.verdict.recipe is None:
            return False
        return made.name == target_name(chosen.model.path, chosen.verdict.recipe)

    def _use(self, path: Path) -> None:
        opened = self.session.store.opened
        if opened is not None:
            self.session.store.edit(base_model=FileRef.of(path, opened.folder))

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, self.tr("Choose a base model"), "", self.tr("GGUF models (*.gguf);;All files (*)")
        )
        if chosen:
            self._use(Path(chosen))

    def _dropped(self, files: tuple[Path, ...]) -> None:
        if len(files) == 1 and files[0].is_file():
            self._use(files[0])
            return
        self.problem.show_problem(
            Problem(
                message=self.tr("A base model is one file."),
                hint=self.tr("Drop one GGUF file."),
                code="one-file",
                blocking=False,
            )
        )


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What the project has chosen."""

    chosen: FileRef | None
    engine: FileRef | None
    folder: Path


def _look(workspace: Workspace, settings: Hyperparameters, pc: Machine, wanted: _Wanted) -> _Seen:
    """Offers and verdict; runs in the background."""
    found = offers.model_offers(workspace, settings, pc)
    if wanted.chosen is None:
        return _Seen(offers=found)
    try:
        accepts = acquire.accepts_of(wanted.engine, wanted.folder)
        path = wanted.chosen.resolve(wanted.folder)
        return _Seen(offers=found, chosen=offers.chosen(path, accepts, settings, pc, workspace))
    except AppError as error:
        return _Seen(offers=found, problem=error.problem)
