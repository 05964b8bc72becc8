"""The report: nothing is lost on the way through JSON, and a person can read it."""

from __future__ import annotations

import json

import pytest

from loragui.data.conversation import Place
from loragui.data.report import FileTotals, Finding, Report, totals_of
from loragui.errors import AppError

FINDINGS = (
    Finding(code="bad-line", action="dropped", place=Place(file="a", line=3), message="Bad.", hint="Mend it."),
    Finding(code="encoding", action="repaired", place=Place(file="b"), message="Odd."),
    *(
        Finding(code="hidden", action="dropped", place=Place(file="c", record=index), message="Hidden.")
        for index in range(50)
    ),
)
FILES = (FileTotals(file="a", reader="x", title="X", conversations=1, turns=4, samples=3, tokens=60, bytes=200),)
REPORT = Report(
    template="t",
    context_size=64,
    seed=1,
    counter="words",
    exact=False,
    marker="<s>",
    totals=totals_of(FILES, [10, 20, 30], FINDINGS),
    files=FILES,
    findings=FINDINGS,
)


def test_json_round_trip() -> None:
    assert Report.from_json(json.loads(json.dumps(REPORT.to_json()))) == REPORT


def test_totals() -> None:
    totals = REPORT.totals
    assert (totals.samples, totals.tokens, totals.bytes, totals.conversations) == (3, 60, 200, 1)
    assert (totals.shortest, totals.median, totals.p90, totals.longest) == (10, 20, 30, 30)
    assert (totals.dropped, totals.repaired, totals.shortened) == (51, 1, 0)


@pytest.mark.parametrize("value", [None, [], {}, {"schema": 1}, {"schema": 99}, {**REPORT.to_json(), "totals": 3}])
def test_damaged_or_newer_report(value: object) -> None:
    with pytest.raises(AppError):
        Report.from_json(value)


def test_summary_shows_rare_findings_first_and_says_how_many_more() -> None:
    summary = REPORT.summary()
    assert "3 samples, about 60 tokens, 200 bytes; from 1 file with 1 conversation." in summary
    assert summary.index("a, line 3: Bad. Mend it.") < summary.index("Hidden.")
    assert "b: Odd." in summary
    assert "c, record 0: Hidden." in summary
    assert summary.count("Hidden.") == 3
    assert summary.endswith("and 47 more of these kinds in the report")
