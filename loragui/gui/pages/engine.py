"""Engine: what the PC has, the engine that suits it, building it, and the engines that are there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtWidgets import QButtonGroup, QRadioButton, QVBoxLayout, QWidget

from loragui import acquire, units
from loragui.acquire import Work
from loragui.engine import catalogue, installed, recipes
from loragui.engine.catalogue import Recipe
from loragui.engine.installed import Engine, Found
from loragui.errors import Problem
from loragui.gui.page import Act, Page
from loragui.gui.session import Session
from loragui.gui.watcher import RunWatcher
from loragui.gui.widgets.basic import Badge, Card, Details, Facts, button, clear, label, row, rule
from loragui.gui.widgets.dialogs import Choice, ask
from loragui.gui.widgets.problem import ProblemBox
from loragui.gui.widgets.run_panel import RunPanel
from loragui.jobs.folder import FAILED, UNFINISHED, RunFolder
from loragui.machine import doctor_rows
from loragui.paths import Workspace
from loragui.project import FileRef
from loragui.steps import Step


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What is on this PC, and what can be built; read in the background."""

    found: tuple[Found, ...]
    recommended: Recipe
    problems: dict[str, tuple[Problem, ...]]
    unfinished: RunFolder | None = None
    """The build of the recommended engine that did not come to its end."""

    @property
    def usable(self) -> tuple[Engine, ...]:
        """The engines that work."""
        return tuple(one.engine for one in self.found if one.engine is not None)


