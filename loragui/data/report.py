"""What the data step decided, item by item and in numbers, so that nothing disappears silently.

Every line, turn or sample that was left out, shortened or repaired is one ``Finding`` with its place and
reason. A report may hold very many of them, so its JSON only counts them; they are written beside it, one a line.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from loragui import units
from loragui.data.conversation import Place
from loragui.errors import AppError

SCHEMA = 2

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

    @staticmethod
    def from_json(row: Any) -> Finding:
        """The inverse of ``dataclasses.asdict``. TypeError or KeyError for anything else."""
        place = Place(**row["place"])
        finding = Finding(**{**row, "place": place})
        texts = (finding.code, finding.message, finding.hint, place.file)
        numbers = (number for number in (place.line, place.record) if number is not None)
        if finding.action not in get_args(Action) or not all(isinstance(text, str) for text in texts):
            raise TypeError(f"no finding: {row!r}")
        if not all(type(number) is int for number in numbers):
            raise TypeError(f"no place: {row['place']!r}")
        return finding


@dataclass(frozen=True, kw_only=True)
class FindingCount:
    """How many findings of one kind there are."""

    code: str
    action: Action
    count: int

    @staticmethod
    def from_json(row: Any) -> FindingCount:
        """The inverse of ``dataclasses.asdict``. TypeError for anything else."""
        found = FindingCount(**row)
        if not isinstance(found.code, str) or found.action not in get_args(Action) or type(found.count) is not int:
            raise TypeError(f"no count: {row!r}")
        return found


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
    """Everything about one preparation. ``context_size`` in tokens; ``marker`` precedes each sample.

    ``finding_counts`` has the most frequent kind first. ``findings`` is empty where only the counts were read.
    """

    template: str
    context_size: int
    seed: int
    counter: str
    exact: bool
    marker: str
    totals: Totals
    files: tuple[FileTotals, ...] = ()
    finding_counts: tuple[FindingCount, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The report without its findings as JSON-able values, with its schema number."""
        rows = dataclasses.asdict(dataclasses.replace(self, findings=()))
        del rows["findings"]
        return {"schema": SCHEMA, **rows}

    @staticmethod
    def from_json(value: Any) -> Report:
        """The inverse of ``to_json``; an older report brings its findings. AppError for a newer or damaged one."""
        try:
            rows = {key: item for key, item in _lifted(value).items() if key != "schema"}
            rows["totals"] = Totals(**rows["totals"])
            rows["files"] = tuple(FileTotals(**row) for row in rows["files"])
            rows["finding_counts"] = tuple(FindingCount.from_json(row) for row in rows["finding_counts"])
            rows["findings"] = tuple(Finding.from_json(row) for row in rows.get("findings", ()))
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
        counts: Counter[str] = Counter()
        for row in self.finding_counts:
            counts[row.code] += row.count
        return dict(counts.most_common())

    @property
    def finding_count(self) -> int:
        """How many findings there are, whether they were read or not."""
        return sum(row.count for row in self.finding_counts)

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
        if self.finding_count:
            left_out = f"Left out: {totals.dropped:,}. Shortened: {totals.shortened:,}."
            lines.append(f"{left_out} Repaired: {totals.repaired:,}.")
            lines.extend(f"  {finding}" for finding in shown)
        if self.finding_count > len(shown):
            lines.append(f"  and {self.finding_count - len(shown):,} more of these kinds in the report")
        return "\n".join(lines)


def _counted(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Schema 2 counts the findings. Those of schema 1 stood in the report itself and are kept."""
    counts = count_findings(Finding.from_json(row) for row in value["findings"])
    return {**value, "finding_counts": [dataclasses.asdict(row) for row in counts]}


MIGRATIONS: Mapping[int, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {1: _counted}
"""Schema n to a function that lifts a report of schema n to n + 1."""


def _lifted(value: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = value["schema"]
    if type(schema) is not int:
        raise TypeError("no schema number")
    if schema > SCHEMA:
        raise AppError.newer("This report")
    for step in range(schema, SCHEMA):
        value = MIGRATIONS[step](value)
    return value


def count_findings(findings: Iterable[Finding]) -> tuple[FindingCount, ...]:
    """How many there are of each kind, the most frequent first."""
    kinds = Counter((finding.code, finding.action) for finding in findings)
    return tuple(FindingCount(code=code, action=action, count=count) for (code, action), count in kinds.most_common())


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
