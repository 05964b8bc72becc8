"""The exact words that each revision's programs are called with, held against what their own help names."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from loragui.engine import classic, flags
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.project import Hyperparameters
from tests.engine.conftest import LOGS, REVISIONS
from tests.engine.conftest import flags as named

EngineIn = Callable[..., Engine]
PROGRAMS = ("finetune", "export-lora", "main", "quantize")
SETTINGS = Hyperparameters(
    context_size=192, batch_size=2, gradient_accumulation=3, iterations=40, rank=8, alpha=16,
    learning_rate=1e-05,
    warmup=5, threads=4, seed=7, save_every=8, gradient_checkpointing=False,
)  # fmt: skip
EVERY: Mapping[str, Any] = {
    "cosine_decay_steps": 30, "flash_attention": False, "rope_freq_base": 1000000, "rope_freq_scale": 0.25,
    "norm_rms_eps": 1e-6, "max_epochs": 3, "rank_token_embeddings": 2, "rank_output": 3, "rank_query": 4,
    "rank_key": 5, "rank_value": 6, "rank_attention_output": 7, "rank_attention_norm": 1, "rank_ffn_norm": 1,
    "rank_output_norm": 1, "cosine_restart_factor": 1.5, "cosine_decay_minimum": 0.2, "minimum_learning_rate": 1e-6,
    "weight_decay": 0.05, "weight_decay_min_dimensions": 1, "adam_beta1": 0.8, "adam_beta2": 0.99,
    "gradient_clipping": 0.5, "convergence_past": 4, "convergence_delta": 1e-9, "convergence_epsilon": 1e-9,
    "max_no_improvement": 50, "include_sample_start": True, "overlapping_samples": True,
    "fill_with_next_samples": True, "separate_with_eos": True, "separate_with_bos": False,
    "sample_random_offsets": True, "force_reshuffle": True, "cosine_restarts": True,
}  # fmt: skip
FFN: Mapping[str, Any] = {"rank_ffn_gate": 9, "rank_ffn_down": 10, "rank_ffn_up": 11}
"""What only b1298 can be told."""
PLAIN_WORDS = (
    "--model-base", "../m.gguf", "--train-data", "train.txt", "--sample-start", "<s>",
    "--checkpoint-in", "", "--checkpoint-out", "checkpoint-ITERATION.gguf",
    "--lora-out", "lora-ITERATION.gguf", "--adam-iter", "40", "--save-every", "8", "--seed", "7",
    "--threads", "4", "--ctx", "192", "--batch", "2", "--grad-acc", "3", "--adam-alpha", "1e-05",
    "--warmup", "5", "--lora-r", "8", "--lora-alpha", "16", "--no-checkpointing", "--use-flash",
)  # fmt: skip
FFN_WORDS = ("--rank-w1", "9", "--rank-w2", "10", "--rank-w3", "11")
BEFORE_FFN = (
    "--no-flash", "--cos-decay-steps", "30", "--rope-freq-base", "1000000", "--rope-freq-scale", "0.25",
    "--norm-rms-eps", "1e-06", "--epochs", "3", "--rank-tok-embd", "2", "--rank-out", "3", "--rank-wq", "4",
    "--rank-wk", "5", "--rank-wv", "6", "--rank-wo", "7",
)  # fmt: skip
AFTER_FFN = (
    "--rank-att-norm", "1", "--rank-ffn-norm", "1", "--rank-out-norm", "1", "--cos-decay-restart", "1.5",
    "--cos-decay-min", "0.2", "--adam-min-alpha", "1e-06", "--adam-decay", "0.05", "--adam-decay-min-ndim", "1",
    "--adam-beta1", "0.8", "--adam-beta2", "0.99", "--adam-gclip", "0.5", "--opt-past", "4", "--opt-delta", "1e-09",
    "--adam-epsf", "1e-09", "--opt-max-no-improvement", "50", "--include-sample-start", "--overlapping-samples",
    "--fill-with-next-samples", "--separate-with-eos", "--no-separate-with-bos", "--sample-random-offsets",
    "--force-reshuffle", "--enable-restart",
)  # fmt: skip
OURS = {
    "--model-base": "the base model of the step “Base model”",
    "--train-data": "the training text that loragui writes",
    "--sample-start": "the marker that the training text was written with",
    "--escape": "never: the marker is passed as it is, in an argument list without a shell",
    "--checkpoint-in": "the last good checkpoint when a training goes on, else none",
    "--checkpoint-out": "a fixed name in the run's folder, which loragui reads back",
    "--lora-out": "a fixed name in the run's folder, which loragui reads back",
    "--pattern-fn-it": "never: the fixed names hold the engine's own ITERATION",
    "--fn-latest": "never: files with a number are read, LATEST is written over in place",
    "--adam-iter": "iterations, less those of the checkpoint",
    "--only-write-lora": "never: each checkpoint has its LoRA beside it",
    "--help": "after a build, to see which flags there are",
}
"""Flags of the guide's Appendix C that are no settings: loragui passes them itself, or never, and why."""
BASIC = {
    "save_every": "--save-every", "threads": "--threads", "context_size": "--ctx", "batch_size": "--batch",
    "gradient_accumulation": "--grad-acc", "rank": "--lora-r", "alpha": "--lora-alpha",
    "learning_rate": "--adam-alpha", "seed": "--seed", "warmup": "--warmup", "cosine_decay_steps": "--cos-decay-steps",
}  # fmt: skip
BOTH = {
    "gradient_checkpointing": ("--use-checkpointing", "--no-checkpointing"),
    "flash_attention": ("--use-flash", "--no-flash"),
    "separate_with_bos": ("--separate-with-bos", "--no-separate-with-bos"),
    "separate_with_eos": ("--separate-with-eos", "--no-separate-with-eos"),
    "cosine_restarts": ("--enable-restart", "--disable-restart"),
}
"""Settings with a flag for each side; the engine's own side needs none."""


