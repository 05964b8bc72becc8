"""Pictures of every page, in light and dark, at 100 % and 200 %, and in the smallest window, to be looked at.

    python3 packaging/dev.py shots [FOLDER]

Opens the demo's workspace (``dev.py demo`` makes it) offscreen and writes into ``shots/``. Nothing is started in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QScrollArea

from loragui.gui import theme
from loragui.gui.memory import Memory
from loragui.gui.session import Session
from loragui.gui.window import PLACES, Window
from loragui.paths import Workspace

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"": (1180, 780), "-small": (960, 640)}
LONGEST = 20.0
"""Seconds that a page may take to show everything."""


def main() -> int:
    """Take all pictures; one process for each scale, because Qt reads it once."""
    into = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "shots").absolute()
    into.mkdir(parents=True, exist_ok=True)
    for scale in (1, 2):
        with tempfile.TemporaryDirectory() as config:
            env = {**os.environ, "QT_SCALE_FACTOR": str(scale), "QT_QPA_PLATFORM": "offscreen",
                   "XDG_CONFIG_HOME": config}  # fmt: skip
            command = [sys.executable, __file__, "--scale", str(scale), str(into)]
            done = subprocess.run(command, env=env, check=False, cwd=ROOT)
        if done.returncode:
            return done.returncode
    print(f"{len(list(into.glob('*.png')))} pictures in {into}")
    return 0


def take(scale: int, into: Path) -> None:
    """All places in both schemes at this scale; the smallest window only at 100 %."""
    app = QApplication([])
    theme.apply(app, theme.LIGHT)
    workspace = Workspace(Path(os.environ.get("LORAGUI_SHOTS", ROOT / "demo-workspace")))
    session = Session(workspace)
    window = Window(session, Memory(workspace))
    session.look_at_machine()
    window.show()
    window.open_project(workspace.projects / "demo")
    for scheme in (theme.LIGHT, theme.DARK):
        theme.choose(app, scheme)
        for suffix, size in SIZES.items():
            if suffix and scale > 1:
                continue
            window.resize(*size)
            for place in PLACES:
                window.show_place(place)
                quiet(session)
                name = place.name.lower() if place else "start"
                window.grab().save(str(into / f"{name}-{scheme}-{scale * 100}{suffix}.png"))
                tall(window).save(str(into / f"{name}-{scheme}-{scale * 100}{suffix}-whole.png"))
    session.finish()


def quiet(session: Session) -> None:
    """Let the window work until nothing is on its way any more."""
    wait(300)
    until = time.monotonic() + LONGEST
    while session.busy and time.monotonic() < until:
        wait(50)
    wait(700)


def wait(milliseconds: int) -> None:
    """Let events come and threads run (``QTest.qWait`` would hold Python's lock all the while)."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def tall(window: Window) -> QPixmap:
    """The page's whole content, also what is scrolled away."""
    page = window.stack.currentWidget()
    area = page.findChild(QScrollArea) if page is not None else None
    content = area.widget() if area is not None else None
    return (content or window).grab()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--scale"]:
        take(int(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(main())
