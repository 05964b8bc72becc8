"""The folder that the data step writes: training text, findings, preview, and the report that vouches for them.

A JSON document is read in one go, which stops everything else in the program for as long, so what may be huge
(the findings) stands one a line in a file of its own and is read only where it is shown.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator
from pathlib import Path

from loragui.data import preview
from loragui.data.marker import Written, write_marked
from loragui.data.prepare import Prepared
from loragui.data.report import Finding, Report
from loragui.errors import AppError
from loragui.paths import write_atomic

TEXT_FILE = "train.txt"
FINDINGS_FILE = "findings.jsonl"
PREVIEW_FILE = preview.FILE
REPORT_FILE = "report.json"

_COLUMNS = ("action", "code", "file", "line", "record", "message", "hint")
_AGAIN = "Format the training data again; your own files are untouched."


def write_prepared(folder: Path, prepared: Prepared) -> Written:
    """Write everything into ``folder``. An old report goes first and the new one comes last, so that there is
    never a report beside files that it does not describe.
    """
    (folder / REPORT_FILE).unlink(missing_ok=True)
    report = prepared.report
    written = write_marked(folder / TEXT_FILE, [sample.text for sample in prepared.samples], report.marker)
    write_atomic(folder / FINDINGS_FILE, "".join(_line(finding) for finding in report.findings))
    preview.write_preview(folder, preview.preview_of(prepared.samples, report.context_size))
    write_atomic(folder / REPORT_FILE, json.dumps(report.to_json(), indent=2) + "\n")
    return written


def _line(finding: Finding) -> str:
    return json.dumps(dataclasses.asdict(finding)) + "\n"


def load_report(folder: Path, *, findings: bool = False) -> Report:
    """The report in ``folder``, with its ``findings`` only if they are wanted. AppError if there is none or it is
    damaged.
    """
    report = _stored(folder)
    read = tuple(_findings_of(folder, report)) if findings else ()
    return dataclasses.replace(report, findings=read)


def iter_findings(folder: Path) -> Iterator[Finding]:
    """The findings in ``folder`` one by one. AppError at a damaged line, or if they are not the report's."""
    yield from _findings_of(folder, _stored(folder))


def _stored(folder: Path) -> Report:
    """What ``report.json`` holds. A report of schema 1 has its findings inside."""
    path = folder / REPORT_FILE
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error
    return Report.from_json(value)


def _findings_of(folder: Path, report: Report) -> Iterator[Finding]:
    if len(report.findings) == report.finding_count:
        yield from report.findings
        return
    path, number = folder / FINDINGS_FILE, 0
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                yield _parsed(path, number, line)
    except OSError as error:
        raise _unreadable(path, error) from error
    if number != report.finding_count:
        raise AppError(
            f"{path} holds {number:,} lines, but the report beside it has {report.finding_count:,}.",
            _AGAIN,
            code="findings-damaged",
        )


def _parsed(path: Path, number: int, line: bytes) -> Finding:
    try:
        return Finding.from_json(json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise AppError(
            f"{path}, line {number} is damaged.", _AGAIN, details=repr(error), code="findings-damaged"
        ) from error


def _unreadable(path: Path, error: Exception) -> AppError:
    return AppError(f"{path} could not be read.", _AGAIN, details=repr(error), code="report-damaged")


def write_findings_csv(folder: Path, target: Path) -> None:
    """Write the findings in ``folder`` as a table for Excel and the like.

    AppError if ``target`` is one of the person's files or one of ours, or cannot be written.
    """
    report = _stored(folder)
    ours = [folder / name for name in (TEXT_FILE, FINDINGS_FILE, PREVIEW_FILE, REPORT_FILE)]
    if any(_same(target, path) for path in (*ours, *(Path(row.file) for row in report.files))):
        raise AppError(
            f"{target} belongs to the training data and is not overwritten.",
            "Choose another name for the table.",
            code="would-overwrite",
        )
    text = _table(_findings_of(folder, report))
    try:
        write_atomic(target, "\ufeff" + text)  # without the mark Excel takes it for cp1252
    except OSError as error:
        raise AppError(
            f"{target} could not be written: {error.strerror or error}.",
            "Close it in other programs, or choose another folder.",
            details=repr(error),
            code="table-unwritable",
        ) from error


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _table(findings: Iterator[Finding]) -> str:
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(_COLUMNS)
    for finding in findings:
        place = (finding.place.file, finding.place.line, finding.place.record)
        rows.writerow((finding.action, finding.code, *place, finding.message, finding.hint))
    return out.getvalue().encode("utf-8", "backslashreplace").decode("utf-8")  # a file's name may be no UTF-8
