"""What a good program does outside its window: progress in the taskbar, a word when long work has ended."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from loragui.gui import taskbar
from loragui.gui.session import Session
from loragui.gui.watcher import RunWatcher
from loragui.jobs.folder import DONE, STOPPED
from loragui.paths import resource_path


def icon() -> QIcon:
    """The program's picture."""
    return QIcon(str(resource_path("icons", "loragui.svg")))


class Manners(QObject):
    """Tells the system how far the work is, and the person that it has ended when the window is not in front."""

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__(window)
        self._window, self._session = window, session
        self._shown: float | None = None
        self._tray: QSystemTrayIcon | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(1000)
        self._soon.timeout.connect(self._show_progress)
        session.runs_changed.connect(self._later)
        session.run_ended.connect(self._ended)

    def _later(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _show_progress(self) -> None:
        running = self._session.running()
        fraction = round(max(run.progress.fraction for run in running), 3) if running else None
        if fraction != self._shown:
            self._shown = fraction
            taskbar.show_progress(self._window, fraction)

    def _ended(self, run: RunWatcher) -> None:
        self._show_progress()
        if self._window.isActiveWindow() or run.state == STOPPED:
            return
        QApplication.alert(self._window)
        if QSystemTrayIcon.isSystemTrayAvailable():
            title, text = self.words(run)
            self._icon().showMessage(title, text)

    def words(self, run: RunWatcher) -> tuple[str, str]:
        """Title and text of the notification."""
        what = run.plan.title if run.plan else "loragui"
        if run.state == DONE:
            return what, self.tr("Done.")
        return what, str(run.problem) if run.problem else self.tr("It stopped unexpectedly.")

    def _icon(self) -> QSystemTrayIcon:
        if self._tray is None:
            self._tray = QSystemTrayIcon(icon(), self)
            self._tray.messageClicked.connect(self._window.activateWindow)
            self._tray.show()
        return self._tray
