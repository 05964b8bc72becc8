from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from loragui.engine import classic
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.project import Hyperparameters

EngineIn = Callable[..., Engine]
SETTINGS = Hyperparameters(
    context_size=192, batch_size=2, gradient_accumulation=3, iterations=40, rank=8, alpha=16,
    learning_rate=1e-05,
    warmup=5, threads=4, seed=7, save_every=8, gradient_checkpointing=False,
)  # fmt: skip


def test_a_fresh_training(tmp_path: Path, engine_in: EngineIn) -> None:
    argv = classic.finetune_argv(
        engine_in(tmp_path), SETTINGS, base_model="../m.gguf", data="train.txt",
        marker="<s>", checkpoint_in=None,
        iterations=40,
    )  # fmt: skip
    assert argv == (
        str(tmp_path / "finetune"),
        "--model-base", "../m.gguf", "--train-data", "train.txt", "--sample-start", "<s>",
        "--checkpoint-in", "", "--checkpoint-out", "checkpoint-ITERATION.gguf",
        "--lora-out", "lora-ITERATION.gguf", "--adam-iter", "40", "--save-every", "8", "--seed", "7",
        "--threads", "4", "--ctx", "192", "--batch", "2", "--grad-acc", "3", "--adam-alpha", "1e-05",
        "--warmup", "5", "--lora-r", "8", "--lora-alpha", "16", "--no-checkpointing", "--use-flash",
    )  # fmt: skip


def test_a_resumed_training_gets_the_checkpoint_and_what_is_left(tmp_path: Path, engine_in: EngineIn) -> None:
    engine = engine_in(tmp_path)
    names = {"base_model": "m", "data": "train.txt", "marker": "<s>"}
    fresh = classic.finetune_argv(engine, SETTINGS, **names, checkpoint_in=None, iterations=40)
    again = classic.finetune_argv(engine, SETTINGS, **names, checkpoint_in="checkpoint-24.gguf", iterations=16)
    changed = {index for index, (a, b) in enumerate(zip(fresh, again, strict=True)) if a != b}
    assert {again[index] for index in changed} == {"checkpoint-24.gguf", "16"}


def test_rare_settings(tmp_path: Path, engine_in: EngineIn) -> None:
    settings = dataclasses.replace(
        SETTINGS, cosine_decay_steps=30, rope_freq_base=1000000, rope_freq_scale=0.25, flash_attention=False
    )
    argv = classic.finetune_argv(
        engine_in(tmp_path), settings, base_model="m", data="d", marker="x", checkpoint_in=None, iterations=1
    )
    assert argv[-7:] == (
        "--no-flash", "--cos-decay-steps", "30", "--rope-freq-base", "1000000.0", "--rope-freq-scale", "0.25",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [("context_size", 0), ("batch_size", 0), ("rank", 0), ("threads", 0), ("save_every", 0), ("seed", -1),
     ("iterations", 2**31), ("learning_rate", 0.0), ("learning_rate", float("nan"))],
)  # fmt: skip
def test_settings_that_crash_the_engine_are_refused(
    field: str, value: float, tmp_path: Path, engine_in: EngineIn
) -> None:
    settings = dataclasses.replace(SETTINGS, **{field: value})  # type: ignore[arg-type]
    with pytest.raises(AppError) as caught:
        classic.finetune_argv(
            engine_in(tmp_path),
            settings,
            base_model="m",
            data="d",
            marker="x",
            checkpoint_in=None,
            iterations=1,
        )
    assert caught.value.problem.code == "setting-out-of-range"


def test_merge_quantize_and_generate(tmp_path: Path, engine_in: EngineIn) -> None:
    engine = engine_in(tmp_path)
    merge = classic.export_lora_argv(engine, base_model="b.gguf", lora="l.gguf", output="o.gguf", scale=0.5)
    assert merge == (
        str(tmp_path / "export-lora"), "--model-base", "b.gguf", "--model-out", "o.gguf",
        "--lora-scaled", "l.gguf",
        "0.5", "--threads", "1",
    )  # fmt: skip
    assert classic.quantize_argv(engine, "a.gguf", "b.gguf", "Q8_0") == (
        str(tmp_path / "quantize"), "--allow-requantize", "a.gguf", "b.gguf", "Q8_0",
    )  # fmt: skip
    assert classic.quantize_argv(engine, "a", "b", "F32", threads=3)[-1] == "3"
    plain = classic.generate_argv(engine, model="m.gguf", prompt_file="p.txt", tokens=20, threads=2, seed=3)
    assert plain == (
        str(tmp_path / "main"), "--model", "m.gguf", "--file", "p.txt", "--n-predict", "20",
        "--ctx-size", "2048",
        "--temp", "0", "--seed", "3", "--threads", "2", "--no-display-prompt", "--simple-io", "--log-disable",
    )  # fmt: skip
    with_lora = classic.generate_argv(
        engine, model="m.gguf", prompt_file="p.txt", tokens=20, threads=2, seed=3, lora="l.gguf"
    )
    assert with_lora == (*plain, "--lora", "l.gguf")
    renamed = classic.generate_argv(
        engine, model="m.gguf", prompt_file="p.txt", tokens=20, threads=2, seed=3, pre="starcoder"
    )
    assert renamed == (*plain, "--override-kv", "tokenizer.ggml.pre=str:starcoder")


def test_gpu_layers_are_never_asked_for(tmp_path: Path, engine_in: EngineIn) -> None:
    argv = classic.finetune_argv(
        engine_in(tmp_path), SETTINGS, base_model="m", data="d", marker="x", checkpoint_in=None, iterations=1
    )
    assert not {"-ngl", "--n-gpu-layers"} & set(argv)
