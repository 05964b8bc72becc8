"""The loss of a training over its iterations and over its time, kept ready to be drawn while it grows.

A training may have a million iterations, so the numbers lie in arrays that grow by doubling, the smoothed curve goes on
from where it was, and what is drawn is thinned out first (``decimate``). numpy: only the plot and its page load this.

The engine's first line of an attempt (iteration 0, or that of its checkpoint) has no loss of its own and never becomes
a ``Metric``, so every point here is a real one.
"""

from __future__ import annotations

import csv
import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loragui.errors import AppError
from loragui.jobs import events
from loragui.jobs.events import Metric, RunEnded, RunStarted, Saved, Stamped
from loragui.jobs.pyjob import os_problem

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SHARE = 0.02
"""Part of the points that the smoothed curve averages over: as wide to the eye in a short training as in a long one."""
LEAST_SPAN = 10
"""Points averaged over at least; fewer would only draw the noise again."""
_RESPAN = 1.25
"""Growth of the span after which the whole curve is smoothed anew, so that this costs next to nothing per point."""
_DECODE = json.JSONDecoder().raw_decode


class LossSeries:
    """Iterations, seconds of work, loss and smoothed loss of one training: every iteration once, in order.

    ``checkpoints`` are iterations with a verified checkpoint. ``nan_at`` is the first whose loss is not a number.
    """

    def __init__(self) -> None:
        self.checkpoints: list[int] = []
        self.nan_at: int | None = None
        self._size = 0
        self._iterations = np.empty(1024, np.int64)
        self._times, self._loss, self._smooth = (np.empty(1024) for _ in range(3))
        self._last = (0, 0.0)
        self._average = _Average(LEAST_SPAN)
        self._smoothed = 0
        self._began: float | None = None
        self._worked = self._reached = 0.0

    def __len__(self) -> int:
        return self._size

    @property
    def iterations(self) -> Integers:
        """Ascending numbers of the iterations."""
        return self._iterations[: self._size]

    @property
    def times(self) -> Floats:
        """Seconds of work since the start of the training at each iteration; pauses between attempts are left out."""
        return self._times[: self._size]

    @property
    def loss(self) -> Floats:
        """The loss as the engine wrote it, NaN where it was not a finite number."""
        return self._loss[: self._size]

    @property
    def smooth(self) -> Floats:
        """Exponential moving average of the finite losses so far; NaN where the loss is, so that the gap shows."""
        span = max(LEAST_SPAN, round(SHARE * self._size))
        if not self._average.span / _RESPAN <= span <= self._average.span * _RESPAN:
            self._average, self._smoothed = _Average(span), 0
        if self._smoothed < self._size:
            fresh = slice(self._smoothed, self._size)
            self._smooth[fresh] = self._average.extend(self._loss[fresh])
            self._smoothed = self._size
        return self._smooth[: self._size]

    def append(self, iteration: int, time: float, loss: float) -> None:
        """Add a point. An iteration that was there already (a training went on from a checkpoint) replaces the rest."""
        if self._size and iteration <= self._last[0]:
            self._truncate(iteration)
        if self._size == len(self._loss):
            self._grow()
        if not math.isfinite(loss):
            loss = math.nan
            self.nan_at = iteration if self.nan_at is None else self.nan_at
        self._last = iteration, max(time, self._last[1])
        self._iterations[self._size], self._times[self._size] = self._last
        self._loss[self._size] = loss
        self._size += 1

    def add_events(self, stampeds: Iterable[Stamped]) -> None:
        """Take what matters from a run's events, which must come in their order and from the first on."""
        for stamped in stampeds:
            match stamped.event:
                case Metric(iteration=iteration, loss=loss):
                    self.append(iteration, self._work_at(stamped.time), loss)
                case Saved(iteration=iteration):
                    if not self.checkpoints or iteration > self.checkpoints[-1]:
                        self.checkpoints.append(iteration)
                case RunStarted():
                    self._worked, self._began = self._reached, stamped.time
                case RunEnded(seconds=seconds):  # its own time may be that of a look days after a crash
                    self._reached = max(self._reached, self._worked + seconds)

    def add_lines(self, lines: Iterable[str]) -> None:
        """The same from lines of ``events.jsonl``; those of no interest are not even parsed."""
        for line in lines:
            if '"event":"Metric"' in line:
                self._add_metric(line)
            elif '"event":"Saved"' in line or '"event":"Run' in line:
                stamped = events.from_line(line)
                self.add_events([stamped] if stamped else ())

    def _add_metric(self, line: str) -> None:
        try:
            row, _ = _DECODE(line)
            iteration, time, loss = int(row["iteration"]), float(row["t"]), float(row["loss"])
        except (ValueError, TypeError, KeyError):
            return  # a torn or damaged line
        self.append(iteration, self._work_at(time), loss)

    def _work_at(self, time: float) -> float:
        if self._began is None:
            self._began = time
        self._reached = max(self._reached, self._worked + time - self._began)
        return self._reached

    def _truncate(self, iteration: int) -> None:
        self._size = int(np.searchsorted(self.iterations, iteration))
        self._last = (0, float(self._times[self._size - 1]) if self._size else 0.0)
        self._average, self._smoothed = _Average(self._average.span), 0
        self.checkpoints = [number for number in self.checkpoints if number < iteration]
        if self.nan_at is not None and self.nan_at >= iteration:
            self.nan_at = None

    def _grow(self) -> None:
        more = 2 * self._size
        self._iterations = np.resize(self._iterations, more)
        self._times, self._loss, self._smooth = (np.resize(a, more) for a in (self._times, self._loss, self._smooth))


