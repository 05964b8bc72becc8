"""Files in, samples and a report out: the data step as one function."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from loragui.data.counting import TokenCounter
from loragui.data.gather import Advance, Gathered, gather, untold
from loragui.data.marker import choose_marker
from loragui.data.report import FileTotals, Finding, Report, count_findings, totals_of
from loragui.data.samples import Options, Sample, samples_of
from loragui.data.template import Template
from loragui.errors import AppError


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The samples in the order of the files, and the report about them."""

    samples: tuple[Sample, ...]
    report: Report


def prepare(
    files: Sequence[str | os.PathLike[str]],
    template: Template,
    context_size: int,
    counter: TokenCounter,
    *,
    seed: int = 1,
    both_speakers: bool = True,
    advance: Advance = untold,
) -> Prepared:
    """Read ``files`` (files and folders) and make the samples. The same input and seed give the same samples.

    ``context_size`` in tokens. ``advance`` is told how many bytes are read, then how many messages are
    done. AppError if there is nothing to train on.
    """
    options = Options(context_size=context_size, seed=seed, both_speakers=both_speakers)
    gathered = gather(files, advance)
    findings, samples = list(gathered.findings), []
    for item in _distinct(gathered, template, counter, options, advance):
        if isinstance(item, Finding):
            findings.append(item)
        else:
            samples.append(item)
    if not samples:
        raise _nothing_to_train_on(gathered, findings)
    rows = _counted(gathered.files, samples)
    report = Report(
        template=template.name,
        context_size=context_size,
        seed=seed,
        counter=counter.name,
        exact=counter.exact,
        marker=choose_marker([sample.text for sample in samples]),
        totals=totals_of(rows, [sample.tokens for sample in samples], findings),
        files=rows,
        finding_counts=count_findings(findings),
        findings=tuple(findings),
    )
    return Prepared(samples=tuple(samples), report=report)


def _distinct(
    gathered: Gathered,
    template: Template,
    counter: TokenCounter,
    options: Options,
    advance: Advance,
) -> Iterator[Sample | Finding]:
    """All samples and findings; a sample that is equal to an earlier one becomes a finding."""
    seen: dict[str, Sample] = {}
    done, total = 0, sum(len(conversation.turns) for conversation in gathered.conversations)
    for conversation in gathered.conversations:
        reached = partial(_advance_from, done, total, advance)
        for item in samples_of(conversation, template, counter, options, reached):
            first = seen.setdefault(item.text, item) if isinstance(item, Sample) else None
            if isinstance(item, Sample) and first is not None and first is not item:
                yield _duplicate(item, first)
            else:
                yield item
        done += len(conversation.turns)
        advance(done, total, "messages")


def _advance_from(before: int, total: int, advance: Advance, turns: int) -> None:
    advance(before + turns, total, "messages")


def _duplicate(sample: Sample, first: Sample) -> Finding:
    return Finding(
        code="duplicate",
        action="dropped",
        place=sample.place,
        message=f"The sample for this message of {sample.speaker} is the same as the one of {first.place}.",
        hint="Nothing needs to be done; copies and branches of a chat cause this.",
    )


def _counted(files: Sequence[FileTotals], samples: Sequence[Sample]) -> tuple[FileTotals, ...]:
    rows = {row.file: row for row in files}
    for sample in samples:
        row = rows[sample.place.file]
        rows[row.file] = replace(
            row,
            samples=row.samples + 1,
            tokens=row.tokens + sample.tokens,
            bytes=row.bytes + len(sample.text.encode("utf-8")),
        )
    return tuple(rows.values())


def _nothing_to_train_on(gathered: Gathered, findings: Sequence[Finding]) -> AppError:
    if not gathered.files:
        why = "The chosen folder holds no files."
    elif not gathered.conversations:
        why = "The chosen files hold no chat that can be read."
    else:
        why = "The chosen chats hold no reply that can be trained on."
    return AppError(
        why,
        "Choose chats in which both sides speak, for example SillyTavern's .jsonl files.",
        details="\n".join(str(finding) for finding in findings[:50]),
        code="no-samples",
    )