@pytest.fixture
def engine_of(tmp_path: Path, engine_in: EngineIn) -> Callable[[str], Engine]:
    """Makes an engine that has the flags of a revision."""

    def make(revision: str) -> Engine:
        known = {program: named(program, revision) for program in PROGRAMS}
        return engine_in(tmp_path / revision, pin=revision, flags=known)

    return make


EngineOf = Callable[[str], Engine]


def train(engine: Engine, settings: Hyperparameters, **changes: Any) -> tuple[str, ...]:
    usual: dict[str, Any] = {
        "base_model": "../m.gguf", "data": "train.txt", "marker": "<s>", "checkpoint_in": None, "iterations": 40,
    }  # fmt: skip
    program, *words = classic.finetune_argv(engine, settings, **{**usual, **changes})
    assert program == str(engine.folder / "finetune")
    return tuple(words)


def passed(argv: tuple[str, ...]) -> set[str]:
    return {word for word in argv[1:] if re.fullmatch(r"--?[a-z][\w-]*", word)}


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_plain_training(revision: str, engine_of: EngineOf) -> None:
    assert train(engine_of(revision), SETTINGS) == PLAIN_WORDS


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_setting(revision: str, engine_of: EngineOf) -> None:
    old = revision == "b1298"
    settings = dataclasses.replace(SETTINGS, **EVERY, **(FFN if old else {}))
    words = (*PLAIN_WORDS[:-1], *BEFORE_FFN, *(FFN_WORDS if old else ()), *AFTER_FFN)
    assert train(engine_of(revision), settings) == words


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_resumed_training_gets_the_checkpoint_and_what_is_left(revision: str, engine_of: EngineOf) -> None:
    engine, settings = engine_of(revision), dataclasses.replace(SETTINGS, max_epochs=3)
    again = train(engine, settings, checkpoint_in="checkpoint-24.gguf", iterations=16, epochs_done=2)
    assert train(engine, settings) == (*PLAIN_WORDS, "--epochs", "3")
    left = [{"": "checkpoint-24.gguf", "40": "16"}.get(word, word) for word in PLAIN_WORDS]
    assert again == (*left, "--epochs", "1")
    assert train(engine, settings, epochs_done=9)[-1] == "1"  # 0 would be no limit


