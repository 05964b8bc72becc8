"""The data step as a plan of one step, and the job that this step runs in its own process."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loragui import units
from loragui.data.counting import RoughCounter, TokenCounter
from loragui.data.folder import FINDINGS_FILE, PREVIEW_FILE, REPORT_FILE, write_prepared
from loragui.data.marker import Written
from loragui.data.prepare import prepare
from loragui.data.report import Report
from loragui.data.template import DEFAULT, load_template
from loragui.errors import AppError, Problem
from loragui.jobs.events import Note, Progress, Result
from loragui.jobs.folder import DONE, RunFolder
from loragui.jobs.plan import Plan, Step
from loragui.jobs.pyjob import Emit, job_command

JOB = "data-format"
_PAUSE = 0.2  # seconds between two tellings
_TOO_EARLY = 0.02  # of the work; before that nobody can say how long it takes


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
    """The plan that writes training text, findings, preview and report into ``out``. It does nothing yet.

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


def outdated(run: RunFolder, wanted: Plan) -> Problem | None:
    """Why the text that was made in ``run`` is not what ``wanted`` would make now. None when it is.

    Names count, not folders, so that a project may be moved. A text that was made without a run is taken as it is.
    """
    if not run.plan_file.is_file():
        return None
    try:
        made = run.load_plan()
    except AppError as error:
        return error.problem
    if _choices(made) != _choices(wanted):
        return _outdated("Your files or choices are others now than those that the training text was made from.")
    look = run.look()
    if look.state != DONE:
        return look.problem or _outdated("The training text was not made to its end.")
    finished = run.events_file.stat().st_mtime
    changed = [name for name in wanted.facts["files"] if _changed(Path(name)) > finished]
    return _outdated(f"{Path(changed[0]).name} was changed after the training text was made.") if changed else None


def _choices(plan: Plan) -> tuple[object, ...]:
    facts = plan.facts
    names = sorted(Path(str(name)).name for name in facts["files"])
    return names, Path(str(facts["base_model"])).name, *(facts.get(key) for key in ("template", "context_size", "seed"))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0  # the gate says that it is gone


def _outdated(message: str) -> Problem:
    return Problem(message=message, hint="Make the training text again.", code="data-outdated")


def _absolute(path: str | os.PathLike[str]) -> str:
    """The path from the root; links stay as they are, so that the person recognises it in the report."""
    return str(Path.cwd() / path)


def format_job(args: Mapping[str, Any], emit: Emit) -> None:
    """The job ``data-format``, with the arguments of ``prepare_plan``; ``out`` may be relative to the run."""
    counter = _counter(args.get("base_model"))
    emit(Note(text=f"Reading {units.plural(len(args['files']), 'file or folder', 'files and folders')}."))
    prepared = prepare(
        args["files"],
        load_template(str(args.get("template", DEFAULT))),
        int(args["context_size"]),
        counter,
        seed=int(args.get("seed", 1)),
        both_speakers=bool(args.get("both_speakers", True)),
        advance=_Teller(emit),
    )
    folder = Path(args["out"])
    emit(Note(text=f"Writing {units.plural(len(prepared.samples), 'sample', 'samples')}."))
    written = write_prepared(folder, prepared)
    emit(Result(values=_values(written, folder, prepared.report)))


class _Teller:
    """Tells of progress about five times a second: first of the bytes that are read, then of the messages."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._unit = ""
        self._began = self._told = 0.0

    def __call__(self, done: float, total: float, unit: str) -> None:
        now = time.monotonic()
        if unit != self._unit:
            self._unit, self._began = unit, now
        elif now - self._told < _PAUSE and done < total:
            return
        self._told = now
        part = done / total if total else 0.0
        eta = (now - self._began) * (1 - part) / part if part > _TOO_EARLY else None
        self._emit(Progress(done=done, total=total, unit=unit, eta=eta))


def _values(written: Written, folder: Path, report: Report) -> dict[str, Any]:
    """What the next steps and the command line want to know, by stable names."""
    totals = report.totals
    return {
        "train": str(written.path),
        "report": str(folder / REPORT_FILE),
        "findings": str(folder / FINDINGS_FILE),
        "preview": str(folder / PREVIEW_FILE),
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
