"""The guide's measured rows (resources/metrics.csv) as values, and curves through some of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from loragui.errors import AppError
from loragui.paths import resource_path

Blas = Literal["none", "openblas", "cublas", "clblast"]
GUIDE_CPU = "i7-12700H"

_BLAS: dict[str, Blas] = {"None": "none", "OpenBLAS": "openblas", "cuBLAS": "cublas", "CLBlast": "clblast"}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One row: settings, then RAM without and with the mapped model (1024^3 bytes) and minutes in all.

    ``note`` says why a row is out of line or that it repeats another one; mostly empty.
    """

    table: str
    model: str
    label: str
    blas: Blas
    build_option: str
    context_size: int
    batch_size: int
    gradient_accumulation: int
    iterations: int
    rank: int
    alpha: int
    threads: int
    gradient_checkpointing: bool
    flash_attention: bool
    ram_gb: float
    working_set_gb: float
    minutes: float
    note: str

    @property
    def tokens(self) -> int:
        """Tokens in one pass: context times batch."""
        return self.context_size * self.batch_size


@dataclass(frozen=True)
class Curve:
    """Straight lines through measured points, sorted by x; beyond the ends the outermost line goes on."""

    points: tuple[tuple[float, float], ...]

    @staticmethod
    def through(points: Iterable[tuple[float, float]]) -> Curve:
        """The curve through ``points``; of several with the same x the first counts."""
        first: dict[float, float] = {}
        for x, y in points:
            first.setdefault(x, y)
        return Curve(tuple(sorted(first.items())))

    def at(self, x: float) -> float:
        """The value at ``x``."""
        if len(self.points) == 1:
            return self.points[0][1]
        index = 1
        while index < len(self.points) - 1 and self.points[index][0] < x:
            index += 1
        (x0, y0), (x1, y1) = self.points[index - 1], self.points[index]
        return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


@cache
def metrics() -> tuple[Metric, ...]:
    """All rows in the file's order. AppError when the file is damaged."""
    path = resource_path("metrics.csv")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return tuple(map(_metric, rows))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise AppError(
            "The table of measured times cannot be read, so nothing can be estimated.",
            "Install loragui again.",
            details=f"{path}: {error!r}",
            code="resource-damaged",
        ) from error


def _metric(row: dict[str, str]) -> Metric:
    return Metric(
        table=row["table"],
        model=row["model"],
        label=row["label"],
        blas=_BLAS[row["blas"]],
        build_option=row["build_option"],
        context_size=int(row["ctx"]),
        batch_size=int(row["batch"]),
        gradient_accumulation=int(row["grad_acc"]),
        iterations=int(row["adam_iter"]),
        rank=int(row["lora_r"]),
        alpha=int(row["lora_alpha"]),
        threads=int(row["threads"]),
        gradient_checkpointing=row["checkpointing"] == "1",
        flash_attention=row["flash"] == "1",
        ram_gb=float(row["ram_gb"]),
        working_set_gb=float(row["working_set_gb"]),
        minutes=float(row["minutes"]),
        note=row["note"],
    )


_BASE = {
    "context_size": 256,
    "batch_size": 1,
    "gradient_accumulation": 1,
    "iterations": 256,
    "rank": 4,
    "threads": 14,
    "gradient_checkpointing": True,
    "flash_attention": True,
}


@cache
def base(model: str, blas: Blas = "cublas", table: str = "settings") -> Metric:
    """The guide's base command for ``model`` (``3B``, ``7B``, ``13B``)."""
    return next(row for row in _like_base(model, table, ()) if row.blas == blas)


@cache
def rows_by(model: str, *fields: str) -> tuple[Metric, ...]:
    """The rows of the settings table that differ from the base command in nothing but ``fields``."""
    return tuple(_like_base(model, "settings", fields))


def _like_base(model: str, table: str, free: tuple[str, ...]) -> list[Metric]:
    fixed = {name: value for name, value in _BASE.items() if name not in free}
    return [
        row
        for row in metrics()
        if row.model == model
        and row.table == table
        and not row.build_option
        and all(getattr(row, name) == value for name, value in fixed.items())
    ]