class EnginePage(Page):
    """Chooses or builds the engine of the project."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.seen: _Seen | None = None
        self.recipe: Recipe | None = None
        self.problem = ProblemBox()
        self.heading(
            self.tr("Engine"),
            self.tr(
                "The engine is llama.cpp, the program that trains. Newer versions of it can no longer train, so "
                "loragui builds one that is known to do it well. This is done once, for all your projects."
            ),
        )
        self.panel = RunPanel(
            stop_cost=self.tr("The file that is being compiled is begun again next time; finished files are kept."),
            again=self._build,
        )
        self._pc = Card(self.tr("This PC"))
        self._facts = Facts()
        self._pc.box.addWidget(self._facts)
        for part in (self.problem, self.panel, self._recipes(), self._engines(), self._pc):
            self.body.addWidget(part)
        self.body.addStretch(1)
        session.machine_changed.connect(self._show_pc)
        session.run_ended.connect(self._ended)
        session.runs_changed.connect(self._look_for_build)
        session.store.changed.connect(self._render)
        session.gates_changed.connect(self._render)
        self._show_pc()

    def _recipes(self) -> Card:
        card = Card(self.tr("How it is built"))
        self._choice = label(wrap=True)
        self._why = label(role="quiet", wrap=True)
        others = Details(self.tr("&Other ways to build"))
        self._group = QButtonGroup(self)
        self._ways: dict[str, QRadioButton] = {}
        for recipe in catalogue.recipes():
            made = QRadioButton(recipe.name)
            made.setAccessibleDescription(recipe.why)
            made.toggled.connect(partial(self._choose, recipe))
            self._ways[recipe.id] = made
            self._group.addButton(made)
            others.box.addWidget(made)
        self._about = label(role="quiet", wrap=True)
        others.box.addWidget(self._about)
        for part in (self._choice, self._why, others):
            card.box.addWidget(part)
        return card

    def _engines(self) -> Card:
        self.installed = Card(self.tr("Engines on this PC"))
        self._list = QVBoxLayout()
        self.installed.box.addLayout(self._list)
        return self.installed

    def enter(self) -> None:
        """Look at the engines anew."""
        self.refresh()

    def refresh(self) -> None:
        """Read what is there in the background."""
        workspace = self.session.workspace
        self.latest.ask(lambda: _look(workspace), self._take, self.problem.show_problem)

    def _take(self, seen: _Seen) -> None:
        self.seen = seen
        for name, made in self._ways.items():
            made.setEnabled(not seen.problems[name])
            made.setToolTip(seen.problems[name][0].message if seen.problems[name] else "")
        unavailable = [str(problem) for problems in seen.problems.values() for problem in problems]
        self._about.setText("\n".join(unavailable))
        self._about.setVisible(bool(unavailable))
        if self.recipe is None:
            self.recipe = seen.recommended
            self._ways[self.recipe.id].setChecked(True)
        if seen.unfinished is not None and not seen.usable and self.panel.watcher is None:
            self.panel.show_run(self.session.watch(seen.unfinished))
        self._look_for_build()
        self._render()

    def _choose(self, recipe: Recipe, on: bool) -> None:  # noqa: FBT001 - Qt's signal
        if on:
            self.recipe = recipe
            self._render()

    def _show_pc(self) -> None:
        pc = self.session.machine
        if pc is not None:
            self._facts.show_rows(doctor_rows(pc))

    def _look_for_build(self) -> None:
        running = self.session.running_step(Step.ENGINE)
        if running is not None:
            self.panel.show_run(running)
        self.act_changed.emit()

    def _render(self) -> None:
        if self.session.store.opened is None or self.seen is None or self.recipe is None:
            return
        recipe, pin = self.recipe, catalogue.pins()[0]
        text = self.tr("{way}. {why}") if recipe == self.seen.recommended else self.tr("{way} (your choice). {why}")
        self._choice.setText(text.format(way=recipe.name, why=recipe.why))
        self._why.setText(
            self.tr("{pin}. {why} Takes {size} of disk while it is built.").format(
                pin=pin.name, why=pin.why, size=units.size(recipes.disk_needed(recipe, pin))
            )
        )
        self._show_engines()
        gate = self.session.gates.get(Step.ENGINE)
        gone = gate.missing[0] if gate is not None and gate.missing else None
        self.problem.show_problem(gone if gone is not None and gone.code != "no-engine" else None)
        self.act_changed.emit()

    def _show_engines(self) -> None:
        assert self.seen is not None  # noqa: S101 - only called with it
        clear(self._list)
        self.installed.setVisible(bool(self.seen.found))
        for number, found in enumerate(self.seen.found):
            if number:
                self._list.addWidget(rule())
            self._list.addWidget(self._row(found))

    def _row(self, found: Found) -> QWidget:
        made = QWidget()
        box = QVBoxLayout(made)
        box.setContentsMargins(0, 0, 0, 0)
        engine, name = found.engine, found.folder.name
        mine = engine is not None and self._is_mine(engine)
        parts: list[QWidget | int] = [label(name), 1]
        if mine or engine is None:
            parts.insert(1, Badge(self.tr("Used here"), "good") if mine else Badge(self.tr("Damaged"), "bad"))
        else:
            parts.append(button(self.tr("&Use {name}").format(name=name), partial(self._use, engine)))
        parts.append(button(self.tr("Remo&ve {name}").format(name=name), partial(self._remove, name)))
        box.addLayout(row(*parts))
        if engine is not None:
            about = self.tr("{pin}, built {date}, {size}")
            text = about.format(pin=engine.pin, date=engine.built[:10], size=units.size(engine.size))
        else:
            text = str(found.problem)
        box.addWidget(label(text, role="quiet", wrap=True))
        return made

    def _is_mine(self, engine: Engine) -> bool:
        chosen = self.session.store.project.engine
        opened = self.session.store.opened
        if chosen is None or opened is None:
            return False
        here = FileRef.of(engine.folder, opened.folder)
        return chosen.relative == here.relative if here.relative else chosen == here

    def act(self) -> Act | None:
        """Use what is there, build what is not, or go on."""
        gate = self.session.gates.get(Step.ENGINE)
        if self.session.running_step(Step.ENGINE) is not None:
            return Act(text=self.tr("Building …"), why=self.tr("You may close the window; it goes on."))
        if gate is not None and gate.done:
            return self.next_act(Step.MODEL, self.tr("Continue to the base model"))
        if self.seen is None or self.recipe is None:
            return Act(text=self.tr("Build engine"))
        usable = self.seen.usable
        if usable:
            newest = max(usable, key=lambda engine: engine.built)
            return Act(text=self.tr("Use this engine"), run=partial(self._use, newest), why=newest.name)
        blocked = self.seen.problems[self.recipe.id]
        if blocked:
            return Act(text=self.tr("Build engine"), why=str(blocked[0]))
        failed = self.panel.watcher is not None and self.panel.watcher.state == FAILED
        return Act(text=self.tr("Try again") if failed else self.tr("Build engine"), run=self._build, why=self._cost())

    def _cost(self) -> str:
        assert self.recipe is not None  # noqa: S101 - only called with it
        pin = catalogue.pins()[0]
        return self.tr("Downloads up to {size} and takes about {time}; longer on a slow PC.").format(
            size=units.size(pin.download_bytes + self.recipe.download_bytes),
            time=units.duration(self.recipe.seconds),
        )

    def _build(self) -> None:
        recipe, workspace = self.recipe, self.session.workspace
        if recipe is not None:
            self.session.background.run(
                self, lambda: acquire.engine_work(recipe, workspace), self._start, self.problem.show_problem
            )

    def _start(self, work: Work) -> None:
        watcher = self.session.watch(work.folder)
        self.panel.show_run(watcher)
        watcher.start(work.plan)

    def _ended(self, watcher: RunWatcher) -> None:
        if watcher is not self.panel.watcher:
            return
        self.refresh()
        made = watcher.plan.facts.get("engine") if watcher.plan is not None else None
        opened = self.session.store.opened
        gate = self.session.gates.get(Step.ENGINE)
        if watcher.state == "done" and made and opened is not None and not (gate is not None and gate.done):
            self.session.store.edit(engine=FileRef.of(self.session.workspace.engines / str(made), opened.folder))

    def _use(self, engine: Engine | None) -> None:
        opened = self.session.store.opened
        if engine is not None and opened is not None:
            self.session.store.edit(engine=FileRef.of(engine.folder, opened.folder))

    def _remove(self, name: str) -> None:
        if self.session.running():
            hint = self.tr("Wait for its end, or stop it.")
            message = self.tr("Work is going on that may need this engine.")
            self._failed(Problem(message=message, hint=hint, code="engine-busy", blocking=False))
            return
        size = next((units.size(e.size) for e in self.seen.usable if e.name == name), "") if self.seen else ""
        about = self.tr("Frees {size}.").format(size=size) if size else ""
        answer = ask(
            self,
            self.tr("Remove the engine?"),
            self.tr("Projects that use {name} need another one then. It can be built again.").format(name=name),
            (Choice(id="remove", text=self.tr("&Remove"), about=about),),
        )
        if answer:
            workspace = self.session.workspace
            self.session.background.run(self, lambda: installed.remove(workspace, name), self._removed, self._failed)

    def _removed(self, _nothing: None) -> None:
        self.refresh()
        self.session.refresh_gates()

    def _failed(self, problem: Problem) -> None:
        self.problem.show_problem(problem)


def _look(workspace: Workspace) -> _Seen:
    recommended = acquire.recommended_recipe()
    build = acquire.engine_folder(recipes.engine_name(catalogue.pins()[0], recommended), workspace)
    return _Seen(
        found=installed.survey(workspace),
        recommended=recommended,
        unfinished=build if build.look().state in UNFINISHED else None,
        problems={recipe.id: recipes.problems(recipe) for recipe in catalogue.recipes()},
    )
