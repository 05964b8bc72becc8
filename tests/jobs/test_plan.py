from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.errors import AppError
from loragui.jobs.plan import SCHEMA, Command, Plan, Step

words = st.text(max_size=20)
commands = st.builds(
    Command,
    argv=st.lists(words, min_size=1).map(tuple),
    cwd=words,
    env=st.dictionaries(words, st.none() | words),
    reader=words,
    reader_args=st.dictionaries(words, words | st.integers() | st.booleans()),
)
steps = st.builds(Step, id=words, title=words, command=commands, weight=st.floats(0, 1e6))
plans = st.builds(Plan, kind=words, title=words, steps=st.lists(steps, max_size=4).map(tuple))


@given(plans)
def test_a_plan_survives_its_file(plan: Plan) -> None:
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert again.fingerprint == plan.fingerprint


@given(plans)
def test_a_dry_run_names_every_step_and_command(plan: Plan) -> None:
    text = plan.describe()
    assert all(step.title in text and str(step.command) in text for step in plan.steps)


def test_newer_and_damaged_plans_are_refused() -> None:
    with pytest.raises(AppError, match="newer version"):
        Plan.from_json({"schema": SCHEMA + 1})
    for damaged in ({"schema": 1}, {"schema": 1, "kind": "k", "title": "t", "facts": {}, "steps": [{"id": 1}]}):
        with pytest.raises(AppError, match="damaged"):
            Plan.from_json(damaged)


def test_another_argument_is_another_plan() -> None:
    one, two = (
        Plan(kind="k", title="t", steps=(Step(id="s", title="S", command=Command(argv=("p", word))),)) for word in "ab"
    )
    assert one.fingerprint != two.fingerprint
