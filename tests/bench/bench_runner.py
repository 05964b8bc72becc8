"""What the runner costs: wall time over the bare program (bar: 1 %), and its own memory (bar: 60 MB).

The program computes and prints like a training. Pairs are run in turn, and the median of the ratios is printed.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from loragui.jobs import client
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan, Step

PAIRS = 5
PROGRAM = """
total = 0
for iteration in range(400):
    for number in range(200_000):
        total += number * number
    print(f"train_opt_callback: iter={iteration:6d} sample=1/74 sched=0.000100 loss=1.234567 "
          f"dt=9.9ms eta=00:00:01 |->", flush=True)
"""
ARGS = {"target": 400, "samples": 0, "context_size": 32}


def bare() -> float:
    """Seconds of the program alone, its output read by us."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, check=True)
    return time.monotonic() - began


def watched(place: Path) -> tuple[float, int]:
    """Seconds of the program's step under the runner, and the runner's peak resident bytes."""
    folder = RunFolder(place)
    command = Command(argv=(sys.executable, "-c", PROGRAM), reader="finetune", reader_args=ARGS)
    folder.save_plan(Plan(kind="bench", title="Bench", steps=(Step(id="s", title="Program", command=command),)))
    client.start(folder)
    owner = folder.owner()
    peak, seconds = 0, 0.0
    for stamped in client.follow(folder):
        if owner is not None and psutil.pid_exists(owner["pid"]):
            try:
                peak = max(peak, psutil.Process(owner["pid"]).memory_info().rss)
            except psutil.Error:
                continue
        seconds = getattr(stamped.event, "seconds", None) or seconds if hasattr(stamped.event, "ok") else seconds
    return seconds, peak


def main() -> int:
    """Print both figures; 1 when a bar is missed."""
    ratios, peaks = [], []
    with tempfile.TemporaryDirectory() as place:
        for number in range(PAIRS):
            alone = bare()
            under, peak = watched(Path(place) / str(number))
            ratios.append(under / alone)
            peaks.append(peak)
    ratio, peak = statistics.median(ratios), max(peaks)
    each = ", ".join(f"{value:.4f}" for value in ratios)
    print(f"runner: {ratio:.4f} of the bare program's time (pairs: {each}; bar 1.01)")
    print(f"runner: {peak / 1e6:.1f} MB resident at most (bar 60 MB)")
    return int(ratio > 1.01 or peak > 60e6)


if __name__ == "__main__":
    sys.exit(main())
