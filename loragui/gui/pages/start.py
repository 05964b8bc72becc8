"""Start: the person's projects, a new one, the demonstration, and where everything is kept."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QVBoxLayout, QWidget

from loragui.errors import AppError
from loragui.gui.memory import Memory
from loragui.gui.page import Act, Page
from loragui.gui.session import Session
from loragui.gui.theme import GAP
from loragui.gui.watcher import RunWatcher
from loragui.gui.widgets.basic import Badge, Card, button, clear, label, literal, row, rule
from loragui.gui.widgets.new_project import NewProject, WorkspaceBox
from loragui.gui.widgets.problem import ProblemBox
from loragui.jobs.folder import BROKEN, DONE, FAILED, NEW, RUNNING, STOPPED
from loragui.overview import ProjectRow, project_rows


class StartPage(Page):
    """The first place. Everything else needs a project."""

    demo_wanted = Signal()
    workspace_wanted = Signal(object)
    """The person chose another workspace (a ``Path``)."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.rows: tuple[ProjectRow, ...] = ()
        self._memory: Memory | None = None
        self.heading(
            self.tr("From your texts to a LoRA"),
            self.tr(
                "Choose a project, or make one. A project leads you step by step: an engine, a base model, "
                "your chats and texts, settings, training, and at the end a model that writes like them."
            ),
        )
        self.problem = ProblemBox()
        self.body.addWidget(self.problem)
        self.body.addWidget(self._first_steps())
        self.projects = Card(self.tr("Your projects"))
        self._list = QVBoxLayout()
        self._list.setSpacing(GAP)
        self.projects.box.addLayout(self._list)
        self.body.addWidget(self.projects)
        self.workspace = WorkspaceBox(session)
        self.workspace.wanted.connect(self.workspace_wanted)
        self.body.addWidget(self.workspace)
        self.body.addStretch(1)
        session.machine_changed.connect(self._machine_seen)
        session.run_ended.connect(self._run_over)

    def _first_steps(self) -> Card:
        card = Card()
        self.new = button(self.tr("&New project …"), self._new)
        self.open_button = button(self.tr("Open a &folder …"), self._choose_folder)
        self.demo = button(self.tr("&Try it with the demo"), self.demo_wanted.emit)
        self.demo.setEnabled(self.session.machine is not None)
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GAP)
        grid.setVerticalSpacing(GAP)
        grid.setColumnStretch(1, 1)
        for number, (made, text) in enumerate(
            (
                (self.new, self.tr("Begin with your own chats and texts.")),
                (self.demo, self.tr("Goes the whole way by itself with our example, and tells what it does. "
                                    "About 5 minutes and 300 MB of downloads.")),
                (self.open_button, self.tr("A project that lies somewhere else.")),
            )
        ):  # fmt: skip
            grid.addWidget(made, number, 0)
            grid.addWidget(label(text, role="quiet", wrap=True), number, 1)
        card.box.addLayout(grid)
        return card

    def set_memory(self, memory: Memory) -> None:
        """Know which projects were open before, also those outside the workspace."""
        self._memory = memory
        self.refresh()

    def act(self) -> Act | None:
        """Open the project that was changed last, or make the first one."""
        if not self.rows:
            return Act(text=self.tr("New project …"), run=self._new)
        newest = self.rows[0]
        return Act(
            text=self.tr("Open “{name}”").format(name=literal(_short(newest.name))),
            run=lambda: self.open_project.emit(newest.folder),
        )

    def enter(self) -> None:
        """Look at the projects anew."""
        self.refresh()
        self.workspace.refresh()

    def _run_over(self, _run: RunWatcher) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Read the projects' states in the background and show them."""
        elsewhere = self._memory.recent if self._memory is not None else ()
        self.latest.ask(lambda: project_rows(self.session.workspace, elsewhere), self._show)

    def _machine_seen(self) -> None:
        self.demo.setEnabled(True)
        self.workspace.refresh()

    def _show(self, rows: tuple[ProjectRow, ...]) -> None:
        if rows == self.rows and self._list.count():
            return
        self.rows = rows
        clear(self._list)
        for number, found in enumerate(rows):
            if number:
                self._list.addWidget(rule())
            self._list.addWidget(self._row(found))
        if not rows:
            self._list.addWidget(label(self.tr("None yet."), role="quiet"))
        self.act_changed.emit()

    def _row(self, found: ProjectRow) -> QWidget:
        made = QWidget()
        name = button(literal(found.name), lambda: self.open_project.emit(found.folder), name="flat")
        name.setAccessibleDescription(self.tr("Open this project"))
        word, level = self._state(found)
        when = QLocale().toString(QDateTime.fromSecsSinceEpoch(int(found.changed)), QLocale.FormatType.ShortFormat)
        about = label(self.tr("Last changed {time}").format(time=when), role="quiet")
        box = QVBoxLayout(made)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(row(name, Badge(word, level), 1, about))
        if found.message:
            box.addWidget(label(found.message, role="quiet", wrap=True))
        return made

    def _state(self, found: ProjectRow) -> tuple[str, str]:
        done = self.tr("{done} of {total}").format(done=found.iteration, total=found.total) if found.total else ""
        return {
            NEW: (self.tr("Not trained yet"), ""),
            RUNNING: (self.tr("Training, {done}").format(done=done) if done else self.tr("Training"), "good"),
            DONE: (self.tr("Trained"), "good"),
            STOPPED: (self.tr("Stopped at {done}").format(done=done) if done else self.tr("Stopped"), "warn"),
            FAILED: (self.tr("Failed"), "bad"),
            BROKEN: (self.tr("Interrupted"), "warn"),
        }.get(found.state, (self.tr("Damaged"), "bad"))

    def _new(self) -> None:
        dialog = NewProject(self.session, self)
        dialog.made.connect(self.open_project)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Open a project"), str(self.session.workspace.projects))
        if chosen:
            self.open_folder(Path(chosen))

    def open_folder(self, folder: Path) -> None:
        """Open the project in ``folder``, or say that there is none."""
        if (folder / "project.json").is_file():
            self.problem.show_problem(None)
            self.open_project.emit(folder)
            return
        error = AppError(
            self.tr("{folder} holds no project.").format(folder=folder),
            self.tr("Choose the folder of a project: it has a project.json in it."),
            code="no-project",
        )
        self.problem.show_problem(error.problem)


def _short(name: str, most: int = 28) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
