"""The whole way from Start to Result in a real window, as a person goes it: by pressing what is there and typing.

    python -m tests.gui.way WORKSPACE MODEL CHATS      (under Xvfb: real mouse and key events, sent by xdotool)

The workspace holds an engine; MODEL is a small GGUF that it can train, CHATS a chat to learn from.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLabel, QLineEdit, QPushButton, QScrollArea, QWidget

from loragui.gui.window import Window
from loragui.steps import Step

LONGEST = 90.0
"""Seconds that one part of the way may take."""


class Hands(Protocol):
    """What presses and types."""

    def click(self, widget: QWidget) -> None:
        """Press the left button in the middle of ``widget``."""
        ...

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        ...

    def key(self, name: str) -> None:
        """Press a key: ``Return``, ``Tab``, ``ctrl+a``."""
        ...


class TestHands:
    """Qt's own test events; for the offscreen platform."""

    __test__ = False

    def click(self, widget: QWidget) -> None:
        """Press in the middle. Offscreen, nobody brings the window back to the front when a dialog has closed."""
        widget.window().activateWindow()
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def type(self, text: str) -> None:
        """Type key by key."""
        QTest.keyClicks(_focused(), text)

    def key(self, name: str) -> None:
        """Press one key."""
        keys = {"Return": Qt.Key.Key_Return, "Tab": Qt.Key.Key_Tab}
        if name == "ctrl+a":
            QTest.keyClick(_focused(), Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        else:
            QTest.keyClick(_focused(), keys[name])


class XHands:
    """Real events of the X server, sent from outside of the program by xdotool."""

    def click(self, widget: QWidget) -> None:
        """Move the mouse to the middle and press."""
        at = widget.mapToGlobal(QPoint(widget.width() // 2, widget.height() // 2))
        self._do("mousemove", "--sync", str(at.x()), str(at.y()), "click", "1")

    def type(self, text: str) -> None:
        """Type key by key."""
        self._do("type", "--delay", "8", text)

    def key(self, name: str) -> None:
        """Press one key."""
        self._do("key", name)

    def _do(self, *words: str) -> None:
        child = subprocess.Popen(["xdotool", *words])
        wait_until(lambda: child.poll() is not None, "xdotool has sent its events")
        pause(120)


def _focused() -> QWidget:
    found = QApplication.focusWidget() or QApplication.activeModalWidget()
    assert found is not None, "nothing has the focus"
    return found


def pause(milliseconds: int) -> None:
    """Let events come and threads run."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait_until(ready: Callable[[], bool], what: str, seconds: float = LONGEST) -> None:
    """Wait for something that the window shows. AssertionError with ``what`` when it does not come."""
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, f"waited for: {what}"
        pause(30)


class Way:
    """One walk through ``window``."""

    def __init__(self, window: Window, hands: Hands) -> None:
        self.window, self.hands = window, hands

    def go(self, model: Path, chats: Path) -> None:
        """From an empty list of projects to a merged model that was asked."""
        self.make_project("My lamp keeper")
        self.press("Use this engine")
        self.press("Continue to the base model")
        self.choose_file(self.button("Choose a GGUF file …"), model)
        self.press("Continue to the training data")
        self.choose_file(self.button("Add files …"), chats)
        self.press("Continue to the settings")
        self.few_iterations()
        self.press("Continue to training")
        self.press("Start training")
        self.press("Continue to the result")
        self.press("Merge")
        self.press("Compare base and result")
        wait_until(lambda: self.window.main.text() == "Open folder", "the comparison")
        assert self.window.place is Step.RESULT

    def make_project(self, name: str) -> None:
        """Through the dialog, with the keyboard."""
        self.hands.click(self.button("New project …"))
        wait_until(lambda: isinstance(QApplication.activeModalWidget(), QDialog), "the dialog")
        dialog = QApplication.activeModalWidget()
        assert dialog is not None
        wait_until(lambda: dialog.isActiveWindow(), "the dialog in front")
        self.hands.click(dialog.findChildren(QLineEdit)[0])
        self.hands.type(name)
        self.hands.key("Return")
        wait_until(lambda: self.window.place is Step.ENGINE, "the project")

    def press(self, text: str) -> None:
        """Wait until the main button says ``text`` and can be pressed, then press it."""
        main = self.window.main
        wait_until(lambda: main.text() == text and main.isEnabled(), f"“{text}” ({main.text()}: {self.problems()})")
        self.hands.click(main)
        wait_until(lambda: main.text() != text or not main.isEnabled(), f"something after “{text}”")

    def problems(self) -> str:
        """What is shown as wrong now."""
        page = self.window.stack.currentWidget()
        shown = page.findChildren(QLabel) if page is not None else []
        return " ".join(found.text() for found in shown if found.property("role") == "message" and found.isVisible())

    def button(self, text: str) -> QPushButton:
        """The visible button of the page with that text; scrolled to."""
        page = self.window.stack.currentWidget()
        assert page is not None
        found = next(b for b in page.findChildren(QPushButton) if b.text().replace("&", "") == text and b.isVisible())
        self.scroll_to(found)
        return found

    def scroll_to(self, widget: QWidget) -> None:
        """Bring a part of the page into view."""
        page = self.window.stack.currentWidget()
        area = page.findChild(QScrollArea) if page is not None else None
        assert area is not None
        area.ensureWidgetVisible(widget)
        pause(60)

    def choose_file(self, opener: QPushButton, path: Path) -> None:
        """Press the button and type the path into the dialog that comes."""
        answered: list[bool] = []

        def answer() -> None:
            dialog = QApplication.activeModalWidget()
            if not isinstance(dialog, QFileDialog) or not dialog.isActiveWindow():
                QTimer.singleShot(50, answer)
                return
            field = dialog.findChild(QLineEdit, "fileNameEdit")
            assert field is not None
            field.setFocus()
            self.hands.key("ctrl+a")
            self.hands.type(str(path))
            pause(200)
            self.hands.key("Return")
            answered.append(True)

        QTimer.singleShot(50, answer)
        self.hands.click(opener)
        wait_until(lambda: bool(answered) and QApplication.activeModalWidget() is None, "the file dialog to close")

    def few_iterations(self) -> None:
        """Type a small number of iterations, and when to save."""
        from loragui.gui.pages.settings import SettingsPage

        page = self.window.pages[Step.SETTINGS]
        assert isinstance(page, SettingsPage)
        for name, value in (("iterations", "12"), ("save_every", "6"), ("rank", "4")):
            editor = page.fields[name].editor
            self.scroll_to(editor)
            self.hands.click(editor)
            self.hands.key("ctrl+a")
            self.hands.type(value)
            self.hands.key("Tab")
            store = self.window.session.store
            wait_until(lambda: getattr(store.project.hyperparameters, name) == int(value), name)  # noqa: B023


def main() -> None:
    """Go the whole way with real events; prints what came out."""
    from loragui.gui import theme
    from loragui.gui.app import Program
    from loragui.paths import Workspace

    app = QApplication(sys.argv[:1])
    app.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    theme.apply(app, theme.LIGHT)
    workspace = Workspace(Path(sys.argv[1]))
    program = Program(workspace)
    window = program.open(workspace, None)
    wait_until(window.isActiveWindow, "the window in front")
    Way(window, XHands()).go(Path(sys.argv[2]), Path(sys.argv[3]))
    if len(sys.argv) > 4:
        window.grab().save(sys.argv[4])
    program.finish()
    print("arrived", flush=True)


if __name__ == "__main__":
    main()
