"""The report: nothing is lost on the way through JSON, and a person can read it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from loragui.data.conversation import Place
from loragui.data.report import FileTotals, Finding, FindingCount, Report, count_findings, totals_of
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
    finding_counts=count_findings(FINDINGS),
    findings=FINDINGS,
)
SLIM = replace(REPORT, findings=())


def test_json_round_trip_without_the_findings() -> None:
    assert Report.from_json(json.loads(json.dumps(REPORT.to_json()))) == SLIM


def test_findings_are_counted_by_kind() -> None:
    assert REPORT.finding_counts == (
        FindingCount(code="hidden", action="dropped", count=50),
        FindingCount(code="bad-line", action="dropped", count=1),
        FindingCount(code="encoding", action="repaired", count=1),
    )
    assert SLIM.finding_count == 52
    assert SLIM.counts() == {"hidden": 50, "bad-line": 1, "encoding": 1}


def test_totals() -> None:
    totals = REPORT.totals
    assert (totals.samples, totals.tokens, totals.bytes, totals.conversations) == (3, 60, 200, 1)
    assert (totals.shortest, totals.median, totals.p90, totals.longest) == (10, 20, 30, 30)
    assert (totals.dropped, totals.repaired, totals.shortened) == (51, 1, 0)


@pytest.mark.parametrize(
    "value",
    [
        *(None, [], {}, {"schema": 0}, {"schema": 1}, {"schema": 2}, {"schema": True}, {"schema": "2"}),
        {**REPORT.to_json(), "totals": 3},
        {**REPORT.to_json(), "finding_counts": [{"code": "x", "action": "dropped", "count": "3"}]},
        {**REPORT.to_json(), "finding_counts": [{"code": "x", "action": "eaten", "count": 3}]},
    ],
)
def test_damaged_report(value: object) -> None:
    with pytest.raises(AppError) as caught:
        Report.from_json(value)
    assert caught.value.problem.code == "report-damaged"


def test_newer_report() -> None:
    with pytest.raises(AppError, match="newer"):
        Report.from_json({"schema": 99})


def test_summary_shows_rare_findings_first_and_says_how_many_more() -> None:
    summary = REPORT.summary()
    assert "3 samples, about 60 tokens, 200 bytes; from 1 file with 1 conversation." in summary
    assert summary.index("a, line 3: Bad. Mend it.") < summary.index("Hidden.")
    assert "b: Odd." in summary
    assert "c, record 0: Hidden." in summary
    assert summary.count("Hidden.") == 3
    assert summary.endswith("and 47 more of these kinds in the report")


def test_summary_without_the_findings_says_how_many_there_are() -> None:
    assert SLIM.summary().endswith("Repaired: 1.\n  and 52 more of these kinds in the report")
