"""The data step as a plan of one step, and the job that this step runs in its own process."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loragui import units
from loragui.data.counting import RoughCounter, TokenCounter
from loragui.data.marker import Written
from loragui.data.prepare import REPORT_FILE, prepare, write_prepared
from loragui.data.report import Report
from loragui.data.template import DEFAULT, load_template
from loragui.jobs.events import Note, Progress, Result
from loragui.jobs.plan import Plan, Step
from loragui.jobs.pyjob import Emit, job_command

JOB = "data-format"


def prepare_plan(
    files: Sequence[str | os.PathLike[str]],
    *,
    out: str | os.PathLike[str],
    base_model: str | os.PathLike[str] | None,
    context_size: int,
    template: str = DEFAULT,
    seed: int = 1,
    both_speakers: bool = True,
) -> Plan:
    """The plan that writes ``train.txt`` and ``report.json`` into ``out``. It reads nothing and does nothing
    yet.

    ``context_size`` in tokens. Without a ``base_model`` (a GGUF file) tokens are only estimated.
    """
    args = {
        "files": [_absolute(path) for path in files],
        "out": os.fspath(out),
        "base_model": _absolute(base_model) if base_model is not None else None,
        "template": _absolute(template) if template.endswith(".toml") else template,
        "context_size": context_size,
        "seed": seed,
        "both_speakers": both_speakers,
    }
    step = Step(id=JOB, title="Turn the chats into training text", command=job_command(JOB, args))
    return Plan(kind=JOB, title="Format the training data", steps=(step,), facts=args)


def _absolute(path: str | os.PathLike[str]) -> str:
    """The path from the root; links stay as they are, so that the person recognises it in the report."""
    return str(Path.cwd() / path)


def format_job(args: Mapping[str, Any], emit: Emit) -> None:
    """The job ``data-format``, with the arguments of ``prepare_plan``; ``out`` may be relative to the run."""
    counter = _counter(args.get("base_model"))
    emit(Note(text=f"Reading {units.plural(len(args['files']), 'file or folder', 'files and folders')}."))
    shown = -1

    def advance(done: int, total: int) -> None:
        nonlocal shown
        if done * 100 // total > shown or done == total:
            shown = done * 100 // total
            emit(Progress(done=done, total=total, unit="conversations"))

    prepared = prepare(
        args["files"],
        load_template(str(args.get("template", DEFAULT))),
        int(args["context_size"]),
        counter,
        seed=int(args.get("seed", 1)),
        both_speakers=bool(args.get("both_speakers", True)),
        advance=advance,
    )
    folder = Path(args["out"])
    written = write_prepared(folder, prepared)
    emit(Result(values=_values(written, folder / REPORT_FILE, prepared.report)))


def _values(written: Written, path: Path, report: Report) -> dict[str, Any]:
    """What the next steps and the command line want to know, by stable names."""
    totals = report.totals
    return {
        "train": str(written.path),
        "report": str(path),
        "marker": written.marker,
        "sha256": written.sha256,
        "bytes": written.bytes,
        "samples": totals.samples,
        "tokens": totals.tokens,
        "tokens_exact": report.exact,
        "counter": report.counter,
        "longest": totals.longest,
        "median": totals.median,
        "conversations": totals.conversations,
        "files": totals.files,
        "dropped": totals.dropped,
        "shortened": totals.shortened,
        "repaired": totals.repaired,
        "context_size": report.context_size,
        "template": report.template,
        "seed": report.seed,
    }


def _counter(base_model: str | None) -> TokenCounter:
    if base_model is None:
        return RoughCounter()
    from loragui.data.tokens import counter_for

    return counter_for(Path(base_model))
