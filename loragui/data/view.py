"""What is shown of a finished training text: its report, a preview, and as many findings as anybody reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loragui.data.folder import iter_findings, load_report
from loragui.data.preview import Preview, load_preview
from loragui.data.report import Finding, Report

MOST = 2000
"""Findings that are shown at once."""


@dataclass(frozen=True, kw_only=True)
class TextView:
    """A training text. ``troubles`` maps a file to how many findings it has."""

    report: Report
    preview: Preview
    troubles: Mapping[str, int] = field(default_factory=dict)


def view(folder: Path) -> TextView:
    """Read what the training text in ``folder`` is. AppError when a part is missing or damaged."""
    report, preview = load_report(folder), load_preview(folder)
    troubles = Counter(finding.place.file for finding in iter_findings(folder))
    return TextView(report=report, preview=preview, troubles=dict(troubles))


def findings(folder: Path, code: str = "", file: str = "") -> tuple[Finding, ...]:
    """The first findings of that ``code`` and in that ``file`` (of any when empty). AppError when damaged."""
    found: list[Finding] = []
    for finding in iter_findings(folder):
        if code in {"", finding.code} and file in {"", finding.place.file}:
            found.append(finding)
            if len(found) == MOST:
                break
    return tuple(found)


def reason(code: str) -> str:
    """A finding's code in words."""
    return code.replace("-", " ").capitalize()
