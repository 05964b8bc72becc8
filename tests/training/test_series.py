from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.errors import AppError
from loragui.jobs import events
from loragui.jobs.events import Event, Log, Metric, RunEnded, RunStarted, Saved, Stamped
from loragui.jobs.folder import RunFolder
from loragui.training.feed import Feed
from loragui.training.series import LEAST_SPAN, SHARE, LossSeries, decimate, write_csv


def metric(iteration: int, loss: float = 2.0) -> Metric:
    return Metric(iteration=iteration, total=100, loss=loss)


def series_of(*found: tuple[float, Event]) -> LossSeries:
    series = LossSeries()
    series.add_events(Stamped(time=time, event=event) for time, event in found)
    return series


def same(one: LossSeries, other: LossSeries) -> None:
    for name in ("iterations", "times", "loss", "smooth"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name))
    assert (one.checkpoints, one.nan_at) == (other.checkpoints, other.nan_at)


# -- growing ---------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0, 100)), max_size=60))
def test_every_iteration_is_there_once_and_the_last_word_counts(points: list[tuple[int, float]]) -> None:
    series, wanted = LossSeries(), dict[int, float]()
    for time, (iteration, loss) in enumerate(points):
        series.append(iteration, time, loss)
        wanted = {number: value for number, value in wanted.items() if number < iteration} | {iteration: loss}
    assert dict(zip(series.iterations.tolist(), series.loss.tolist(), strict=True)) == wanted
    assert series.iterations.tolist() == sorted(wanted)
    assert series.times.tolist() == sorted(series.times.tolist())


def test_it_keeps_everything_while_it_grows() -> None:
    series = LossSeries()
    for number in range(1, 5001):
        series.append(number, number / 2, float(number))
    assert len(series) == 5000
    assert series.iterations.tolist() == list(range(1, 5001))
    assert series.loss.tolist() == list(range(1, 5001))
    assert series.times[-1] == 2500


def test_a_loss_that_is_no_number_is_marked_until_a_resume_replaces_it() -> None:
    series = LossSeries()
    for number, loss in enumerate((2.0, math.inf, math.nan, 2.0), start=1):
        series.append(number, number, loss)
    assert series.nan_at == 2
    assert np.isnan(series.loss).tolist() == [False, True, True, False]
    assert np.isnan(series.smooth).tolist() == [False, True, True, False]
    series.append(3, 9, 2.0)
    assert series.nan_at == 2
    series.append(2, 9, 2.0)
    assert series.nan_at is None
    assert series.smooth.tolist() == [2, 2]


# -- smoothing -------------------------------------------------------------------------------------------------


def averages(values: list[float], span: int) -> list[float]:
    """The definition, one by one."""
    decay, total, weight, found = 1 - 2 / (span + 1), 0.0, 0.0, []
    for value in values:
        if math.isnan(value):
            found.append(value)
            continue
        total, weight = decay * total + value, decay * weight + 1
        found.append(total / weight)
    return found


@given(
    st.lists(st.floats(0, 1000) | st.just(math.nan), min_size=1, max_size=300), st.lists(st.integers(1, 50), min_size=1)
)
def test_smoothing_in_pieces_is_smoothing_one_by_one(values: list[float], pieces: list[int]) -> None:
    series, at = LossSeries(), 0
    for piece in [*pieces, len(values)]:
        for value in values[at : at + piece]:
            series.append(len(series) + 1, 0, value)
        at += piece
        np.testing.assert_allclose(series.smooth, averages(values[: len(series)], LEAST_SPAN), rtol=1e-9, atol=1e-9)


def test_a_long_training_is_smoothed_more_widely() -> None:
    series = LossSeries()
    noise = np.random.default_rng(1).normal(size=20_000)
    for number, value in enumerate(noise.tolist(), start=1):
        series.append(number, 0, value)
    span = round(SHARE * len(noise))
    assert series.smooth.tolist() == pytest.approx(averages(noise.tolist(), span))
    assert np.std(series.smooth[1000:]) < 2 / math.sqrt(span)


# -- from events -----------------------------------------------------------------------------------------------


def test_pauses_are_left_out_of_the_time() -> None:
    series = series_of(
        (1000, RunStarted(title="T")), (1010, metric(1)), (1020, metric(2)), (1020, Saved(path="c", iteration=2)),
        (1025, Log(text="…")), (1030, RunEnded(state="stopped", seconds=30)),
        (9000, RunStarted(title="T", attempt=2)), (9010, metric(3)),
    )  # fmt: skip
    assert series.times.tolist() == [10, 20, 40]
    assert series.checkpoints == [2]


def test_a_crash_seen_days_later_adds_no_time() -> None:
    series = series_of(
        (1000, RunStarted(title="T")), (1010, metric(1)), (90_000, RunEnded(state="broken")),
        (95_000, RunStarted(title="T", attempt=2)), (95_005, metric(2)),
    )  # fmt: skip
    assert series.times.tolist() == [10, 15]


def test_a_clock_set_back_never_turns_the_curve_round() -> None:
    series = series_of(
        (1000, RunStarted(title="T")), (1010, metric(1)), (500, metric(2)), (510, metric(3)), (1020, metric(4))
    )
    assert series.times.tolist() == [10, 10, 10, 20]


