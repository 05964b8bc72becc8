"""The window's frame: the list of places, the page, the bar with Back and one main button, and leaving."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QActionGroup, QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from loragui import __version__
from loragui.errors import AppError, Problem
from loragui.gui import leaving, theme
from loragui.gui.desktop import open_folder
from loragui.gui.entries import entries
from loragui.gui.memory import Memory
from loragui.gui.page import Page
from loragui.gui.session import Session
from loragui.gui.theme import MARGIN, SPACE
from loragui.gui.tour import Tour, TourBanner
from loragui.gui.widgets.basic import button, label, set_text
from loragui.gui.widgets.dialogs import ProblemDialog
from loragui.gui.widgets.sidebar import Sidebar
from loragui.overview import Going
from loragui.steps import Step

Place = Step | None
PAGES: dict[Place, str] = {
    None: "start.StartPage",
    Step.ENGINE: "engine.EnginePage",
    Step.MODEL: "model.ModelPage",
    Step.DATA: "data.DataPage",
    Step.SETTINGS: "settings.SettingsPage",
    Step.TRAIN: "train.TrainPage",
    Step.RESULT: "result.ResultPage",
}
"""Every place and its page, which is imported when it is first shown: the window must appear at once."""
PLACES = tuple(PAGES)
SMALLEST, SWEEP_MS = (960, 640), 40


class Window(QMainWindow):
    """The main window of one workspace."""

    workspace_wanted = Signal(object)
    """The person wants to work in another workspace (a ``Path``)."""

    def __init__(self, session: Session, memory: Memory) -> None:
        super().__init__()
        self.session, self.memory = session, memory
        self.place: Place = None
        self.pages: dict[Place, Page] = {}
        self._moved = self._seeking = False
        self._problems: ProblemDialog | None = None
        self._doomed: list[Page] = []
        self._sweep = QTimer(self)
        self._sweep.setInterval(SWEEP_MS)
        self._sweep.timeout.connect(self._delete_one)
        self.setMinimumSize(*SMALLEST)
        self.resize(1180, 780)
        self._build()
        self.tour = Tour(session, memory, self.show_place, self._press, self)
        self.tour.changed.connect(self._tour_moved)
        self._connect()
        self._display(None)  # what was open last time is not forgotten yet

    def _build(self) -> None:
        self.sidebar = Sidebar(len(PLACES))
        self.options = QPushButton(self.tr("&Options"))
        self.options.setObjectName("flat")
        self.options.setMenu(self._options_menu())
        self.sidebar.box.addWidget(self.options)
        self.stack = QStackedWidget()
        self.banner = TourBanner()
        self.back = button(self.tr("&Back"), self._back)
        self.main = button("", self._press, name="main")
        self.why = label(role="quiet", wrap=True)
        bar = QFrame()
        bar.setObjectName("bar")
        line = QHBoxLayout(bar)
        line.setContentsMargins(MARGIN, SPACE // 2, MARGIN, SPACE // 2)
        line.setSpacing(SPACE)
        line.addWidget(self.back)
        line.addWidget(self.why, 1)
        line.addWidget(self.main)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.banner)
        right.addWidget(self.stack, 1)
        right.addWidget(bar)
        center = QWidget()
        whole = QHBoxLayout(center)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.sidebar)
        whole.addLayout(right, 1)
        self.setCentralWidget(center)

    def _options_menu(self) -> QMenu:
        menu = QMenu(self)
        group = QActionGroup(menu)
        for scheme, text in (
            (theme.SYSTEM, self.tr("Colours: as the &system")),
            (theme.LIGHT, self.tr("Colours: &light")),
            (theme.DARK, self.tr("Colours: &dark")),
        ):
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(self.memory.scheme == scheme)
            action.triggered.connect(lambda _on=False, chosen=scheme: self._choose_scheme(chosen))
            group.addAction(action)
        menu.addSeparator()
        undo, redo = menu.addAction(self.tr("&Undo the last choice")), menu.addAction(self.tr("&Redo it"))
        undo.setShortcut(QKeySequence.StandardKey.Undo)
        undo.triggered.connect(self.session.store.undo)
        redo.setShortcut(QKeySequence.StandardKey.Redo)
        redo.triggered.connect(self.session.store.redo)
        menu.addSeparator()
        menu.addAction(self.tr("Open the &workspace folder"), lambda: open_folder(self.session.workspace.root))
        menu.addAction(self.tr("loragui {version}").format(version=__version__)).setEnabled(False)
        self.addActions([undo, redo])
        return menu

    def _connect(self) -> None:
        self.sidebar.chosen.connect(lambda number: self._go(PLACES[number]))
        session = self.session
        for moved in (session.gates_changed, session.runs_changed, session.store.changed):
            moved.connect(self._show_states)
        session.gates_changed.connect(self._seek)
        session.store.replaced.connect(self._project_replaced)
        session.trouble.connect(self.show_problem)
        self.banner.stopped.connect(self.tour.stop)
        for keys, act in (("Ctrl+Return", self._press), ("Alt+Left", self._back)):
            QShortcut(QKeySequence(keys), self).activated.connect(act)

    def restore(self, project: Path | None) -> None:
        """Open ``project``, else what was open last time, where it was; then look for work that is going on."""
        self.restoreGeometry(self.memory.geometry)
        before, place = self.memory.project, self.memory.place
        if project is not None and project != before:
            self.open_project(project)
        elif before is not None and (project is not None or (before / "project.json").is_file()):
            self.open_project(before, place, seek=False)
        self._moved = False
        self.session.discover(self.memory.recent, lambda going: self._found_going(going, project))
        self.tour.resume()

    def open_project(self, folder: Path, place: Place = Step.ENGINE, *, seek: bool = True) -> None:
        """Open a project at ``place`` and ``seek`` the step that comes next; a problem is shown and nothing changes."""
        try:
            self.session.store.open(folder)
        except AppError as error:
            self.show_problem(error.problem)
            return
        self.show_place(place)
        self._seeking = seek

    def _seek(self) -> None:
        """Go to the first step that is not done, as soon as that is known."""
        gates = self.session.gates
        if self._seeking and gates:
            self._seeking = False
            self.show_place(next((step for step in Step if not gates[step].done), Step.RESULT))

    def _found_going(self, going: tuple[Going, ...], asked: Path | None) -> None:
        """Show work that goes on, unless the person has gone somewhere in the meantime or wants another project."""
        going = tuple(one for one in going if asked is None or (one.project and one.project.resolve() == asked))
        if not going or self._moved:
            return
        first = next((one for one in going if one.project is not None), going[0])
        if first.project is not None:
            self.open_project(first.project, first.step or Step.ENGINE, seek=False)
        elif self.session.store.opened is not None:
            self.show_place(first.step)

    def show_place(self, place: Place) -> None:
        """Show a place; without a project that is the start."""
        opened = self.session.store.opened
        self._display(place if opened is not None else None)
        self.memory.stand(opened.folder if opened else None, self.place)

    def _display(self, place: Place) -> None:
        page = self._page(place)
        self.place = place
        self.stack.setCurrentWidget(page)
        page.enter()
        self._show_states()

    def _page(self, place: Place) -> Page:
        if place not in self.pages:
            module, name = PAGES[place].split(".")
            made = cast("Page", getattr(importlib.import_module(f"loragui.gui.pages.{module}"), name)(self.session))
            made.act_changed.connect(self._show_act)
            made.go.connect(self._go)
            made.open_project.connect(self.open_project)
            self.pages[place] = made
            self.stack.addWidget(made)
            if place is None:
                self._connect_start(made)
        return self.pages[place]

    def _connect_start(self, page: Page) -> None:
        from loragui.gui.pages.start import StartPage

        assert isinstance(page, StartPage)  # noqa: S101
        page.set_memory(self.memory)
        page.demo_wanted.connect(self.tour.begin)
        page.workspace_wanted.connect(self.workspace_wanted)

    def _go(self, place: Place) -> None:
        self._moved, self._seeking = True, False
        self.show_place(place)

    def _back(self) -> None:
        number = PLACES.index(self.place)
        if number:
            self._go(PLACES[number - 1])

    def _press(self) -> bool:
        """Do what the main button says; False when it cannot be pressed now."""
        act = self._page(self.place).act()
        if act is None or act.run is None:
            return False
        self._moved = True
        act.run()
        return True

    def _project_replaced(self) -> None:
        opened = self.session.store.opened
        self.setWindowTitle(f"{opened.project.name} – loragui" if opened else "loragui")
        for place, page in list(self.pages.items()):
            if place is not None:  # pages of the project before must not leak into this one
                del self.pages[place]
                self.stack.removeWidget(page)
                page.hide()
                self._doomed.append(page)
        self._sweep.start()

    def _delete_one(self) -> None:
        """Pages of the project before go one at a time: all at once they would hold the window up."""
        if self._doomed:
            self._doomed.pop().deleteLater()
        else:
            self._sweep.stop()

    def _show_states(self) -> None:
        opened = self.session.store.opened
        set_text(self.sidebar.project, opened.project.name if opened else "loragui")
        self.sidebar.show_entries(entries(self.session), PLACES.index(self.place))
        self._show_act()

    def _show_act(self) -> None:
        act = self._page(self.place).act()
        self.back.setVisible(self.place is not None)
        self.main.setVisible(act is not None)
        set_text(self.why, act.why if act else "")
        if act is not None:
            set_text(self.main, act.text)
            self.main.setEnabled(act.enabled)
            self.main.setAccessibleDescription(act.why)

    def _tour_moved(self) -> None:
        self.banner.show_sentence(self.tour.sentence, over=not self.tour.active)

    def _choose_scheme(self, scheme: str) -> None:
        self.memory.scheme = scheme
        app = QApplication.instance()
        assert isinstance(app, QApplication)  # noqa: S101
        theme.choose(app, scheme)

    def show_problem(self, problem: Problem) -> None:
        """Show a problem that belongs to no page, once."""
        if self._problems is None:
            self._problems = ProblemDialog(self)
            self._problems.finished.connect(self._problems_closed)
        self._problems.add(problem)
        self._problems.show()

    def _problems_closed(self) -> None:
        self._problems = None

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Leave; with work going on, only after a plain choice. Work never stops by itself."""
        if not leaving.may_leave(self, self.session):
            event.ignore()
            return
        self.memory.geometry = self.saveGeometry()
        event.accept()
