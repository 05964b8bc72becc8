"""What the guide's rows say about any setting of its three models: the row itself, or lines between rows.

Rules, all visible in the rows: context c with batch b takes the RAM of context c times b; rank adds to RAM
and hardly changes the time; accumulation and iterations multiply the time; not checkpointing adds the merged
weights to RAM, whatever the tokens; the kind of BLAS adds to RAM and multiplies the time.
"""

from __future__ import annotations

from dataclasses import dataclass

from loragui.project import Hyperparameters
from loragui.settings import physics
from loragui.settings.metrics import Blas, Curve, Metric, base, metrics, rows_by
from loragui.settings.size import GUIDE_SIZES

GB = 1 << 30
_NO_CHECKPOINTING_TIME = 0.89  # 3B: 151 of 169 minutes, 7B: 420 of 473; 13B was paging


@dataclass(frozen=True, kw_only=True)
class Measured:
    """RAM without and with the mapped model, in bytes, and seconds for the whole training."""

    ram_bytes: float
    working_set_bytes: float
    seconds: float


def exact_row(model: str, settings: Hyperparameters, blas: Blas, *, build_option: str = "") -> Metric | None:
    """The row with just these settings; of a command that was measured twice the settings table's."""
    for row in metrics():
        if (
            row.model == model
            and (row.blas, row.build_option, row.threads) == (blas, build_option, settings.threads)
            and (row.context_size, row.batch_size) == (settings.context_size, settings.batch_size)
            and (row.rank, row.alpha) == (settings.rank, settings.alpha)
            and (row.gradient_accumulation, row.iterations) == (settings.gradient_accumulation, settings.iterations)
            and row.gradient_checkpointing == settings.gradient_checkpointing
            and row.flash_attention == settings.flash_attention
        ):
            return row
    return None


def of_row(row: Metric) -> Measured:
    """A row in bytes and seconds."""
    return Measured(ram_bytes=row.ram_gb * GB, working_set_bytes=row.working_set_gb * GB, seconds=row.minutes * 60)


def between_rows(model: str, settings: Hyperparameters, blas: Blas) -> Measured:
    """What lines through the rows of ``model`` give for ``settings``."""
    kind = base(model, blas, "compiler")
    usual = base(model)
    extra = _merged_and_attention(model, settings)
    tokens = settings.context_size * settings.batch_size
    figures = []
    for name in ("ram_gb", "working_set_gb"):
        by_tokens = _curve(model, name, "tokens", "context_size", "batch_size")
        by_rank = _curve(model, name, "rank", "rank")
        reference = getattr(usual, name)
        value = by_tokens.at(tokens) + by_rank.at(settings.rank) - reference
        figures.append(GB * max(0.1, value + getattr(kind, name) - reference) + extra)
    minutes = _minutes(model, settings) * kind.minutes / base(model, "cublas", "compiler").minutes
    return Measured(ram_bytes=figures[0], working_set_bytes=figures[1], seconds=60 * minutes)


def _curve(model: str, value: str, over: str, *fields: str) -> Curve:
    rows = rows_by(model, *fields)
    return Curve.through((getattr(row, over), getattr(row, value)) for row in rows)


def _merged_and_attention(model: str, settings: Hyperparameters) -> float:
    """Bytes that not checkpointing and not using flash attention add."""
    size, numbers = GUIDE_SIZES[model], 0
    if not settings.gradient_checkpointing:
        numbers += size.layers * size.layer_parameters
    if not settings.flash_attention:
        numbers += physics.attention_numbers(size, settings)
    return numbers * physics.F32


def _minutes(model: str, settings: Hyperparameters) -> float:
    """Minutes with cuBLAS: those of the context, times the other settings' against the base command."""
    usual = base(model).minutes
    by_context = _curve(model, "minutes", "context_size", "context_size")
    by_batch = _curve(model, "minutes", "batch_size", "batch_size")
    by_steps = _curve(model, "minutes", "gradient_accumulation", "gradient_accumulation")
    by_iterations = Curve.through([(0, 0), *((row.iterations, row.minutes) for row in rows_by(model, "iterations"))])
    fixed = max(0.0, by_context.at(0))  # the part of a pass that its tokens do not change
    growth = (by_batch.at(settings.batch_size) - fixed) / (usual - fixed)
    minutes = fixed + (by_context.at(settings.context_size) - fixed) * growth
    minutes *= by_steps.at(settings.gradient_accumulation) / usual
    minutes *= by_iterations.at(settings.iterations) / usual
    if not settings.gradient_checkpointing:
        minutes *= _NO_CHECKPOINTING_TIME
    return minutes * physics.speed(14) / physics.speed(settings.threads)
