"""How ``finetune`` is told each setting that can be left to the engine, and what the engine then takes itself.

A setting that was left alone is not passed at all, so that an engine without its flag trains all the same. Which flags
an engine has, its own ``--help`` said when it was built.

Source: llama.cpp b1298, b2321 and b2896, ``common/train.cpp``, ``examples/finetune/finetune.cpp``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loragui.engine.installed import Engine
from loragui.errors import AppError, Problem
from loragui.project import Hyperparameters

LARGEST = 2**31 - 1
"""Numbers are read as 32-bit integers; a larger one aborts the program."""
RANK = "rank"
"""As ``Option.own``: the rank of the whole LoRA."""


@dataclass(frozen=True)
class Option:
    """A setting with a value between ``least`` and ``most``. ``own`` is what the engine takes without its flag.

    ``own`` of None is what the base model says, or no limit at all.
    """

    field: str
    flag: str
    least: float
    most: float
    own: float | str | None = None


@dataclass(frozen=True)
class Switch:
    """A setting that is on or off; its flag, without a value, is passed when it is ``when``."""

    field: str
    flag: str
    when: bool = True


OPTIONS = (
    Option("rope_freq_base", "--rope-freq-base", 1e-6, 1e38),
    Option("rope_freq_scale", "--rope-freq-scale", 1e-6, 1e6),
    Option("norm_rms_eps", "--norm-rms-eps", 0, 1),
    Option("max_epochs", "--epochs", 1, LARGEST),
    Option("rank_token_embeddings", "--rank-tok-embd", 1, LARGEST, RANK),
    Option("rank_output", "--rank-out", 1, LARGEST, RANK),
    Option("rank_query", "--rank-wq", 1, LARGEST, RANK),
    Option("rank_key", "--rank-wk", 1, LARGEST, RANK),
    Option("rank_value", "--rank-wv", 1, LARGEST, RANK),
    Option("rank_attention_output", "--rank-wo", 1, LARGEST, RANK),
    # Since b2141 these are called --rank-ffn_gate, _down and _up. Those names stand in the help, but cannot be given:
    # the program writes "-" for every "_" in an argument before it looks for the name with "_" (measured: rc 1).
    Option("rank_ffn_gate", "--rank-w1", 1, LARGEST, RANK),
    Option("rank_ffn_down", "--rank-w2", 1, LARGEST, RANK),
    Option("rank_ffn_up", "--rank-w3", 1, LARGEST, RANK),
    Option("rank_attention_norm", "--rank-att-norm", 1, LARGEST, 1),
    Option("rank_ffn_norm", "--rank-ffn-norm", 1, LARGEST, 1),
    Option("rank_output_norm", "--rank-out-norm", 1, LARGEST, 1),
    # Below 1 a restart would shrink the rest to nothing, and the program would never come out of its loop.
    Option("cosine_restart_factor", "--cos-decay-restart", 1, 1000, 1.1),
    Option("cosine_decay_minimum", "--cos-decay-min", 0, 1, 0.1),
    Option("minimum_learning_rate", "--adam-min-alpha", 0, 10, 0),
    Option("weight_decay", "--adam-decay", 0, 1e6, 0.1),
    Option("weight_decay_min_dimensions", "--adam-decay-min-ndim", 0, 4, 2),
    Option("adam_beta1", "--adam-beta1", 0, 0.999999, 0.9),
    Option("adam_beta2", "--adam-beta2", 0, 0.999999, 0.999),
    Option("gradient_clipping", "--adam-gclip", 0, 1e6, 1),
    Option("convergence_past", "--opt-past", 0, LARGEST, 0),
    Option("convergence_delta", "--opt-delta", 0, 1, 1e-5),
    Option("convergence_epsilon", "--adam-epsf", 0, 1, 0),
    Option("max_no_improvement", "--opt-max-no-improvement", 0, LARGEST, 0),
)
SWITCHES = (
    Switch("include_sample_start", "--include-sample-start"),
    Switch("overlapping_samples", "--overlapping-samples"),
    Switch("fill_with_next_samples", "--fill-with-next-samples"),
    Switch("separate_with_eos", "--separate-with-eos"),
    Switch("separate_with_bos", "--no-separate-with-bos", when=False),
    Switch("sample_random_offsets", "--sample-random-offsets"),
    Switch("force_reshuffle", "--force-reshuffle"),
    Switch("cosine_restarts", "--enable-restart"),
)


def has(engine: Engine, program: str, flag: str) -> bool:
    """Whether the program of this engine knows the flag."""
    return flag in engine.flags.get(program, ())


def problems(settings: Hyperparameters) -> tuple[Problem, ...]:
    """Values with which ``finetune`` would hang, crash, or compute nothing."""
    wrong = []
    for option in OPTIONS:
        value = getattr(settings, option.field)
        if value is not None and not option.least <= value <= option.most:
            what = f"The setting “{_name(option.field)}” is {value:g}"
            message = f"{what}; it must be between {option.least:g} and {option.most:g}."
            wrong.append(Problem(message=message, hint="Change it in the settings.", code="setting-out-of-range"))
    return tuple(wrong)


def lacking(engine: Engine, settings: Hyperparameters) -> tuple[Problem, ...]:
    """Settings for which this engine has no flag, and that ask for something else than it does without."""
    fields = [
        option.field
        for option in OPTIONS
        if (value := getattr(settings, option.field)) is not None
        and not has(engine, "finetune", option.flag)
        and value != (settings.rank if option.own == RANK else option.own)
    ]
    fields += [
        switch.field
        for switch in SWITCHES
        if getattr(settings, switch.field) is switch.when and not has(engine, "finetune", switch.flag)
    ]
    return tuple(
        Problem(
            message=f"The engine {engine.name} does not have the setting “{_name(field)}”.",
            hint="Leave it as it comes, or choose an engine of another revision.",
            code="setting-not-in-engine",
        )
        for field in fields
    )


def optional(engine: Engine, settings: Hyperparameters) -> Iterator[str]:
    """The words for all settings that are not left to the engine. AppError for one that it has no flag for."""
    for problem in lacking(engine, settings):
        raise AppError.of(problem)
    for option in OPTIONS:
        value = getattr(settings, option.field)
        if value is not None and has(engine, "finetune", option.flag):
            yield from (option.flag, repr(value))
    yield from (switch.flag for switch in SWITCHES if getattr(settings, switch.field) is switch.when)


def _name(field: str) -> str:
    return field.replace("_", " ")
