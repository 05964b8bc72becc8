from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.errors import Problem
from loragui.jobs import events
from loragui.jobs.events import (
    Log,
    Metric,
    Note,
    Progress,
    Result,
    RunEnded,
    RunStarted,
    Saved,
    StepEnded,
    StepStarted,
    Trouble,
    Usage,
)  # fmt: skip

text = st.text()
number = st.floats(allow_nan=False, allow_infinity=False)
problem = st.builds(Problem, message=text, hint=text, details=text, code=text, blocking=st.booleans())
any_event = st.one_of(
    st.builds(RunStarted, title=text, attempt=st.integers(1, 99), plan=text),
    st.builds(StepStarted, id=text, title=text, index=st.integers(0, 9), count=st.integers(1, 9)),
    st.builds(StepEnded, id=text, ok=st.booleans(), seconds=number, peak_rss=st.integers(0, 2**50)),
    st.builds(Usage, rss=st.integers(0, 2**50), peak=st.integers(0, 2**50)),
    st.builds(Log, text=text),
    st.builds(Note, text=text),
    st.builds(Progress, done=number, total=number, unit=text, text=text, eta=st.none() | number),
    st.builds(
        Metric,
        iteration=st.integers(0, 10**9),
        total=st.integers(0, 10**9),
        loss=number,
        eta=st.none() | number,
    ),
    st.builds(Saved, path=text, iteration=st.integers(0, 10**9)),
    st.builds(Result, values=st.dictionaries(text, text | number | st.booleans())),
    st.builds(Trouble, problem=problem, fatal=st.booleans()),
    st.builds(RunEnded, state=st.sampled_from(["done", "failed", "stopped"]), problem=st.none() | problem),
)


@given(any_event)
def test_every_event_survives_its_line(event: events.Event) -> None:
    line = events.to_line(event, 12.5)
    assert "\n" not in line
    assert line.isascii()
    stamped = events.from_line(line)
    assert stamped is not None
    assert stamped.time == 12.5
    assert stamped.event == event


@given(any_event, st.data())
def test_a_line_cut_at_any_byte_is_skipped(event: events.Event, data: st.DataObject) -> None:
    line = events.to_line(event, 1.0)
    cut = data.draw(st.integers(0, len(line) - 1))
    assert events.from_line(line[:cut]) is None


@given(st.text())
def test_foreign_lines_are_skipped(line: str) -> None:
    assert events.from_line(line) is None or line.startswith("{")


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_a_number_is_kept(loss: float) -> None:
    line = events.to_line(Metric(iteration=1, total=2, loss=loss), 0)
    stamped = events.from_line(line)
    assert stamped is not None
    assert isinstance(stamped.event, Metric)
    assert str(stamped.event.loss) == str(loss)


def test_unknown_fields_and_events_of_newer_versions_are_harmless() -> None:
    newer = '{"v":2,"t":1,"event":"Note","text":"hello","colour":"red"}'
    assert events.from_line(newer) == events.Stamped(time=1.0, event=Note(text="hello"))
    assert events.from_line('{"v":2,"t":1,"event":"Sung","text":"la"}') is None


def test_all_kinds_are_registered() -> None:
    kinds = {kind for kind in vars(events).values() if dataclasses.is_dataclass(kind) and isinstance(kind, type)}
    kinds -= {events.Stamped, Problem}
    assert {kind.__name__ for kind in kinds} == set(events._KINDS)
