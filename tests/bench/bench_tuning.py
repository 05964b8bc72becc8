"""The settings that were found to be the fastest on this PC against the default, as ratios from one run.

Tunes the engines of the tests' workspace for real, then measures what was chosen and the default anew, in turns, on
the same tiny model. A ratio below 1 would mean that the choice is slower than the default. Words on the command line
are the names of the engines to take (else all).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from loragui.engine import installed, timing, tuning
from loragui.engine.installed import Engine
from loragui.engine.tuning import Setting
from loragui.machine import look
from loragui.paths import Workspace

BAR = 0.97
"""The least ratio: what the same setting differs by when it is measured again."""
ROUNDS = 3


def seconds_each(engine: Engine, setting: Setting, folder: Path) -> tuple[float, ...]:
    """Seconds of some iterations with the setting."""
    clock = timing._Clock(best=float("inf"), deadline=time.monotonic() + 300)
    settings = replace(timing.SETTINGS, threads=setting.threads)
    return timing._iterations(engine, settings, tuning.laid_over(engine, setting), folder, clock)


def ratio(engine: Engine, chosen: Setting, default: Setting, folder: Path) -> float:
    """How many times as fast as the default the chosen setting is now."""
    taken: dict[Setting, list[float]] = {default: [], chosen: []}
    for _ in range(ROUNDS):
        for setting in taken:
            taken[setting] += seconds_each(engine, setting, folder)
    slow, fast = (statistics.median(taken[setting]) for setting in (default, chosen))
    print(f"tuning: {engine.name}: default {slow:.3f} s, chosen {fast:.3f} s an iteration")
    return slow / fast


def main() -> int:
    """Measure and print; 1 when a choice is slower than the default or the tuning takes too long."""
    workspace = Workspace(Path(os.environ.get("LORAGUI_TEST_WORKSPACE", "/var/tmp/loragui-tests")))
    print(f"tuning: other programs use {timing._others():.0%} of the processor")
    missed = 0
    for engine in installed.engines(workspace):
        if sys.argv[1:] and engine.name not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            folder, pc = Path(scratch), look(Path(scratch))
            began = time.monotonic()
            found = timing.tune(engine, pc, folder, lambda event: None)
            took = time.monotonic() - began
            chosen = Setting(threads=found.threads, blas_threads=found.blas_threads)
            default = tuning.default_setting(engine, pc)
            said = f"{timing.words(chosen)}, measured {found.ratio:.2f} times as fast as {timing.words(default)}"
            print(f"tuning: {engine.name}: {said}; it took {took:.0f} s")
            again = 1.0 if chosen == default else ratio(engine, chosen, default, folder)
            missed += again < BAR or took > timing.LIMIT + 5
            print(f"tuning: {engine.name}: measured anew, {again:.2f} times as fast")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