def test_every_field_is_somewhere_in_these_tests() -> None:
    for field in dataclasses.fields(Hyperparameters):
        if field.default is None or isinstance(field.default, bool):
            changed = {**EVERY, **FFN, "gradient_checkpointing": False}
            assert changed.get(field.name, field.default) != field.default, field.name


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("field", sorted(FFN))
def test_a_setting_that_the_engine_lacks(field: str, revision: str, engine_of: EngineOf) -> None:
    """It is refused unless it says what the engine does anyway."""
    engine = engine_of(revision)
    same = train(engine, dataclasses.replace(SETTINGS, **{field: SETTINGS.rank}))
    other = dataclasses.replace(SETTINGS, **{field: 3})
    if revision == "b1298":
        assert len(same) == len(PLAIN_WORDS) + 2
        assert train(engine, other)[-1] == "3"
        return
    assert same == PLAIN_WORDS
    (problem,) = flags.lacking(engine, other)
    assert problem.code == "setting-not-in-engine"
    with pytest.raises(AppError, match=f"The engine {revision} does not have the setting “{field.replace('_', ' ')}”"):
        train(engine, other)


def test_an_engine_that_lacks_everything(tmp_path: Path, engine_in: EngineIn) -> None:
    engine = engine_in(tmp_path, flags={})
    assert train(engine, SETTINGS) == PLAIN_WORDS
    own = {option.field: option.own for option in flags.OPTIONS if isinstance(option.own, int | float)}
    assert train(engine, dataclasses.replace(SETTINGS, **own)) == PLAIN_WORDS
    for field in set(EVERY) - {"cosine_decay_steps", "flash_attention", "max_epochs"} - set(own):
        with pytest.raises(AppError, match="does not have the setting"):
            train(engine, dataclasses.replace(SETTINGS, **{field: EVERY[field]}))


def test_every_flag_of_the_guide_is_reached() -> None:
    """The guide's Appendix C is about bc39553, whose help is that of b1298."""
    help_text = (LOGS / "b1298" / "help-finetune.stderr").read_text()
    guide = set(re.findall(r"^  (?:-\w(?: \w+)?, )?(--[a-z0-9-]+)", help_text, re.MULTILINE))
    assert len(guide) == 66
    fields = {field.name for field in dataclasses.fields(Hyperparameters)}
    ways = {
        **{flag: {field} for field, flag in BASIC.items()},
        **{option.flag: {option.field} for option in flags.OPTIONS},
        **{switch.flag: {switch.field} for switch in flags.SWITCHES},
        **{flag: {field} for field, both in BOTH.items() for flag in both},
    }
    assert set(ways) | set(OURS) == guide
    assert not set(ways) & set(OURS)
    assert set().union(*ways.values()) == fields - {"iterations"}


def test_the_engines_own_values_are_those_of_its_help() -> None:
    for revision in REVISIONS:
        help_text = (LOGS / revision / "help-finetune.stderr").read_text()
        told = dict(re.findall(r"(--[a-z0-9-]+) [FN] .*\(default (-?[\d.]+)\)", help_text))
        for option in flags.OPTIONS:
            if isinstance(option.own, int | float) and option.flag in told:
                assert float(told[option.flag]) == option.own, option.flag
        for field, (on, off) in BOTH.items():
            own = on if getattr(Hyperparameters(), field) else off
            assert re.search(rf"{own}\b.*\(default\)", help_text), own


