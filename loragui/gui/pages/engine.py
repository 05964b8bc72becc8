"""Engine: the way to build that suits this PC, building it, the engines that are there, and the tools for it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog, QWidget

from loragui import acquire, machine, units, workshop
from loragui.acquire import Work
from loragui.engine import installed, recipes
from loragui.engine.catalogue import Pin, Recipe
from loragui.engine.installed import Engine
from loragui.engine.timing import KIND
from loragui.engine.tools import get
from loragui.engine.tools.get import Way
from loragui.errors import Problem
from loragui.gui.page import Act, Page
from loragui.gui.session import Session
from loragui.gui.watcher import RunWatcher
from loragui.gui.widgets.basic import Card, Facts
from loragui.gui.widgets.dialogs import Choice, ask
from loragui.gui.widgets.engine_list import EngineList
from loragui.gui.widgets.engine_tools import EngineTools
from loragui.gui.widgets.engine_ways import EngineWays
from loragui.gui.widgets.problem import ProblemBox
from loragui.gui.widgets.run_panel import RunPanel
from loragui.jobs.folder import BROKEN, DONE, FAILED, STOPPED
from loragui.machine import doctor_rows
from loragui.steps import Step
from loragui.workshop import EngineRow, ToolRow, Workshop

_FAILED = frozenset({FAILED, BROKEN})


class EnginePage(Page):
    """Chooses or builds the engine of the project."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.seen: Workshop | None = None
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
            again=self._again,
            costs={KIND: self.tr("Nothing is kept."), get.KIND: self.tr("What is downloaded is kept.")},
        )
        self.ways, self.list, self.tools = EngineWays(), EngineList(), EngineTools()
        self._pc = Card(self.tr("This PC"))
        self._facts = Facts()
        self._pc.box.addWidget(self._facts)
        for part in (self.problem, self.panel, self.ways, self.list, self.tools, self._pc):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self._last: tuple[RunWatcher, Callable[[], None]] | None = None
        self._connect()
        self._show_pc()

    def _connect(self) -> None:
        session = self.session
        session.machine_changed.connect(self._show_pc)
        session.run_ended.connect(self._ended)
        session.runs_changed.connect(self._look_for_build)
        session.store.changed.connect(self._render)
        session.gates_changed.connect(self._render)
        self.ways.changed.connect(self.act_changed.emit)
        self.ways.build_wanted.connect(self._build)
        self.act_changed.connect(self._offer_build)
        self.ways.ready_wanted.connect(self._take_ready)
        self.list.use_wanted.connect(lambda engine: self._use(engine.folder))
        self.list.rebuild_wanted.connect(self._rebuild)
        self.list.update_wanted.connect(self._update)
        self.list.tune_wanted.connect(self._tune)
        self.list.remove_wanted.connect(self._remove)
        self.tools.wanted.connect(self._get_tool)
        self.tools.again.connect(partial(self.refresh, tools=True))

    def enter(self) -> None:
        """Look at the engines anew."""
        self.refresh()

    def refresh(self, *, tools: bool = False) -> None:
        """Read what is there in the background; ``tools`` only the first time and when they may have changed."""
        workspace, pc = self.session.workspace, self.session.machine
        found = self.seen.found if self.seen is not None and not tools else None

        def look() -> Workshop:
            return workshop.look(workspace, pc or machine.look(workspace.root), found=found)

        self.latest.ask(look, self._take, self._failed)

    def _take(self, seen: Workshop) -> None:
        self.seen = seen
        self.ways.show_workshop(seen)
        self.tools.show_rows(seen.tools, seen.recommendation.recipe)
        if seen.unfinished is not None and not seen.usable and self.panel.watcher is None:
            self.panel.show_run(self.session.watch(seen.unfinished))
        self._look_for_build()
        self._render()

    def _show_pc(self) -> None:
        if (pc := self.session.machine) is not None:
            self._facts.show_rows(doctor_rows(pc))

    def _look_for_build(self) -> None:
        if (running := self.session.running_step(Step.ENGINE)) is not None:
            self.panel.show_run(running)
        self.act_changed.emit()

    def _render(self) -> None:
        if self.session.store.opened is None or self.seen is None:
            return
        mine = self._mine()
        self.list.show_rows(self.seen.engines, mine.name if mine is not None else "")
        gate = self.session.gates.get(Step.ENGINE)
        gone = gate.missing[0] if gate is not None and gate.missing else None
        self.problem.show_problem(gone if gone is not None and gone.code != "no-engine" else None)
        self.act_changed.emit()

    def _mine(self) -> EngineRow | None:
        """The engine that the project uses; None without one, or for one of elsewhere."""
        opened = self.session.store.opened
        if opened is None or self.seen is None:
            return None
        return self.seen.used(self.session.store.project.engine, opened.folder)

    def act(self) -> Act | None:
        """Use what is there, build what is not, or go on."""
        if self.session.running_step(Step.ENGINE) is not None:
            return Act(text=self.tr("Working …"), why=self.tr("You may close the window; it goes on."))
        if self._has_engine():
            return self.next_act(Step.MODEL, self.tr("Continue to the base model"))
        if self.seen is None:
            return Act(text=self.tr("Build engine"))
        mine, usable = self._mine(), self.seen.usable
        if mine is not None and mine.found.engine is None and mine.again is not None:
            return Act(text=self.tr("Build it again"), run=partial(self._rebuild, mine), why=mine.name)
        if usable:
            newest = max(usable, key=lambda engine: engine.built)
            return Act(text=self.tr("Use this engine"), run=partial(self._use, newest.folder), why=newest.name)
        recipe = self.ways.recipe
        if recipe is None:
            return Act(text=self.tr("Build engine"), why=self.seen.recommendation.reason)
        way = self.seen.way(recipe)
        if way is not None and way.problems:
            return Act(text=self.tr("Build engine"), why=str(way.problems[0]))
        texts = dict.fromkeys(_FAILED, self.tr("Try again")) | {STOPPED: self.tr("Continue building")}
        text = texts.get(self._state_of_build(), self.tr("Build engine"))
        return Act(text=text, run=self._build, why=self._cost())

    def _state_of_build(self) -> str:
        """How the shown run ended, if that was the building of what is chosen now; else empty."""
        run, recipe, pin = self.panel.watcher, self.ways.recipe, self.ways.pin
        if run is None or recipe is None or pin is None:
            return ""
        mine = acquire.engine_folder(recipes.engine_name(pin, recipe), self.session.workspace)
        return run.state if run.folder.path == mine.path else ""

    def _offer_build(self) -> None:
        """Where an engine is there, the main act is another one, and further engines are built beside it."""
        more = self.seen is not None and (bool(self.seen.usable) or self._has_engine())
        self.ways.offer_build(wanted=more and self.session.running_step(Step.ENGINE) is None)

    def _cost(self) -> str:
        recipe, pin = self.ways.recipe, self.ways.pin
        assert recipe is not None  # noqa: S101 - only called with it
        assert pin is not None  # noqa: S101 - a recipe has a pin
        return self.tr("Downloads up to {size} and takes about {time}; longer on a slow PC.").format(
            size=units.size(pin.download_bytes + recipe.download_bytes), time=units.duration(recipe.seconds)
        )

    def _again(self) -> None:
        """Do once more what the panel shows: by its own plan, when it is other work that was not begun here."""
        shown = self.panel.watcher
        if self._last is not None and self._last[0] is shown:
            self._last[1]()
        elif self._state_of_build():
            self._build()
        elif shown is not None:
            shown.start()

    def _do(self, make: Callable[[], Work], again: Callable[[], Work] | None = None) -> None:
        """Prepare a work in the background, and start it; “Try again” does the same, or ``again``, once more."""

        def start(work: Work) -> None:
            watcher = self.session.watch(work.folder)
            self._last = (watcher, partial(self._do, again or make))
            self.panel.show_run(watcher)
            watcher.start(work.plan)

        self.session.background.run(self, make, start, self._failed)

    def _do_build(self, recipe: Recipe, pin: Pin | None, **more: Any) -> None:
        """Build with the tools that were found; after a failure they are looked for anew."""
        make = partial(acquire.engine_work, recipe, self.session.workspace, pin=pin, **more)
        known = None if self.seen is None or self._state_of_build() in _FAILED else self.seen.found
        self._do(partial(make, found=known), again=make)

    def _build(self) -> None:
        if self.ways.recipe is not None:
            self._do_build(self.ways.recipe, self.ways.pin, source=self.ways.from_where)

    def _rebuild(self, row: EngineRow) -> None:
        if self.session.running():
            self._busy(self.tr("Work is going on that may need this engine."))
        elif row.again is not None:
            recipe, pin = row.again
            self._do_build(recipe, pin, name=row.name, anew=True)

    def _update(self, row: EngineRow) -> None:
        if row.newer is not None:
            self._do_build(*row.newer)

    def _take_ready(self, place: Path) -> None:
        self._do(partial(acquire.ready_work, place, self.session.workspace))

    def _tune(self, engine: Engine) -> None:
        if self.session.running():
            self._busy(self.tr("Measuring needs the whole PC, and other work is going on."))
        else:
            self._do(partial(acquire.tune_work, engine, self.session.workspace))

    def _get_tool(self, row: ToolRow, way: Way) -> None:
        archive = None
        if way.kind == get.BRING:
            title = self.tr("The archive of {name}").format(name=row.tool.name)
            chosen, _kind = QFileDialog.getOpenFileName(self, title, "", self.tr("Archives (*.zip *.7z *.exe)"))
            if not chosen:
                return
            archive = Path(chosen)
        elif way.kind == get.WINGET and not self._agreed(row, way):
            return
        self._do(partial(acquire.tool_work, row.tool, way.kind, self.session.workspace, archive=archive))

    def _agreed(self, row: ToolRow, way: Way) -> bool:
        about = self.tr("Runs: {command}").format(command=shlex.join(way.command))
        text = self.tr(
            "Windows installs {name} (about {size}) for all programs of this PC, and may ask for an administrator."
        )
        text = text.format(name=row.tool.name, size=units.size(row.tool.size_bytes))
        choice = Choice(id="yes", text=self.tr("&Install"), about=about)
        return bool(ask(self, self.tr("Install {name}?").format(name=row.tool.name), text, (choice,)))

    def _ended(self, watcher: RunWatcher) -> None:
        if watcher is not self.panel.watcher:
            return
        kind, facts = (watcher.plan.kind, watcher.plan.facts) if watcher.plan is not None else ("", {})
        self.refresh(tools=kind == get.KIND)
        made = Path(str(facts.get("engine", "")))
        mine = self._mine()
        measured = kind == KIND and mine is not None and made.name == mine.name
        if watcher.state == DONE and "engine" in facts and (measured or not self._has_engine()):
            self._use(made)

    def _has_engine(self) -> bool:
        gate = self.session.gates.get(Step.ENGINE)
        return gate is not None and gate.done

    def _use(self, engine: Path) -> None:
        if (opened := self.session.store.opened) is not None:
            settings = self.session.store.project.hyperparameters
            self.session.store.edit(**acquire.engine_choice(engine, opened.folder, settings, self.session.machine))

    def _remove(self, row: EngineRow) -> None:
        if self.session.running():
            self._busy(self.tr("Work is going on that may need this engine."))
            return
        name, engine = row.name, row.found.engine
        about = self.tr("Frees {size}.").format(size=units.size(engine.size)) if engine is not None else ""
        text = self.tr("It can be built again.")
        if row.users:
            text = self.tr("These projects use it and need another one then: {names}. {text}").format(
                names=", ".join(row.users), text=text
            )
        choice = Choice(id="remove", text=self.tr("&Remove"), about=about)
        if ask(self, self.tr("Remove the engine {name}?").format(name=name), text, (choice,)):
            workspace = self.session.workspace
            self.session.background.run(self, lambda: installed.remove(workspace, name), self._removed, self._failed)

    def _removed(self, _nothing: None) -> None:
        self.refresh()
        self.session.refresh_gates()

    def _busy(self, message: str) -> None:
        hint = self.tr("Wait for its end, or stop it.")
        self._failed(Problem(message=message, hint=hint, code="engine-busy", blocking=False))

    def _failed(self, problem: Problem) -> None:
        self.problem.show_problem(problem)
