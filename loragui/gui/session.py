"""What all pages share: the workspace, the open project, the PC, the steps' gates, and the runs that are watched."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from PySide6.QtCore import QObject, Signal

from loragui import machine, steps
from loragui.gui.background import Background
from loragui.gui.store import ProjectStore
from loragui.gui.watcher import RunWatcher
from loragui.jobs.folder import RunFolder
from loragui.machine import Machine
from loragui.overview import Going, going_on
from loragui.paths import Workspace
from loragui.steps import Gate, Step


class Session(QObject):
    """One per window. Everything here lives in the window's thread."""

    machine_changed = Signal()
    gates_changed = Signal()
    run_ended = Signal(object)
    """A ``RunWatcher`` whose work was seen running and has ended."""
    runs_changed = Signal()
    """A run began, moved or ended."""
    trouble = Signal(object)
    """A ``Problem`` that the window shows once."""

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self.background = Background(self)
        """For what is done at once: starting, stopping, looking for news."""
        self.reader = Background(self)
        """For what takes a while to read; one thing after the other."""
        self.store = ProjectStore(self)
        self.machine: Machine | None = None
        self.gates: Mapping[Step, Gate] = {}
        self._watchers: dict[Path, RunWatcher] = {}
        self._asked = self._answered = 0
        self.background.trouble.connect(self.trouble)
        self.reader.trouble.connect(self.trouble)
        self.store.trouble.connect(self.trouble)
        self.store.changed.connect(self.refresh_gates)
        self.store.replaced.connect(self._project_replaced)

    def look_at_machine(self) -> None:
        """Look at the PC in the background; ``machine_changed`` follows."""
        self.background.run(self, lambda: machine.look(self.workspace.root), self._machine_seen)

    def _machine_seen(self, found: Machine) -> None:
        self.machine = found
        self.machine_changed.emit()
        self.refresh_gates()

    def _project_replaced(self) -> None:
        self.gates = {}
        self.gates_changed.emit()
        self.refresh_gates()

    def refresh_gates(self) -> None:
        """Ask anew what each step misses; ``gates_changed`` follows. The latest question wins."""
        opened, pc = self.store.opened, self.machine
        if opened is None or pc is None:
            return
        self._asked += 1
        number = self._asked

        def take(found: Mapping[Step, Gate]) -> None:
            if number == self._asked and self.store.opened is opened:
                self._answered = number
                self.gates = found
                self.gates_changed.emit()

        self.reader.run(self, lambda: steps.gates(opened, pc), take)

    @property
    def gates_are_current(self) -> bool:
        """Whether no newer question about the gates is on its way."""
        return self._asked == self._answered

    def watch(self, folder: RunFolder) -> RunWatcher:
        """The watcher of a run folder; the same for everyone who asks."""
        key = folder.path.resolve()
        if key not in self._watchers:
            watcher = RunWatcher(folder, self.background, self.reader, self)
            watcher.ended.connect(lambda _ended: self._ended(watcher))
            watcher.changed.connect(self.runs_changed)
            self._watchers[key] = watcher
            watcher.attach()
        return self._watchers[key]

    def _ended(self, watcher: RunWatcher) -> None:
        self.run_ended.emit(watcher)
        self.refresh_gates()

    def running(self) -> list[RunWatcher]:
        """The watched runs that are going on."""
        return [watcher for watcher in self._watchers.values() if watcher.running]

    def running_step(self, step: Step) -> RunWatcher | None:
        """The run of that step that is going on in the open project or the workspace, or None."""
        for watcher in self.running():
            if watcher.plan is not None and steps.step_of(watcher.plan.kind) is step and self.is_here(watcher):
                return watcher
        return None

    def is_here(self, watcher: RunWatcher) -> bool:
        """Whether the run belongs to the open project or to the workspace, not to another project."""
        opened, path = self.store.opened, watcher.folder.path.resolve()
        return path.parent == self.workspace.jobs.resolve() or (
            opened is not None and path.is_relative_to(opened.folder.resolve())
        )

    def discover(self, elsewhere: tuple[Path, ...], found: Callable[[tuple[Going, ...]], None]) -> None:
        """Look for runs that are going on, watch them, then call ``found``."""

        def take(going: tuple[Going, ...]) -> None:
            for one in going:
                self.watch(one.run)
            found(going)

        self.reader.run(self, lambda: going_on(self.workspace, elsewhere), take)

    def with_plots(self, owner: QObject, done: Callable[[ModuleType], None]) -> None:
        """Call ``done`` with ``loragui.gui.plot``, which is loaded in the background: it takes about a second."""
        self.reader.run(owner, lambda: importlib.import_module("loragui.gui.plot"), done)

    def finish(self) -> None:
        """Save what is unsaved and end the threads; runs go on."""
        self.store.finish()
        self.reader.close()
        self.background.close()

    @property
    def busy(self) -> bool:
        """Whether anything is on its way from the background."""
        return self.background.busy or self.reader.busy
