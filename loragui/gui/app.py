"""The window as a program: one application, one window per workspace, and a last net for mistakes of ours."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QLibraryInfo, QLocale, QObject, QTranslator
from PySide6.QtWidgets import QApplication

from loragui.errors import Problem
from loragui.gui import theme
from loragui.gui.collector import Collector
from loragui.gui.manners import Manners, icon
from loragui.gui.memory import Memory
from loragui.gui.session import Session
from loragui.gui.single import Single
from loragui.gui.window import Window
from loragui.paths import APP, Workspace, remember_workspace, resource_path

SWITCH_SECONDS = 0.0002
"""How soon threads that read give way to the window's (Python's own: 0.005)."""


class Program(QObject):
    """Holds the window of the workspace that is open; another workspace gets another window."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.single = Single(workspace, self)
        self.window: Window | None = None

    def open(self, workspace: Workspace, project: Path | None) -> Window:
        """Show the window of ``workspace``."""
        session = Session(workspace, self)
        window = Window(session, Memory(workspace, self))
        window.workspace_wanted.connect(self._switch)
        self.single.asked.connect(self._asked)
        Manners(window, session)
        self.window = window
        session.look_at_machine()
        window.restore(project)
        window.show()
        return window

    def _asked(self, project: Path | None) -> None:
        if self.window is None:
            return
        if project is not None:
            self.window.open_project(project)
        self.window.showNormal() if self.window.isMinimized() else self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def _switch(self, root: Path) -> None:
        """Leave this workspace for another one."""
        before, workspace = self.window, Workspace(root)
        single = Single(workspace, self)
        if not single.first:
            single.tell(None)
            return
        remember_workspace(root)
        self.single.release()
        self.single = single
        self.open(workspace, None)
        if before is not None:
            before.session.finish()
            before.deleteLater()

    def finish(self) -> None:
        """Save and end what the window had open; runs go on."""
        if self.window is not None:
            self.window.session.finish()
        self.single.release()


def main(workspace: Workspace, project: Path | None) -> int:
    """Show the window until it is closed. Returns the exit code."""
    sys.setswitchinterval(SWITCH_SECONDS)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)  # noqa: S101
    app.setApplicationName(APP)
    app.setApplicationDisplayName(APP)
    app.setDesktopFileName(APP)
    app.setWindowIcon(icon())
    speak(app)
    program = Program(workspace)
    if not program.single.first:
        program.single.tell(project)
        return 0
    theme.apply(app, Memory(workspace, program).scheme)
    program.open(workspace, project)
    collector = Collector(program)
    sys.excepthook = _Net(program).caught
    code = app.exec()
    program.finish()
    collector.release()
    return code


def speak(app: QApplication) -> None:
    """Speak the person's language where a translation is there."""
    own, qt = QTranslator(app), QTranslator(app)
    if own.load(QLocale(), APP, "_", str(resource_path("i18n"))):
        app.installTranslator(own)
        if qt.load(QLocale(), "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            app.installTranslator(qt)


class _Net:
    """Shows what nobody expected, once, with the traceback to be copied; the program and all work go on."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def caught(self, kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        """The window's ``sys.excepthook``."""
        if issubclass(kind, KeyboardInterrupt):  # Ctrl-C in the terminal from which the window was started
            QApplication.quit()
            return
        text = "".join(traceback.format_exception(kind, error, where))
        sys.stderr.write(text)
        window = self._program.window
        if window is not None:
            window.show_problem(
                Problem(
                    message=window.tr("loragui made a mistake. Work in the background is not affected."),
                    hint=window.tr("Copy this and report it. If the window behaves oddly, close and open it again."),
                    details=text,
                    code="internal",
                )
            )
