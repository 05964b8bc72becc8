"""A window in a process of its own that goes to a place, presses the main button, says so, and waits to be killed.

python -m tests.gui.victim WORKSPACE PROJECT PLACE [press]
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from loragui.gui import theme
from loragui.gui.app import Program
from loragui.paths import Workspace
from loragui.steps import Step

LONGEST_MS = 60_000


def main() -> None:
    """Print ``ready`` once the place is shown, and ``working`` once the pressed button has started something."""
    root, project, place, *press = sys.argv[1:]
    app = QApplication(sys.argv[:1])
    theme.apply(app, theme.LIGHT)
    workspace = Workspace(Path(root))
    program = Program(workspace)
    window = program.open(workspace, Path(project))
    step = Step[place] if place else None
    state = {"shown": False, "pressed": not press}

    def look() -> None:
        session = window.session
        if session.busy or not session.gates:
            return
        if not state["shown"]:
            state["shown"] = True
            window.show_place(step)
            print("ready", flush=True)
        elif press and any(run.folder.is_running() for run in session.running()):
            print("working", flush=True)
            timer.stop()
        elif not state["pressed"]:
            act = window.pages[step].act()
            if act is not None and act.enabled:
                state["pressed"] = True
                window.main.click()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(50)
    QTimer.singleShot(LONGEST_MS, app.quit)
    app.exec()


if __name__ == "__main__":
    main()
