"""What the loss curve costs: milliseconds to draw a million points, memory after ten thousand drawings, and reading.

    python tests/bench/bench_plot.py

Drawing means all of it: thinning out both curves, placing the checkpoints, painting 1000 by 500 pixels; first whole,
then zoomed in. For memory, a growing curve is drawn as in a training that goes on for hours; the first drawings are
left out, because caches fill then.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import psutil
from PySide6.QtWidgets import QApplication

from loragui.gui import theme
from loragui.gui.plot import LossPlot
from loragui.jobs import events
from loragui.jobs.events import Metric, RunStarted, Saved
from loragui.jobs.folder import RunFolder
from loragui.training.feed import Feed
from loragui.training.series import LossSeries

POINTS, EVERY = 1_000_000, 500
REPAINTS, WARM, UPDATES = 60, 1000, 10_000
DRAW_BAR, MEMORY_BAR = 20.0, 20.0
"""Milliseconds and megabytes (issue 3)."""


def losses(count: int) -> list[float]:
    """A falling, noisy curve."""
    noise = np.random.default_rng(1).normal(scale=0.25, size=count)
    return [float(loss) for loss in 1.2 + 3.5 * np.exp(-5 * np.arange(count) / count) + noise]


def read(place: Path) -> tuple[LossSeries, float]:
    """A long training's curve, read from its run folder, and the seconds that took."""
    folder = RunFolder(place)
    with folder.events_file.open("w", encoding="utf-8") as file:
        file.write(events.to_line(RunStarted(title="Bench"), 0) + "\n")
        for number, loss in enumerate(losses(POINTS), start=1):
            metric = Metric(iteration=number, total=POINTS, loss=loss, seconds=3.0, eta=1000.0)
            file.write(events.to_line(metric, 3.0 * number) + "\n")
            if number % EVERY == 0:
                saved = Saved(path=f"checkpoint-{number}.gguf", iteration=number)
                file.write(events.to_line(saved, 3.0 * number) + "\n")
    began = time.perf_counter()
    return Feed(folder).series(), time.perf_counter() - began


def repaint(plot: LossPlot) -> float:
    """Milliseconds of one drawing and painting."""
    began = time.perf_counter()
    plot.draw()
    plot.grab()
    return 1000 * (time.perf_counter() - began)


def growth(plot: LossPlot) -> float:
    """Megabytes that the process holds more after many drawings of a growing curve."""
    process, series = psutil.Process(), LossSeries()
    before = 0
    for number, loss in enumerate(losses(WARM + UPDATES), start=1):
        series.append(number, 3.0 * number, loss)
        plot.show_series(series)
        plot.draw()
        plot.view.viewport().repaint()
        QApplication.processEvents()
        if number == WARM:
            before = process.memory_info().rss
    return (process.memory_info().rss - before) / 1e6


def main() -> int:
    """Print the figures; 1 when a bar is missed."""
    app = QApplication([])
    theme.apply(app, theme.LIGHT)
    plot = LossPlot()
    plot.resize(1000, 500)
    plot.show()
    app.processEvents()
    memory = growth(plot)  # before the rest, whose freed memory would hide it
    with tempfile.TemporaryDirectory() as place:
        series, seconds = read(Path(place))
    plot.show_series(series)
    repaint(plot)
    whole = [repaint(plot) for _ in range(REPAINTS)]
    plot.look_at(POINTS * 0.3, POINTS * 0.7)
    zoomed = [repaint(plot) for _ in range(REPAINTS)]
    drawing = max(statistics.median(whole), statistics.median(zoomed))
    print(f"plot: {seconds:.1f} s to read {len(series):,} iterations from a run folder")
    for name, taken in (("whole", whole), ("zoomed", zoomed)):
        print(f"plot: {statistics.median(taken):.1f} ms {name} (bar {DRAW_BAR:.0f}), worst {max(taken):.1f}")
    print(f"plot: {memory:.1f} MB more after {UPDATES:,} drawings (bar {MEMORY_BAR:.0f})")
    return int(drawing > DRAW_BAR or memory > MEMORY_BAR)


if __name__ == "__main__":
    sys.exit(main())
