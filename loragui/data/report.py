"""What the data step decided, item by item and in numbers, so that nothing disappears silently.

Every line, turn or sample that was left out, shortened or repaired is one ``Finding`` with its place and
reason.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from loragui import units
from loragui.data.conversation import Place
from loragui.errors import AppError

SCHEMA = 1

Action = Literal["dropped", "shortened", "repaired", "noted"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One decision. ``code`` is a stable name, ``message`` says what and why, ``hint`` what to do."""

    code: str
    action: Action
    place: Place
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.message} {self.hint}".rstrip()


@dataclass(frozen=True, kw_only=True)
class FileTotals:
    """What one file gave. ``reader`` is the format's name, empty if no reader knows the file."""

    file: str
    reader: str = ""
    title: str = ""
    conversations: int = 0
    turns: int = 0
    samples: int = 0
    tokens: int = 0
    bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Sums over all samples. ``tokens`` without begin and end tokens; ``bytes`` of the samples' UTF-8."""

    files: int = 0
    conversations: int = 0
    turns: int = 0
    samples: int = 0
    tokens: int = 0
    bytes: int = 0
    shortest: int = 0
    median: int = 0
    p90: int = 0
    longest: int = 0
    dropped: int = 0
    shortened: int = 0
    repaired: int = 0


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything about one preparation. ``context_size`` in tokens; ``marker`` precedes each sample."""

    template: str
    context_size: int
    seed: int
    counter: str
    exact: bool
    marker: str
    totals: Totals
    files: tuple[FileTotals, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The report as JSON-able values, with its schema number."""
        return {"schema": SCHEMA, **dataclasses.asdict(self)}

    @staticmethod
    def from_json(value: Any) -> Report:
        """The inverse of ``to_json``. AppError for a newer schema or a damaged report."""
        if isinstance(value, dict) and isinstance(value.get("schema"), int) and value["schema"] > SCHEMA:
            raise AppError.newer("This report")
        try:
            rows = {key: item for key, item in value.items() if key != "schema"}
            rows["totals"] = Totals(**rows["totals"])
            rows["files"] = tuple(FileTotals(**row) for row in rows["files"])
            rows["findings"] = tuple(_finding(row) for row in rows["findings"])
            return Report(**rows)
        except (AttributeError, KeyError, TypeError) as error:
            raise AppError(
                "The report of the training data is damaged.",
                "Format the training data again; your own files are untouched.",
                details=repr(error),
                code="report-damaged",
            ) from error

    def counts(self) -> Mapping[str, int]:
        """How often each code occurs, the most frequent first."""
        return dict(Counter(finding.code for finding in self.findings).most_common())

    def _first_of_each(self, most: int) -> list[Finding]:
        """At most ``most`` findings of each code; the code that occurs least comes first."""
        kinds: dict[str, list[Finding]] = {}
        for finding in self.findings:
            kinds.setdefault(finding.code, []).append(finding)
        return [finding for kind in sorted(kinds.values(), key=len) for finding in kind[:most]]

    def summary(self, most: int = 3) -> str:
        """The report for a person: totals, files, and up to ``most`` findings of each kind, rare first."""
        totals, about = self.totals, "" if self.exact else "about "
        sums = (
            units.plural(totals.samples, "sample", "samples"),
            units.plural(totals.files, "file", "files"),
            units.plural(totals.conversations, "conversation", "conversations"),
        )
        spread = f"{about}{totals.shortest} to {totals.longest} tokens, half of them at most {totals.median}"
        files = (
            f"  {row.file}: {row.title or 'not used'}, {units.plural(row.turns, 'turn', 'turns')}, "
            f"{units.plural(row.samples, 'sample', 'samples')}"
            for row in self.files
        )
        size = f"{about}{totals.tokens:,} tokens, {units.size(totals.bytes)}"
        lines = [
            f"{sums[0]}, {size}; from {sums[1]} with {sums[2]}.",
            f"A sample has {spread}, nine in ten at most {totals.p90}; the context is {self.context_size}.",
            f"Tokens counted with: {self.counter}. Template: {self.template}. Marker: {self.marker}",
            *files,
        ]
        shown = self._first_of_each(most)
        if shown:
            left_out = f"Left out: {totals.dropped:,}. Shortened: {totals.shortened:,}."
            lines.append(f"{left_out} Repaired: {totals.repaired:,}.")
            lines.extend(f"  {finding}" for finding in shown)
        if len(self.findings) > len(shown):
            lines.append(f"  and {len(self.findings) - len(shown):,} more of these kinds in the report")
        return "\n".join(lines)


def _finding(row: Mapping[str, Any]) -> Finding:
    return Finding(**{**row, "place": Place(**row["place"])})


def totals_of(files: Sequence[FileTotals], tokens: Sequence[int], findings: Sequence[Finding]) -> Totals:
    """The sums over ``files``, with the spread of the samples' ``tokens`` and the number of decisions."""
    actions = Counter(finding.action for finding in findings)
    ordered = sorted(tokens)

    def share(part: float) -> int:
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0

    return Totals(
        files=len(files),
        conversations=sum(row.conversations for row in files),
        turns=sum(row.turns for row in files),
        samples=len(ordered),
        tokens=sum(ordered),
        bytes=sum(row.bytes for row in files),
        shortest=share(0),
        median=share(0.5),
        p90=share(0.9),
        longest=ordered[-1] if ordered else 0,
        dropped=actions["dropped"],
        shortened=actions["shortened"],
        repaired=actions["repaired"],
    )
