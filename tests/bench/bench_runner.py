"""What the runner costs: processor time of its own per second of the program (bar: 1 %), and memory (bar: 60 MB).

The program computes and prints like a training of some ten iterations a second (the demo: one in two seconds). What
starting the runner costs once is printed apart. So are wall times of pairs with and without the runner: they scatter
by more than the bar, so they are no measure of it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from loragui.jobs import client
from loragui.jobs.events import StepEnded
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan, Step

PAIRS = 3
PROGRAM = """
total = 0
for iteration in range(200):
    for number in range(1_000_000):
        total += number * number
    print(f"train_opt_callback: iter={iteration:6d} sample=1/74 sched=0.000100 loss=1.234567 "
          f"dt=9.9ms eta=00:00:01 |->", flush=True)
"""
ARGS = {"target": 200, "samples": 0, "context_size": 32}


def bare() -> float:
    """Seconds of the program alone, its output read by us."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, check=True)
    return time.monotonic() - began


def watched(place: Path) -> tuple[float, float, float, int]:
    """Seconds of the program's step, the runner's processor seconds for its start and after, its peak bytes."""
    folder = RunFolder(place)
    command = Command(argv=(sys.executable, "-c", PROGRAM), reader="finetune", reader_args=ARGS)
    folder.save_plan(Plan(kind="bench", title="Bench", steps=(Step(id="s", title="Program", command=command),)))
    client.start(folder)
    owner = folder.owner()
    assert owner is not None
    runner = psutil.Process(owner["pid"])
    times = runner.cpu_times()
    begun = spent = times.user + times.system
    seconds, peak = 0.0, 0
    for stamped in client.follow(folder):
        if isinstance(stamped.event, StepEnded):
            seconds = stamped.event.seconds
        with suppress(psutil.Error):
            times = runner.cpu_times()
            spent, peak = times.user + times.system, max(peak, runner.memory_info().rss)
    return seconds, begun, spent - begun, peak


def main() -> int:
    """Print the figures; 1 when a bar is missed."""
    walls, begins, shares, peaks = [], [], [], []
    with tempfile.TemporaryDirectory() as place:
        for number in range(PAIRS):
            alone = bare()
            seconds, begun, spent, peak = watched(Path(place) / str(number))
            walls.append(seconds / alone)
            begins.append(begun)
            shares.append(spent / seconds)
            peaks.append(peak)
    share, peak = statistics.median(shares), max(peaks)
    print(f"runner: {share:.4f} processor seconds per second of the program (bar 0.01)")
    print(f"runner: {statistics.median(begins):.2f} processor seconds to start, once")
    print(f"runner: wall time with it / without it: {', '.join(f'{value:.3f}' for value in walls)}")
    print(f"runner: {peak / 1e6:.1f} MB resident at most (bar 60 MB)")
    return int(share > 0.01 or peak > 60e6)


if __name__ == "__main__":
    sys.exit(main())
