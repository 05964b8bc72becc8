"""The folder of the data step: what is written comes back, and what is damaged is said with its place."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.data.conversation import Place
from loragui.data.folder import iter_findings, load_report, write_findings_csv, write_prepared
from loragui.data.prepare import Prepared
from loragui.data.report import Finding, FindingCount, Report, count_findings, totals_of
from loragui.data.samples import Sample
from loragui.errors import AppError

SAMPLE = Sample(
    prompt="Amy:",
    reply=" Hi",
    tokens=3,
    speaker="Amy",
    role="character",
    place=Place(file="a", line=2),
    turns_before=0,
    turns_left_out=1,
)
TEXT = st.text(st.characters() | st.sampled_from('\n\r\u2028\ud83d"\\'), max_size=20)
NUMBER = st.none() | st.integers(1, 10**9)
FINDING = st.builds(
    Finding,
    code=TEXT,
    action=st.sampled_from(["dropped", "shortened", "repaired", "noted"]),
    place=st.builds(Place, file=TEXT, line=NUMBER, record=NUMBER),
    message=TEXT,
    hint=TEXT,
)
TWO = (
    Finding(code="bad", action="dropped", place=Place(file="a", line=3), message="Bäd.", hint="Mend\nit."),
    Finding(code="odd", action="repaired", place=Place(file="b", record=1), message="Odd; =1+1"),
)
GOLDEN = Path(__file__).parent / "golden"


def report_of(*findings: Finding) -> Report:
    return Report(
        template="t",
        context_size=64,
        seed=1,
        counter="words",
        exact=False,
        marker="<s>",
        totals=totals_of((), [3], findings),
        finding_counts=count_findings(findings),
        findings=findings,
    )


def written(folder: Path, *findings: Finding) -> Report:
    report = report_of(*findings)
    write_prepared(folder, Prepared(samples=(SAMPLE,), report=report))
    return report


@given(st.lists(FINDING, max_size=5))
def test_findings_round_trip(findings: list[Finding]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        report = written(folder, *findings)
        assert load_report(folder) == replace(report, findings=())
        assert load_report(folder, findings=True) == report
        assert tuple(iter_findings(folder)) == report.findings
        assert (folder / "findings.jsonl").read_bytes().count(b"\n") == len(findings)


def test_a_report_never_stands_beside_files_that_it_does_not_describe(tmp_path: Path) -> None:
    written(tmp_path, *TWO)
    broken = Prepared(samples=(replace(SAMPLE, prompt="", reply="<s>"),), report=report_of())
    with pytest.raises(AppError, match="holds the marker"):
        write_prepared(tmp_path, broken)
    with pytest.raises(AppError, match="could not be read"):
        load_report(tmp_path)


def test_report_of_schema_1_has_its_findings_inside(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "report-1.json", tmp_path / "report.json")
    slim, full = load_report(tmp_path), load_report(tmp_path, findings=True)
    assert slim.findings == ()
    assert slim == replace(full, findings=())
    assert full.totals.samples == 4
    assert full.finding_counts[0] == FindingCount(code="bad-line", action="dropped", count=1)
    assert full.finding_count == len(full.findings) == 6
    assert full.findings == tuple(iter_findings(tmp_path))
    assert full.findings[0].place == Place(file="chats/a.jsonl", line=5)


def test_report_of_schema_1_ignores_findings_that_are_not_its_own(tmp_path: Path) -> None:
    written(tmp_path, *TWO)
    shutil.copy(GOLDEN / "report-1.json", tmp_path / "report.json")
    assert next(iter_findings(tmp_path)).code == "bad-line"


LINE = {"code": "x", "action": "dropped", "place": {"file": "a", "line": 1}, "message": "m", "hint": ""}


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000),
        *(
            json.dumps({**LINE, **wrong}).encode()
            for wrong in (
                {"action": "eaten"},
                {"message": 3},
                {"place": None},
                {"place": {"file": "a", "line": "3"}},
                {"place": {"line": 3}},
                {"more": 1},
            )
        ),
    ],
)
def test_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    written(tmp_path, *TWO)
    path = tmp_path / "findings.jsonl"
    first, _ = path.read_bytes().splitlines()
    path.write_bytes(first + b"\n" + line + b"\n")
    findings = iter_findings(tmp_path)
    assert next(findings) == TWO[0]
    with pytest.raises(AppError, match=r"findings\.jsonl, line 2 is damaged"):
        next(findings)


def test_lost_lines_and_a_lost_file_are_said(tmp_path: Path) -> None:
    written(tmp_path, *TWO)
    path = tmp_path / "findings.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(AppError, match=r"holds 1 lines, but the report beside it has 2"):
        load_report(tmp_path, findings=True)
    path.unlink()
    with pytest.raises(AppError, match=r"findings\.jsonl could not be read"):
        load_report(tmp_path, findings=True)
    assert load_report(tmp_path).finding_count == 2


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff", b"[" * 100_000])
def test_missing_or_damaged_report(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "report.json").write_bytes(content)
    with pytest.raises(AppError, match=r"report\.json could not be read"):
        load_report(tmp_path)


def test_table_for_excel(tmp_path: Path) -> None:
    written(tmp_path, *TWO)
    target = tmp_path / "new" / "table.csv"
    write_findings_csv(tmp_path, target)
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    with target.open(encoding="utf-8-sig", newline="") as table:
        assert list(csv.reader(table)) == [
            ["action", "code", "file", "line", "record", "message", "hint"],
            ["dropped", "bad", "a", "3", "", "Bäd.", "Mend\nit."],
            ["repaired", "odd", "b", "", "1", "Odd; =1+1", ""],
        ]


@given(st.lists(FINDING, max_size=3))
def test_table_of_any_findings(findings: list[Finding]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        written(folder, *findings)
        write_findings_csv(folder, folder / "t.csv")
        with (folder / "t.csv").open(encoding="utf-8-sig", newline="") as table:
            assert len(list(csv.reader(table))) == len(findings) + 1


def test_table_never_replaces_a_source_or_our_own_files(tmp_path: Path) -> None:
    source = tmp_path / "chat.jsonl"
    source.write_text("mine", encoding="utf-8")
    out = tmp_path / "out"
    shutil.copytree(GOLDEN, out)
    old = (GOLDEN / "report-1.json").read_text("utf-8").replace("chats/a.jsonl", source.as_posix())
    (out / "report.json").write_text(old, encoding="utf-8")
    for target in (source, tmp_path / "out" / ".." / "chat.jsonl", out / "report.json"):
        before = target.read_bytes()
        with pytest.raises(AppError, match="not overwritten"):
            write_findings_csv(out, target)
        assert target.read_bytes() == before


def test_table_that_cannot_be_written(tmp_path: Path) -> None:
    written(tmp_path, *TWO)
    (tmp_path / "folder").mkdir()
    with pytest.raises(AppError, match="could not be written"):
        write_findings_csv(tmp_path, tmp_path / "folder")
