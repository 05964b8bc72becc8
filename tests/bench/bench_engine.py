"""Speed of the engine that we build against a plain ``make`` of the same revision, as one ratio from one run.

Prints seconds per iteration of both on the same random model (llama-shaped, F32, about 90 million weights,
context 128, rank 8, gradient checkpointing). The two take turns, so that other load on the machine meets both
alike. The engines are those of the tests' workspace; they are built when they are missing.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from loragui.engine import catalogue, classic, installed, recipes, tools
from loragui.engine.installed import Engine
from loragui.jobs import runner
from loragui.jobs.folder import DONE, RunFolder
from loragui.paths import Workspace
from loragui.project import Hyperparameters
from tests import tiny

BAR = 2.0
"""Times faster that the recipe "wheels" has to be."""
SHAPE = tiny.Tiny(embedding=640, feed_forward=1728, layers=18, heads=10, kv_heads=10)
SETTINGS = Hyperparameters(context_size=128, batch_size=1, rank=8, iterations=4, threads=2, warmup=5, save_every=100)
ROUNDS = 2


def ready(recipe: str) -> Engine:
    """The engine of that recipe in the tests' workspace, built now if need be."""
    from loragui.cli.readers import READERS

    workspace = Workspace(Path(os.environ.get("LORAGUI_TEST_WORKSPACE", "/var/tmp/loragui-tests")))
    name = recipes.engine_name(catalogue.pin("b2896"), catalogue.recipe(recipe))
    if not (workspace.engines / name).is_dir():
        folder = RunFolder(workspace.jobs / f"bench-{name}")
        plan = recipes.build_plan(
            catalogue.recipe(recipe), catalogue.pin("b2896"), workspace, found=tools.survey(workspace)
        )
        folder.save_plan(plan)
        ended = runner.run(folder, READERS)
        if ended.state != DONE:
            raise SystemExit(str(ended.problem))
    return installed.load(workspace.engines / name)


def seconds_each(engine: Engine, folder: Path) -> list[float]:
    """Seconds of every iteration after the first, from the moments at which their lines arrive."""
    settings = dataclasses.replace(SETTINGS, threads=os.cpu_count() or 1)
    argv = classic.finetune_argv(
        engine, settings, base_model="base.gguf", data="train.txt", marker="<SAMPLE>", checkpoint_in=None,
        iterations=settings.iterations,
    )  # fmt: skip
    changed = {name: value for name, value in engine.environment.items() if value is not None}
    with subprocess.Popen(
        argv,
        cwd=folder,
        env={**os.environ, **changed},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdout is not None
        moments = [time.monotonic() for line in child.stdout if "iter=" in line]
    if child.returncode != 0:
        raise SystemExit(f"{engine.name} ended with {child.returncode}")
    return [later - earlier for earlier, later in itertools.pairwise(moments[1:])]


def main() -> int:
    """Measure and print; 1 when the bar is missed."""
    engines = {recipe: ready(recipe) for recipe in ("gcc", "wheels")}
    taken: dict[str, list[float]] = {recipe: [] for recipe in engines}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tiny.write(folder / "base.gguf", SHAPE)
        (folder / "train.txt").write_text(tiny.samples(40), encoding="utf-8")
        for _ in range(ROUNDS):
            for recipe, engine in engines.items():
                taken[recipe] += seconds_each(engine, folder)
    plain, ours = (statistics.median(taken[recipe]) for recipe in ("gcc", "wheels"))
    ratio = plain / ours
    said = f"plain make {plain:.2f} s, wheels {ours:.2f} s an iteration: {ratio:.2f} times as fast"
    print(f"engine: {said}")
    if ratio < BAR:
        print(f"engine: the bar is {BAR:.1f} times")
    return int(ratio < BAR)


if __name__ == "__main__":
    sys.exit(main())
