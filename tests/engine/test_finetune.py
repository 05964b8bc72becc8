"""Properties of the training reader."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.engine.finetune import FinetuneReader, seconds_of
from loragui.jobs.events import Metric, Trouble, from_line, to_line


def reader(**args: object) -> FinetuneReader:
    return FinetuneReader(Path("nowhere"), {"target": 40, "resumed_at": 0, "samples": 20, **args})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12.3ms", 0.0123), ("00:00:04", 4), ("01:02:03", 3723),
     ("2d 03:04:05", 183845), ("", None), ("soon", None),
     ("ms", None)],
)  # fmt: skip
def test_durations(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == (pytest.approx(seconds) if seconds is not None else None)


def written(milliseconds: int) -> str:
    """A duration as common/train.cpp writes it."""
    if milliseconds < 1000:
        return f"{milliseconds:.1f}ms"
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return (f"{days}d " if days else "") + f"{hours:02d}:{minutes:02d}:{seconds:02d}"


@given(
    number=st.integers(1, 10**7),
    loss=st.floats(0, 1e4) | st.sampled_from([math.nan, math.inf]),
    took=st.integers(1, 10**9),
    left=st.integers(0, 10**9),
    bar=st.integers(0, 30),
)
def test_every_iteration_line_is_a_metric(number: int, loss: float, took: int, left: int, bar: int) -> None:
    text = (
        f"train_opt_callback: iter={number:6d} sample=3/20 sched=0.010000 loss={loss:f} dt={written(took)} "
        f"eta={written(left)} |{'-' * bar}>"
    )
    metric, *rest = reader(target=number + 1).line(text, "stdout")
    assert isinstance(metric, Metric)
    assert (metric.iteration, metric.total) == (number, number + 1)
    assert metric.loss == pytest.approx(loss, abs=1e-5, nan_ok=True)
    assert metric.seconds == pytest.approx(took / 1000 if took < 1000 else took // 1000)
    assert metric.eta == pytest.approx(left / 1000 if left < 1000 else left // 1000)
    assert [event.problem.code for event in rest if isinstance(event, Trouble)] == (
        [] if math.isfinite(loss) else ["nan"]
    )


@given(st.lists(st.text(), max_size=20), st.integers(-64, 300), st.sampled_from(["stdout", "stderr"]))
def test_whatever_is_said_becomes_events_that_can_be_written(said: list[str], code: int, stream: str) -> None:
    watching = reader()
    events = [event for text in said for event in watching.line(text, stream)]
    events += watching.end(code)
    assert any(isinstance(event, Trouble) for event in events)
    for event in events:
        assert from_line(to_line(event, 0)) is not None


def test_an_expected_start_that_found_a_checkpoint_is_stopped() -> None:
    events = list(reader().line("main: total train_iterations 12", "stdout"))
    (trouble,) = (event for event in events if isinstance(event, Trouble))
    assert trouble.fatal
    assert trouble.problem.code == "checkpoint-ignored"


def test_an_early_end_with_code_0_is_no_success() -> None:
    (trouble,) = reader().end(0)
    assert isinstance(trouble, Trouble)
    assert trouble.problem.code == "ended-early"


def test_iterations_do_not_push_out_what_explains_a_failure() -> None:
    watching = reader()
    list(watching.line("GGML_ASSERT: examples/finetune/finetune.cpp:981: ret == 0", "stderr"))
    for number in range(2000):
        list(watching.line(f"train_opt_callback: iter={number:6d} sample=1/2 sched=0.1 loss=3.0 |->", "stdout"))
    (trouble,) = watching.end(-6)
    assert isinstance(trouble, Trouble)
    assert trouble.problem.code == "disk-full"
