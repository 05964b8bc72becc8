from __future__ import annotations

from loragui.jobs import progress
from loragui.jobs.events import Event, Metric, Note, Progress, RunStarted, Stamped, StepEnded, StepStarted
from loragui.jobs.plan import Command, Plan, Step
from loragui.jobs.progress import State

COMMAND = Command(argv=("x",))
PLAN = Plan(
    kind="k",
    title="t",
    steps=(
        Step(id="a", title="A", command=COMMAND, weight=1),
        Step(id="b", title="B", command=COMMAND, weight=3),
    ),
)


def after(*found: tuple[float, Event]) -> State:
    state = State()
    for time, event in found:
        state = progress.advance(state, Stamped(time=time, event=event), PLAN)
    return state


def begun(index: int) -> StepStarted:
    return StepStarted(id="ab"[index], title="AB"[index], index=index, count=2)


def test_steps_count_by_their_weight() -> None:
    assert after((0, begun(0)), (1, StepEnded(id="a", ok=True, seconds=1))).fraction == 0.25
    assert after((0, begun(1)), (1, Progress(done=1, total=2))).fraction == 0.25 + 0.75 / 2
    assert after((0, begun(1)), (1, StepEnded(id="b", ok=True, seconds=1))).fraction == 1


def test_time_left_is_the_tools_or_follows_from_the_pace() -> None:
    assert after((0, begun(0)), (10, Progress(done=1, total=4))).eta == 30
    assert after((0, begun(0)), (10, Progress(done=1, total=4, eta=7.0))).eta == 7
    assert after((0, begun(0)), (0.5, Progress(done=1, total=4))).eta is None
    assert after((0, begun(0)), (9, Metric(iteration=5, total=10, loss=1.0, eta=8.0))).eta == 8


def test_nothing_is_divided_by_nothing() -> None:
    assert after((0, begun(0)), (5, Progress(done=0, total=0))).fraction == 0
    assert after((0, begun(0)), (5, Progress(done=9, total=3))).fraction == 0.25


def test_a_new_attempt_begins_anew_and_notes_are_kept() -> None:
    assert after((0, begun(1)), (1, RunStarted(title="t"))) == State()
    assert after((0, begun(0)), (1, Note(text="hello")), (2, Progress(done=1, total=2))).note == "hello"
