"""How long from starting the program to its first painted window, and what it loads until then.

    python tests/bench/bench_start.py

Every round is a process of its own, as a person starts it; the first is left out, because the disk's cache is cold.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7
BAR = 1.0
"""Seconds (issue 3)."""
LAZY = "pyqtgraph", "huggingface_hub", "numpy"

CHILD = f"""
import sys, time
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication
import loragui.__main__ as program

class Watch(QObject):
    def eventFilter(self, widget, event):
        if event.type() == QEvent.Type.Paint and widget.isWindow():
            QTimer.singleShot(0, self.told)
        return False
    def told(self):
        print(time.time(), [name for name in {LAZY!r} if name in sys.modules], flush=True)
        QApplication.closeAllWindows()
        QApplication.quit()

app = QApplication(sys.argv[:1])
watch = Watch()
app.installEventFilter(watch)
sys.exit(program.main())
"""


def once(workspace: Path, *words: str) -> tuple[float, str]:
    """Seconds to the first paint, and which of the lazy modules were loaded by then."""
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(workspace / "config")}
    command = [sys.executable, "-c", CHILD, "--workspace", str(workspace), *words]
    began = time.time()
    child = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    if not child.stdout.strip():
        raise SystemExit(f"no window came:\n{child.stderr}")
    painted, _, loaded = child.stdout.splitlines()[0].partition(" ")
    return float(painted) - began, loaded


def main() -> int:
    """Print every round, the median, and the bar. Returns 1 when it is missed."""
    with tempfile.TemporaryDirectory() as folder:
        rounds = [once(Path(folder)) for _ in range(ROUNDS + 1)][1:]
    times = [seconds for seconds, _ in rounds]
    loaded = {names for _, names in rounds}
    median = statistics.median(times)
    print(f"start to first paint: median {median:.2f} s of {', '.join(f'{t:.2f}' for t in times)}")
    print(f"ratio to the bar of {BAR} s: {median / BAR:.2f}; loaded until then of {LAZY}: {loaded}")
    return int(median > BAR or loaded != {"[]"})


if __name__ == "__main__":
    sys.exit(main())
