"""The one place where the open project changes: a frozen value in, ``changed`` out, saved by itself."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from loragui import acts
from loragui import project as projects
from loragui.acts import Open
from loragui.gui.background import Background
from loragui.project import Project

MOST_UNDO = 100


class ProjectStore(QObject):
    """Holds the open project. Pages read ``project`` and call ``edit``; every change is saved at once."""

    changed = Signal()
    """The project's choices are others."""
    replaced = Signal()
    """Another project is open."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.opened: Open | None = None
        self._saver = Background(self)  # in order: an older state never overwrites a newer one
        self.trouble = self._saver.trouble
        self._undo: list[Project] = []
        self._redo: list[Project] = []

    @property
    def project(self) -> Project:
        """The open project. AssertionError without one: project pages exist only with a project."""
        assert self.opened is not None  # noqa: S101
        return self.opened.project

    def open(self, folder: Path) -> None:
        """Open the project in ``folder``. AppError when it cannot be read; the one before stays open then."""
        self._saver.catch_up()  # what is read must be what was edited last
        self.opened = acts.open_project(folder)
        self._undo, self._redo = [], []
        self.replaced.emit()

    def edit(self, **changes: Any) -> None:
        """Replace fields of the project."""
        before = self.project
        after = dataclasses.replace(before, **changes)
        if after == before:
            return
        self._undo = [*self._undo[-MOST_UNDO + 1 :], before]
        self._redo = []
        self._put(after)

    def edit_data(self, **changes: Any) -> None:
        """Replace fields of the project's choice of data."""
        self.edit(data=dataclasses.replace(self.project.data, **changes))

    def edit_settings(self, **changes: Any) -> None:
        """Replace hyperparameters."""
        self.edit(hyperparameters=dataclasses.replace(self.project.hyperparameters, **changes))

    def undo(self) -> None:
        """Take the last change back."""
        if self._undo:
            self._redo.append(self.project)
            self._put(self._undo.pop())

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        if self._redo:
            self._undo.append(self.project)
            self._put(self._redo.pop())

    def finish(self) -> None:
        """Wait until everything is saved."""
        self._saver.close()

    def _put(self, project: Project) -> None:
        opened = self.opened
        assert opened is not None  # noqa: S101
        self.opened = dataclasses.replace(opened, project=project)
        self._saver.run(self, lambda: projects.save(opened.folder, project))
        self.changed.emit()
