"""Making a project: its name, and the workspace in which everything is kept, with its checks."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QFileDialog, QLineEdit, QVBoxLayout, QWidget

from loragui import project as projects
from loragui import units
from loragui.errors import Problem
from loragui.gui.session import Session
from loragui.gui.theme import SPACE
from loragui.gui.widgets.basic import SELECTABLE, Card, button, label, name_of, row
from loragui.gui.widgets.problem import ProblemBox, ProblemList
from loragui.machine import existing_parent, recommended_threads, workspace_problems
from loragui.project import Hyperparameters


class WorkspaceBox(Card):
    """Where engines, models and projects are kept, what speaks against the place, and a way to choose another."""

    wanted = Signal(object)
    """Another folder was chosen (a ``Path``) and nothing speaks against it."""
    checked = Signal()
    """``problems`` are those of the workspace as it is now."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Where everything is kept"), parent)
        self.session = session
        self.problems: tuple[Problem, ...] = ()
        self._place = label(str(session.workspace.root), wrap=True)
        self._place.setTextInteractionFlags(SELECTABLE)
        self._place.setAccessibleName(self.tr("Workspace folder"))
        self._room = label(role="quiet", wrap=True)
        self.change = button(
            self.tr("Change the &workspace …"),
            self._choose,
            about=self.tr("Choose another folder. Projects in the old one stay there."),
        )
        self._found = ProblemList()
        self.box.addWidget(self._place)
        self.box.addWidget(self._room)
        self.box.addWidget(self._found)
        self.box.addLayout(row(self.change, 1))
        self.refresh()

    def refresh(self) -> None:
        """Check the workspace in the background."""
        root = self.session.workspace.root
        self.session.background.run(self, lambda: workspace_problems(root), self._show)

    def _show(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        self._found.show_problems(problems)
        pc = self.session.machine
        if pc is not None and pc.disks:
            free = units.size(pc.disks[0].free_bytes)
            self._room.setText(self.tr("{free} are free on this disk.").format(free=free))
        self.checked.emit()

    def _choose(self) -> None:
        start = existing_parent(self.session.workspace.root)
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Choose the workspace"), str(start))
        if chosen:
            self.choose(Path(chosen))

    def choose(self, root: Path) -> None:
        """Take ``root`` as the workspace if nothing speaks against it; else say what."""

        def take(problems: tuple[Problem, ...]) -> None:
            if any(problem.blocking for problem in problems):
                self._found.show_problems(problems)
            else:
                self.wanted.emit(root)

        self.session.background.run(self, lambda: workspace_problems(root), take)


class NewProject(QDialog):
    """Asks for a name and makes the project."""

    made = Signal(object)
    """The new project's folder (a ``Path``)."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.setWindowTitle(self.tr("New project"))
        self.setMinimumWidth(480)
        self.name = QLineEdit()
        self.name.setMaxLength(120)
        self.name.setAccessibleName(self.tr("Name of the project"))
        self.name.setPlaceholderText(self.tr("For example: My favourite character"))
        about = name_of(self.name, self.tr("&What shall it be called?"))
        self._where = label(role="quiet", wrap=True)
        self.problem, self.problems = ProblemBox(), ProblemList()
        self.confirm = button(self.tr("Cr&eate"), self._create, name="main")
        self.confirm.setDefault(True)
        box = self._box = QVBoxLayout(self)
        box.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        box.setSpacing(SPACE)
        for part in (about, self.name, self._where, self.problems, self.problem):
            box.addWidget(part)
        box.addLayout(row(1, button(self.tr("Ca&ncel"), self.reject), self.confirm))
        self.name.textChanged.connect(self._edited)
        self._blocked = False
        self._edited()
        root = session.workspace.root
        session.background.run(self, lambda: workspace_problems(root), self._checked)

    def _edited(self) -> None:
        self.confirm.setEnabled(bool(self.name.text().strip()) and not self._blocked)
        folder = self.session.workspace.projects
        self._where.setText(self.tr("It is kept below {folder}.").format(folder=folder))

    def _checked(self, problems: tuple[Problem, ...]) -> None:
        self._blocked = any(problem.blocking for problem in problems)
        self.problems.show_problems(problems)
        self._edited()
        self._fit()

    def _create(self) -> None:
        name, folder, pc = self.name.text().strip(), self.session.workspace.projects, self.session.machine
        settings = Hyperparameters(threads=recommended_threads(pc)) if pc is not None else None
        self.confirm.setEnabled(False)
        self.session.background.run(self, lambda: projects.create(folder, name, settings), self._made, self._failed)

    def _made(self, folder: Path) -> None:
        self.accept()
        self.made.emit(folder)

    def _failed(self, problem: Problem) -> None:
        self.problem.show_problem(problem)
        self._edited()
        self._fit()

    def _fit(self) -> None:
        """Windows do not grow by themselves when their wrapped texts do."""
        self.setMinimumHeight(self._box.heightForWidth(self.minimumWidth()))
