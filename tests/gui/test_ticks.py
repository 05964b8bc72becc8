from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.gui import ticks
from loragui.gui.ticks import COUNT, DAY, HOUR, NUMBER, TIME

kinds = st.sampled_from([NUMBER, COUNT, TIME])


@given(st.floats(1e-6, 1e9), st.floats(-1e6, 1e6), st.integers(1, 20), kinds)
def test_marks_are_few_and_all_different(extent: float, low: float, most: int, kind: str) -> None:
    high = low + extent
    distance = ticks.spacing(high - low, most, kind)
    found = ticks.values(low, high, distance)
    assert len(found) <= most + 1
    if kind != COUNT:
        assert len(found) >= (most - 2) // 3, "and not much fewer than there is room for"
    if low >= 0:
        texts = [ticks.text(value, distance, kind) for value in found]
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("extent", "kind", "wanted"),
    [
        (1.7, NUMBER, ["0.0", "0.5", "1.0", "1.5"]),
        (0.017, NUMBER, ["0.000", "0.005", "0.010", "0.015"]),
        (4500, COUNT, ["0", "1,000", "2,000", "3,000", "4,000"]),
        (3, COUNT, ["0", "1", "2", "3"]),
        (1.9, TIME, ["0.0 s", "0.5 s", "1.0 s", "1.5 s"]),
        (70, TIME, ["0", "15 s", "30 s", "45 s", "1 min"]),
        (5 * HOUR, TIME, ["0", "1 h", "2 h", "3 h", "4 h", "5 h"]),
        (2 * DAY, TIME, ["0", "12 h", "1 d", "1 d 12 h", "2 d"]),
        (40 * DAY, TIME, ["0", "10 d", "20 d", "30 d", "40 d"]),
    ],
)
def test_marks_are_what_people_would_write(extent: float, kind: str, wanted: list[str]) -> None:
    distance = ticks.spacing(extent, 5, kind)
    assert [ticks.text(value, distance, kind) for value in ticks.values(0, extent, distance)] == wanted