def test_a_resume_goes_on_from_its_checkpoint() -> None:
    series = series_of(
        (0, RunStarted(title="T")),
        *((number, metric(number, 5)) for number in range(1, 9)),
        (8, Saved(path="c", iteration=4)), (8, Saved(path="c", iteration=8)),
        (100, RunStarted(title="T", attempt=2)), (101, metric(5, 1)), (102, metric(6, 1)),
        (103, Saved(path="c", iteration=6)), (103, Saved(path="c", iteration=6)),
    )  # fmt: skip
    assert series.iterations.tolist() == [1, 2, 3, 4, 5, 6]
    assert series.loss.tolist() == [5, 5, 5, 5, 1, 1]
    assert series.times.tolist() == [1, 2, 3, 4, 9, 10], "the work that was lost took its time all the same"
    assert series.checkpoints == [4, 6]


def test_a_run_folder_is_read_as_its_events_say(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert len(Feed(folder).series()) == 0
    found: list[tuple[float, Event]] = [(100, RunStarted(title='"event":"Metric"'))]
    for number in range(1, 60):
        found.append((100 + number, metric(number, math.nan if number > 50 else 3 / number)))
        found.append((100 + number, Log(text='{"event":"Metric","iteration":7,"t":1,"loss":1}')))
    found += [(160, Saved(path="c", iteration=40)), (200, RunEnded(state="failed", seconds=100))]
    found += [(500, RunStarted(title="T", attempt=2)), (501, metric(41, 0.5))]
    lines = [events.to_line(event, time) for time, event in found]
    damaged = ['{"v":1,"t":1,"event":"Metric","iteration":9', '{"event":"Metric"}', '{"event":"Saved"}', "\x00"]
    torn = lines[-1][:-5]
    folder.events_file.write_text("\n".join([*lines[:5], *damaged, *lines[5:], torn]), encoding="utf-8")
    series = Feed(folder).series()
    same(series, series_of(*found))
    assert series.iterations[-1] == 41
    assert series.times[-1] == 101
    assert series.checkpoints == [40]
    assert series.nan_at is None


# -- thinning out ----------------------------------------------------------------------------------------------

curves = st.lists(
    st.tuples(st.integers(-1000, 1000), st.floats(-1e6, 1e6) | st.just(math.nan)),
    min_size=1, max_size=400, unique_by=lambda point: point[0],
)  # fmt: skip


@given(curves, st.integers(-1100, 1100), st.integers(0, 2200), st.integers(1, 40))
def test_no_peak_is_lost_in_few_points(curve: list[tuple[int, float]], low: int, width: int, buckets: int) -> None:
    points = sorted(curve)
    x, y = np.array([p[0] for p in points]), np.array([p[1] for p in points])
    found_x, found_y = decimate(x, y, low, low + width, buckets)
    assert len(found_x) <= 2 * buckets + 4
    assert (np.diff(found_x) > 0).all()
    assert set(zip(found_x.tolist(), map(repr, found_y.tolist()), strict=True)) <= {(a, repr(b)) for a, b in points}
    shown = (low <= x) & (x <= low + width)
    if shown.any():
        kept = (low <= found_x) & (found_x <= low + width)
        assert (found_x[kept][0], found_x[kept][-1]) == (x[shown][0], x[shown][-1])
        if not np.isnan(y[shown]).all():
            assert np.nanmin(found_y[kept]) == np.nanmin(y[shown])
            assert np.nanmax(found_y[kept]) == np.nanmax(y[shown])
        else:
            assert np.isnan(found_y[kept]).all()
    assert (found_x[0] < low) == (x[0] < low), "a neighbour on the left, if there is one"
    assert (found_x[-1] > low + width) == (x[-1] > low + width), "and on the right"


def test_few_points_are_drawn_as_they_are() -> None:
    x, y = np.arange(10), np.array([1.0, 9, 1, 9, np.nan, 9, 1, 9, 1, 9])
    found = decimate(x, y, -1, 10, 5)
    assert found[0].tolist() == x.tolist()
    np.testing.assert_array_equal(found[1], y)
    assert [len(part) for part in decimate(np.arange(0), np.zeros(0), 0, 1, 5)] == [0, 0]
    assert decimate(x, y, 3.2, 3.8, 5)[0].tolist() == [3, 4], "between two points the line is drawn"


# -- written out -----------------------------------------------------------------------------------------------


def test_a_table_of_it_can_be_written(tmp_path: Path) -> None:
    series = series_of((5, RunStarted(title="T")), (7.5, metric(1, 3)), (9, metric(2, 1)), (10, metric(3, math.nan)))
    target = tmp_path / "loss.csv"
    write_csv(series, target)
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {"iteration": "1", "seconds": "2.500", "loss": "3.000000", "smoothed loss": "3.000000"}
    assert float(rows[1]["smoothed loss"]) == pytest.approx(1.9)
    assert rows[2] == {"iteration": "3", "seconds": "5.000", "loss": "", "smoothed loss": ""}
    with pytest.raises(AppError):
        write_csv(series, tmp_path)