@pytest.mark.parametrize(
    ("field", "value"),
    [("context_size", 0), ("batch_size", 0), ("rank", 0), ("threads", 0), ("save_every", 0), ("seed", -1),
     ("iterations", 2**31), ("learning_rate", 0.0), ("learning_rate", float("nan")), ("max_epochs", 0),
     ("rank_query", 0), ("adam_beta1", 1.0), ("adam_beta2", float("nan")), ("cosine_restart_factor", 0.9),
     ("minimum_learning_rate", 0.1), ("rope_freq_base", 0.0), ("norm_rms_eps", -1.0)],
)  # fmt: skip
def test_settings_that_crash_the_engine_are_refused(field: str, value: float, engine_of: EngineOf) -> None:
    settings = dataclasses.replace(SETTINGS, **{field: value})  # type: ignore[arg-type]
    with pytest.raises(AppError) as caught:
        train(engine_of("b2896"), settings)
    assert caught.value.problem.code == "setting-out-of-range"


@pytest.mark.parametrize("revision", REVISIONS)
def test_merge_and_quantize(revision: str, engine_of: EngineOf) -> None:
    engine = engine_of(revision)
    merge = classic.export_lora_argv(engine, base_model="b.gguf", lora="l.gguf", output="o.gguf", scale=0.5)
    assert merge == (
        str(engine.folder / "export-lora"), "--model-base", "b.gguf", "--model-out", "o.gguf",
        "--lora-scaled", "l.gguf",
        "0.5", "--threads", "1",
    )  # fmt: skip
    assert classic.quantize_argv(engine, "a.gguf", "b.gguf", "Q8_0") == (
        str(engine.folder / "quantize"), "--allow-requantize", "a.gguf", "b.gguf", "Q8_0",
    )  # fmt: skip
    assert classic.quantize_argv(engine, "a", "b", "F32", threads=3)[-1] == "3"


@pytest.mark.parametrize("revision", REVISIONS)
def test_generate(revision: str, engine_of: EngineOf) -> None:
    engine, old = engine_of(revision), revision == "b1298"
    names: dict[str, Any] = {"model": "m.gguf", "prompt_file": "p.txt", "tokens": 20, "threads": 2, "seed": 3}
    plain = classic.generate_argv(engine, **names)
    assert plain == (
        str(engine.folder / "main"), "--model", "m.gguf", "--file", "p.txt", "--n-predict", "20",
        "--ctx-size", "2048", "--temp", "0", "--seed", "3", "--threads", "2",
        *(() if old else ("--no-display-prompt",)), "--simple-io", "--log-disable",
    )  # fmt: skip
    assert classic.echoes(engine) == old
    assert classic.generate_argv(engine, **names, lora="l.gguf") == (*plain, "--lora", "l.gguf")
    renamed = () if old else ("--override-kv", "tokenizer.ggml.pre=str:starcoder")
    assert classic.generate_argv(engine, **names, pre="starcoder") == (*plain, *renamed)


@pytest.mark.parametrize("revision", REVISIONS)
def test_nothing_is_passed_that_the_help_does_not_name(revision: str, engine_of: EngineOf) -> None:
    """GPU layers are never asked for, although two of the revisions have a flag for them."""
    engine = engine_of(revision)
    every = dataclasses.replace(SETTINGS, **EVERY, **(FFN if revision == "b1298" else {}))
    said = {
        "finetune": passed(train(engine, SETTINGS)) | passed(train(engine, every)),
        "export-lora": passed(classic.export_lora_argv(engine, base_model="b", lora="l", output="o")),
        "quantize": passed(classic.quantize_argv(engine, "a", "b", "Q8_0")),
        "main": passed(classic.generate_argv(engine, model="m", prompt_file="p", tokens=1, lora="l", pre="x")),
    }
    for program, words in said.items():
        assert words <= set(engine.flags[program])
        assert not {"-ngl", "--n-gpu-layers"} & words
    assert ("--n-gpu-layers" in engine.flags["finetune"]) == (revision != "b1298")
