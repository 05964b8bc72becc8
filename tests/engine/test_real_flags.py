"""The adapter against real engines: what their help names, and a training with every setting that can be set."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from loragui.engine import classic, flags, installed
from loragui.engine.build import flags_of
from loragui.engine.installed import Engine
from loragui.paths import Workspace
from tests import tiny
from tests.engine.conftest import REVISIONS
from tests.engine.conftest import flags as captured
from tests.engine.test_classic import EVERY, FFN, PROGRAMS, SETTINGS

pytestmark = pytest.mark.real

RANKS = {
    "tok_embeddings": 2, "output": 3, "wq": 4, "wk": 5, "wv": 6, "wo": 7, "attention_norm": 1, "ffn_norm": 1, "norm": 1,
}  # fmt: skip
"""As the engine prints those of ``EVERY``."""


@pytest.fixture
def engines(engine: Engine, gcc_engine: Engine, shared_workspace: Workspace) -> tuple[Engine, ...]:
    """Every engine that other tests have built, of each pin, and at least these two.

    Not those for a card: their help names more, and pocl, which stands in for one, needs a linker on the PATH.
    """
    built = installed.engines(shared_workspace)
    found = tuple(each for each in built if each.pin in REVISIONS and each.library in {"none", "openblas"})
    assert {engine.name, gcc_engine.name} <= {each.name for each in found}
    return found


def run(engine: Engine, argv: tuple[str, ...], folder: Path) -> str:
    changed = {name: value for name, value in engine.environment.items() if value is not None}
    done = subprocess.run(
        argv, cwd=folder, env={"PATH": "/nonexistent", **changed}, capture_output=True, encoding="utf-8",
        errors="backslashreplace", stdin=subprocess.DEVNULL, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout


def test_the_captured_help_is_that_of_the_engine(engines: tuple[Engine, ...]) -> None:
    for engine in engines:
        for program in PROGRAMS:
            found = flags_of(engine.program(program), engine.environment)
            assert found == set(captured(program, engine.pin)), (engine.name, program)
            assert set(engine.flags[program]) == found


def test_a_training_with_every_setting(engines: tuple[Engine, ...], tmp_path: Path) -> None:
    """It begins, is resumed and merged; the ranks are those that were asked for."""
    for engine in engines:
        folder = tmp_path / engine.name
        folder.mkdir()
        tiny.write(folder / "base.gguf")
        (folder / "train.txt").write_text(tiny.samples(), encoding="utf-8")
        own = FFN if flags.has(engine, "finetune", "--rank-w1") else {}
        small = dataclasses.replace(SETTINGS, context_size=32, threads=1, save_every=2)
        for checkpoint in (None, "checkpoint-2.gguf"):
            argv = classic.finetune_argv(
                engine, dataclasses.replace(small, **EVERY, **own), base_model="base.gguf", data="train.txt",
                marker="<SAMPLE>", checkpoint_in=checkpoint, iterations=2,
            )  # fmt: skip
            said = run(engine, argv, folder)
            ranks = dict(re.findall(r"print_lora_params: n_rank_(\w+) *: (\d+)", said))
            assert {name: int(ranks[name]) for name in RANKS} == RANKS
            if own:
                assert [ranks[name] for name in ("w1", "w2", "w3")] == ["9", "10", "11"]
        merge = classic.export_lora_argv(engine, base_model="base.gguf", lora="lora-4.gguf", output="merged.gguf")
        run(engine, merge, folder)
        assert (folder / "merged.gguf").stat().st_size == (folder / "base.gguf").stat().st_size
