"""What the runner costs: wall time of the program (bar: 1 %), its own processor time (1 %) and memory (60 MB).

Wall time: a program that computes and prints 2,000 lines like finetune's, with the runner and without, in turn; the
median of the rounds is held against the bar. Each round also compares two runs without the runner: how far that
control is from 1 says how much of the figure is the machine's own scatter.
Processor time: the same program at the pace of a real training, some ten lines a second. Starting the runner, which
happens once, is printed apart.
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

ROUNDS = 7
CALM_RUNS = 2
PROGRAM = """
total = 0
for iteration in range({lines}):
    for number in range({work}):
        total += number * number
    print(f"train_opt_callback: iter={{iteration:6d}} sample=1/74 sched=0.000100 loss=1.234567 "
          f"dt=9.9ms eta=00:00:01 |->", flush=True)
"""
BUSY, CALM = (2000, 18_000), (200, 1_000_000)
"""Lines, and additions before each."""


def program(pace: tuple[int, int]) -> tuple[str, ...]:
    """The command line of the program."""
    lines, work = pace
    return (sys.executable, "-c", PROGRAM.format(lines=lines, work=work))


def bare(pace: tuple[int, int]) -> float:
    """Seconds of the program alone, its output read by us."""
    began = time.monotonic()
    subprocess.run(program(pace), stdout=subprocess.PIPE, check=True)
    return time.monotonic() - began


def watched(place: Path, pace: tuple[int, int]) -> tuple[float, float, float, int]:
    """Seconds of the program's step, the runner's processor seconds for its start and after, its peak bytes."""
    folder = RunFolder(place)
    args = {"target": pace[0], "samples": 0, "context_size": 32}
    command = Command(argv=program(pace), reader="finetune", reader_args=args)
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


def walls(place: Path) -> tuple[list[float], list[float], list[int]]:
    """Per round: wall time with the runner over without, without over without, the runner's peak bytes."""
    ratios, controls, peaks = [], [], []
    for number in range(ROUNDS):
        before = bare(BUSY)
        seconds, _, _, peak = watched(place / f"busy-{number}", BUSY)
        after = bare(BUSY)
        ratios.append(2 * seconds / (before + after))
        controls.append(after / before)
        peaks.append(peak)
    return ratios, controls, peaks


def main() -> int:
    """Print the figures; 1 when a bar is missed."""
    with tempfile.TemporaryDirectory() as place:
        ratios, controls, peaks = walls(Path(place))
        calm = [watched(Path(place) / f"calm-{number}", CALM) for number in range(CALM_RUNS)]
    wall, control = statistics.median(ratios), statistics.median(controls)
    share = statistics.median(spent / seconds for seconds, _, spent, _ in calm)
    begun = statistics.median(begun for _, begun, _, _ in calm)
    peak = max(*peaks, *(row[3] for row in calm))
    print(f"runner: {wall:.4f} of the wall time without it (bar 1.01), {min(ratios):.3f} to {max(ratios):.3f}")
    print(f"runner: {control:.4f} without it against without it (control), {min(controls):.3f} to {max(controls):.3f}")
    print(f"runner: {share:.4f} processor seconds per second of a training's pace (bar 0.01)")
    print(f"runner: {begun:.2f} processor seconds to start, once")
    print(f"runner: {peak / 1e6:.1f} MB resident at most (bar 60 MB)")
    return int(wall > 1.01 or share > 0.01 or peak > 60e6)


if __name__ == "__main__":
    sys.exit(main())