class _Average:
    """An exponential moving average without the pull towards its start (bias correction), in whole arrays at once."""

    def __init__(self, span: int) -> None:
        self.span = span
        self._decay = 1 - 2 / (span + 1)
        self._sum = 0.0
        self._seen = 0

    def extend(self, values: Floats) -> Floats:
        """The averages at ``values``, which follow those given before."""
        found = np.full(len(values), np.nan)
        finite = ~np.isnan(values)
        wanted = values[finite]
        block = 5 * self.span  # powers of the decay stay above e**-10: nothing is lost in a block
        parts = [self._block(wanted[at : at + block]) for at in range(0, len(wanted), block)]
        if parts:
            found[finite] = np.concatenate(parts)
        return found

    def _block(self, values: Floats) -> Floats:
        powers = self._decay ** np.arange(len(values))
        sums = powers * (self._decay * self._sum + np.cumsum(values / powers))
        counts = np.arange(self._seen + 1, self._seen + len(values) + 1)
        self._sum, self._seen = float(sums[-1]), int(counts[-1])
        averages: Floats = sums * (1 - self._decay) / (1 - self._decay**counts)
        return averages


def decimate(
    x: npt.NDArray[np.number], y: Floats, low: float, high: float, buckets: int
) -> tuple[npt.NDArray[np.number], Floats]:
    """The part of a curve between ``low`` and ``high`` in at most ``2 * buckets + 4`` points, no peak lost.

    ``x`` ascends. Of each bucket its least and its greatest stay, in their order; besides the first and the last, and
    a neighbour outside on either side, so that the line reaches the edges. NaN stays where a bucket holds nothing else.
    """
    first, end = bisect_left(x, low), bisect_right(x, high)  # searchsorted would copy integers to compare with floats
    start, stop = max(first - 1, 0), min(end + 1, len(x))
    if stop - start <= 2 * buckets + 4:
        return x[start:stop], y[start:stop]
    size = -(-(end - first) // buckets)
    whole = end - (end - first) % size
    picks = [np.array([start, first, end - 1, stop - 1]), _extremes(y[first:whole].reshape(-1, size), first)]
    if whole < end:
        picks.append(_extremes(y[whole:end].reshape(1, -1), whole))
    kept: Integers = np.unique(np.concatenate(picks))
    return x[kept], y[kept]


def _extremes(rows: Floats, first: int) -> Integers:
    """Where the least and the greatest of each row are, counted from ``first`` on over all rows."""
    starts = first + rows.shape[1] * np.arange(len(rows))
    gaps = np.isnan(rows)
    lows, highs = (np.where(gaps, np.inf, rows), np.where(gaps, -np.inf, rows)) if gaps.any() else (rows, rows)
    return np.concatenate([starts + lows.argmin(axis=1), starts + highs.argmax(axis=1)])


def write_csv(series: LossSeries, target: Path) -> None:
    """One line per iteration; cells are empty where there is no number. AppError when it cannot be written."""
    columns: Sequence[list[float]] = [a.tolist() for a in (series.iterations, series.times, series.loss, series.smooth)]
    try:
        with target.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("iteration", "seconds", "loss", "smoothed loss"))
            for iteration, seconds, *losses in zip(*columns, strict=True):
                cells = ("" if math.isnan(loss) else f"{loss:.6f}" for loss in losses)
                writer.writerow((iteration, f"{seconds:.3f}", *cells))
    except OSError as error:
        raise AppError.of(os_problem(error)) from error
