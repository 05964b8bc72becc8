"""Conversion on a real model with the real engine: it computes the same, and it trains.

The engine cannot load SmolLM2 as it is (``pre = smollm``), so what is compared with is a copy in which only
that name differs. One thread each: the engine's threads spin, so other work would slow them down.
"""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from loragui.engine.catalogue import pins
from loragui.engine.installed import Engine
from loragui.gguf.read import read
from loragui.model import convert
from loragui.model.inspect import inspect
from loragui.model.judge import Accepts, Outcome, judge
from loragui.model.recipe import KEEP, Recipe
from tests import tiny
from tests.model import models
from tests.model.models import Tiny

pytestmark = pytest.mark.real

ACCEPTS = Accepts.of(pins()[0].accepts)
TEXT = """The old lighthouse stood at the end of the harbour wall, and every evening the keeper climbed
its stairs with a lamp in one hand and a book in the other. He had read the same seven books for thirty
years. When the weather was bad he read aloud, so that the ships could hear that somebody was awake.
"""


def _run(engine: Engine, program: str, *argv: str, cwd: Path) -> str:
    laid_over = {**os.environ, **engine.environment}
    environment = {key: value for key, value in laid_over.items() if value is not None}
    done = subprocess.run(
        (str(engine.program(program)), *argv),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def _copy(source: Path, target: Path, recipe: Recipe) -> Path:
    if not target.exists():
        args = {"source": str(source), "target": str(target), "recipe": recipe.to_json()}
        convert.convert_job(args, lambda event: None)
    return target


def _story(engine: Engine, model: Path) -> str:
    prompt = ("-p", "Once upon a time, in a small village", "-n", "40", "--temp", "0", "-s", "1", "-t", "1")
    return _run(engine, "main", "-m", model.name, *prompt, cwd=model.parent)


def _first_loss(engine: Engine, model: Path) -> float:
    (model.parent / "train.txt").write_text("<s>" + TEXT * 3, encoding="utf-8")
    argv = (
        "--model-base", model.name, "--train-data", "train.txt", "--sample-start", "<s>", "--ctx", "128",
        "--batch", "1", "--adam-iter", "1", "-t", "1", "--lora-r", "4", "--seed", "1",
        "--lora-out", "l.bin", "--checkpoint-out", "c.bin",
    )  # fmt: skip
    found = re.search(r"iter= +1 .*? loss=([0-9.]+)", _run(engine, "finetune", *argv, cwd=model.parent))
    assert found
    return float(found[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("converted")


def test_three_reasons_and_none_after(smollm: Path, folder: Path) -> None:
    verdict = judge(inspect(smollm), ACCEPTS)
    assert verdict.outcome is Outcome.COPY
    assert models.names(verdict.reasons) == ["tied", "gqa", "pre-tokenizer"]
    assert verdict.recipe == Recipe(untie=True, repeat_heads=3, pre="starcoder")
    copy = _copy(smollm, folder / "f32.gguf", verdict.recipe)
    assert judge(inspect(copy), ACCEPTS).outcome is Outcome.AS_IT_IS


def test_first_loss(engine: Engine, smollm: Path, folder: Path) -> None:
    copy = _copy(smollm, folder / "f32.gguf", Recipe(untie=True, repeat_heads=3, pre="starcoder"))
    grouped = _copy(smollm, folder / "grouped.gguf", Recipe(output_type=KEEP, untie=True, pre="starcoder"))
    right, wrong = _first_loss(engine, copy), _first_loss(engine, grouped)
    print(f"first loss {right} as converted, {wrong} with K/V heads left shared")
    assert right < 4.5
    assert wrong > right + 3


def test_same_text_in_the_same_format(engine: Engine, smollm: Path, folder: Path) -> None:
    named = _copy(smollm, folder / "named.gguf", Recipe(output_type=KEEP, pre="starcoder"))
    kept = _copy(smollm, folder / "kept.gguf", Recipe(output_type=KEEP, untie=True, repeat_heads=3, pre="starcoder"))
    before = _story(engine, named)
    assert len(before) > 100
    assert _story(engine, kept) == before


def test_same_text_unpacked(engine: Engine, smollm: Path, folder: Path) -> None:
    """With unpacked numbers the engine rounds less, so the text is compared with its own unpacking."""
    named = _copy(smollm, folder / "named.gguf", Recipe(output_type=KEEP, pre="starcoder"))
    copy = _copy(smollm, folder / "f32.gguf", Recipe(untie=True, repeat_heads=3, pre="starcoder"))
    _run(engine, "quantize", "--allow-requantize", named.name, "theirs.gguf", "F32", cwd=folder)
    assert _story(engine, copy) == _story(engine, folder / "theirs.gguf")


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(("kv_heads", "tied"), [(4, True), (2, False), (1, True)])
def test_tiny_models_say_the_same(engine: Engine, tmp_path: Path, kv_heads: int, tied: bool, half: bool) -> None:
    shape = tiny.Tiny(embedding=64, kv_heads=kv_heads, tied=tied, half=half)
    source = tiny.write(tmp_path / "source.gguf", shape)
    verdict = judge(inspect(source), ACCEPTS)
    assert verdict.recipe is not None
    kept = _copy(source, tmp_path / "kept.gguf", dataclasses.replace(verdict.recipe, output_type=KEEP))
    assert _story(engine, kept) == _story(engine, source)
    assert 5.5 < _first_loss(engine, _copy(source, tmp_path / "f32.gguf", verdict.recipe)) < 7  # ln(512) is 6.2


@pytest.mark.parametrize(
    "kind",
    [
        "Q4_0",
        "Q4_1",
        "Q5_0",
        "Q5_1",
        "Q8_0",
        "Q2_K",
        "Q3_K_M",
        "Q4_K_M",
        "Q5_K_M",
        "Q6_K",
        "IQ4_NL",
        "IQ4_XS",
    ],
)
def test_unpacks_as_the_engine_does(engine: Engine, tmp_path: Path, kind: str) -> None:
    shape = Tiny(kind="F32", layers=1, head_size=64, width=256, inner=512, tied=False, pre="gpt-2")
    models.write(tmp_path / "f32.gguf", shape)
    _run(engine, "quantize", "f32.gguf", "packed.gguf", kind, "1", cwd=tmp_path)
    _run(engine, "quantize", "--allow-requantize", "packed.gguf", "theirs.gguf", "F32", "1", cwd=tmp_path)
    packed, theirs = read(tmp_path / "packed.gguf"), read(tmp_path / "theirs.gguf")
    assert len({tensor.type for tensor in packed.tensors}) > 1
    for tensor in packed.tensors:
        ours, engines = models.numbers(packed, tensor.name), models.numbers(theirs, tensor.name)
        np.testing.assert_allclose(ours, engines, rtol=1e-6, atol=1e-7)
