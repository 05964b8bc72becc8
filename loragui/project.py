"""A project as one frozen value, and its file. Parts are replaced, never changed in place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """How a LoRA is trained. Names are the field's; the engine adapter turns them into flags.

    ``context_size`` in tokens, ``batch_size`` in samples, ``iterations`` in optimizer steps in all,
    ``learning_rate`` the peak after ``warmup`` iterations, ``save_every`` in iterations, ``threads`` in CPU threads.
    ``rope_freq_base`` and ``rope_freq_scale`` of None leave what the base model says.
    """

    context_size: int = 256
    batch_size: int = 1
    gradient_accumulation: int = 1
    iterations: int = 256
    rank: int = 8
    alpha: int = 8
    learning_rate: float = 3e-4
    warmup: int = 10
    cosine_decay_steps: int = 0
    threads: int = 2
    seed: int = 1
    save_every: int = 10
    gradient_checkpointing: bool = True
    flash_attention: bool = True
    rope_freq_base: float | None = None
    rope_freq_scale: float | None = None
