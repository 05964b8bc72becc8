"""The classic engine family: exact argument lists for ``finetune``, ``export-lora``, ``quantize`` and
``main``.

All file names are relative to the folder in which the program runs: the engine cannot open other than ASCII
absolute paths on Windows, and the shuffle of a training is tied to the string that names its data. GPU flags
(``-ngl``) are never passed: they crash this family (shared facts, engine.md part A). Flags that only some revisions
have are passed to an engine whose own ``--help`` named them; see ``flags.py`` for those of ``finetune``.

Source of the flags: llama.cpp b1298, b2321 and b2896, ``common/train.cpp``, ``common/common.cpp``,
``examples/*/*.cpp``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loragui.engine import flags
from loragui.engine.installed import Engine
from loragui.errors import AppError, Problem
from loragui.project import Hyperparameters

CHECKPOINTS = "checkpoint-ITERATION.gguf"
LORAS = "lora-ITERATION.gguf"
"""How output files are named; the engine puts the iteration number, or LATEST, in place of ITERATION."""
NO_CHECKPOINT = ""
"""As ``--checkpoint-in``: start anew. without it a ``checkpoint.gguf`` that lies around is loaded."""


def problems(settings: Hyperparameters) -> tuple[Problem, ...]:
    """Settings with which ``finetune`` would crash or do nothing."""
    lowest = {
        "context size": (settings.context_size, 2),
        "batch size": (settings.batch_size, 1),
        "gradient accumulation": (settings.gradient_accumulation, 1),
        "number of iterations": (settings.iterations, 1),
        "rank": (settings.rank, 1),
        "alpha": (settings.alpha, 1),
        "warm-up": (settings.warmup, 0),
        "number of decay steps": (settings.cosine_decay_steps, 0),
        "number of threads": (settings.threads, 1),
        "number of iterations between saves": (settings.save_every, 1),
        "seed": (settings.seed, 0),
    }
    wrong = [
        _out_of_range(name, value, least)
        for name, (value, least) in lowest.items()
        if not least <= value <= flags.LARGEST
    ]
    if not 0 < settings.learning_rate < 10:
        message = f"The learning rate {settings.learning_rate:g} is not a usable value."
        wrong.append(
            Problem(message=message, hint="Values from 0.00001 to 0.01 are usual.", code="setting-out-of-range")
        )
    elif (settings.minimum_learning_rate or 0) > settings.learning_rate:
        message = f"The lowest learning rate {settings.minimum_learning_rate:g} is above the learning rate itself."
        wrong.append(Problem(message=message, hint="Lower it, or leave it as it comes.", code="setting-out-of-range"))
    return (*wrong, *flags.problems(settings))


def _out_of_range(name: str, value: int, least: int) -> Problem:
    return Problem(
        message=f"The {name} is {value}; it must be {least} or more, and less than 2,147,483,648.",
        hint="Change it in the settings.",
        code="setting-out-of-range",
    )


def finetune_argv(
    engine: Engine,
    settings: Hyperparameters,
    *,
    base_model: str,
    data: str,
    marker: str,
    checkpoint_in: str | None,
    iterations: int,
    epochs_done: int = 0,
) -> tuple[str, ...]:
    """Train, from the start or from the verified checkpoint file ``checkpoint_in``, for ``iterations`` more.

    ``marker`` begins every sample in the text file ``data``. The engine counts epochs, too, from where it resumes:
    ``epochs_done`` of the checkpoint are left out. AppError for settings that the engine cannot take.
    """
    wrong = problems(settings)
    if wrong:
        raise AppError.of(wrong[0])
    if not marker or iterations < 1:
        raise AppError("There is nothing to train: no sample marker or no iterations left.", "Check the settings.")
    return (
        str(engine.program("finetune")),
        "--model-base", base_model,
        "--train-data", data,
        "--sample-start", marker,
        "--checkpoint-in", checkpoint_in or NO_CHECKPOINT,
        "--checkpoint-out", CHECKPOINTS,
        "--lora-out", LORAS,
        "--adam-iter", str(iterations),
        *_settings(settings),
        *flags.optional(engine, _left(settings, epochs_done)),
    )  # fmt: skip


def _left(settings: Hyperparameters, epochs_done: int) -> Hyperparameters:
    if settings.max_epochs is None:
        return settings
    return replace(settings, max_epochs=max(1, settings.max_epochs - epochs_done))


def _settings(settings: Hyperparameters) -> Iterator[str]:
    yield from ("--save-every", str(settings.save_every))
    yield from ("--seed", str(settings.seed))
    yield from ("--threads", str(settings.threads))
    yield from ("--ctx", str(settings.context_size))
    yield from ("--batch", str(settings.batch_size))
    yield from ("--grad-acc", str(settings.gradient_accumulation))
    yield from ("--adam-alpha", repr(settings.learning_rate))
    yield from ("--warmup", str(settings.warmup))
    yield from ("--lora-r", str(settings.rank))
    yield from ("--lora-alpha", str(settings.alpha))
    yield "--use-checkpointing" if settings.gradient_checkpointing else "--no-checkpointing"
    yield "--use-flash" if settings.flash_attention else "--no-flash"
    if settings.cosine_decay_steps:
        yield from ("--cos-decay-steps", str(settings.cosine_decay_steps))


def export_lora_argv(
    engine: Engine, *, base_model: str, lora: str, output: str, scale: float = 1.0, threads: int = 1
) -> tuple[str, ...]:
    """Add the LoRA, ``scale`` times, to the base model and write the sum to ``output``."""
    return (
        str(engine.program("export-lora")),
        "--model-base", base_model,
        "--model-out", output,
        "--lora-scaled", lora, repr(float(scale)),
        "--threads", str(threads),
    )  # fmt: skip


def quantize_argv(engine: Engine, source: str, target: str, file_type: str, *, threads: int = 0) -> tuple[str, ...]:
    """Rewrite the model as ``file_type`` (``Q8_0``, ``F32``, …); with 0 the engine chooses the threads."""
    argv = (str(engine.program("quantize")), "--allow-requantize", source, target, file_type)
    return (*argv, str(threads)) if threads else argv


def generate_argv(
    engine: Engine,
    *,
    model: str,
    prompt_file: str,
    tokens: int,
    lora: str | None = None,
    threads: int = 1,
    seed: int = 1,
    context: int = 2048,
    pre: str = "",
) -> tuple[str, ...]:
    """Continue the text of ``prompt_file`` by up to ``tokens`` tokens, always the most likely one
    (temperature 0).

    Only the new text reaches stdout, or, from an engine that ``echoes``, the prompt before it. Both must fit into
    ``context`` tokens (the model's own window can be very large, and costs memory from the start). One newline at
    the prompt file's end is dropped. ``pre`` is a pre-tokenizer that the engine knows, in place of the one that the
    model names; an engine that cannot be told one reads none.
    """
    argv = (
        str(engine.program("main")),
        "--model", model,
        "--file", prompt_file,
        "--n-predict", str(tokens),
        "--ctx-size", str(context),
        "--temp", "0",
        "--seed", str(seed),
        "--threads", str(threads),
        *(() if echoes(engine) else ("--no-display-prompt",)),
        "--simple-io",
        "--log-disable",
    )  # fmt: skip
    known = pre and flags.has(engine, "main", "--override-kv")
    renamed = ("--override-kv", f"tokenizer.ggml.pre=str:{pre}") if known else ()
    return (*argv, *renamed, "--lora", lora) if lora else (*argv, *renamed)


def echoes(engine: Engine) -> bool:
    """Whether ``main`` writes the prompt to stdout before the new text: it cannot be told not to."""
    return not flags.has(engine, "main", "--no-display-prompt")
