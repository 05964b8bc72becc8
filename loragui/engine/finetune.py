"""Reads what ``finetune`` says: progress as events, and every way to go wrong that its exit code hides.

Exit code 0 proves nothing: a lost checkpoint, a missing marker, values that are not numbers and an unwritable
LoRA all end with 0. Facts: shared facts, engine.md part A; llama.cpp b1298, b2321 and b2896, ``finetune.cpp`` and
``common/train.cpp``.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from loragui.engine import classic
from loragui.errors import Problem
from loragui.jobs.events import Event, Log, Metric, Note, Progress, Result, Trouble
from loragui.jobs.failures import explain, known
from loragui.units import plural

KEPT = 400
"""Lines kept to explain a failure; iterations are not among them."""

_ITERATION = re.compile(
    r"train_opt_callback: iter= *(?P<iteration>\d+) sample=\d+/\d+ sched=\S+ loss=(?P<loss>\S+)"
    r"(?: dt=(?P<dt>.+?) eta=(?P<eta>.+?))? \|"
)
_DURATION = re.compile(r"(?:(?P<days>\d+)d +)?(?P<hours>\d+):(?P<minutes>\d+):(?P<seconds>\d+)")
_SIZE = re.compile(r"main: (?P<name>lora|opt|input|compute|work)_size *= *(?P<bytes>\d+) bytes")


def seconds_of(text: str) -> float | None:
    """A duration as the engine writes it (``12.3ms``, ``00:01:02``, ``1d 02:03:04``) in seconds, or None."""
    if text.endswith("ms"):
        try:
            return float(text.removesuffix("ms")) / 1000
        except ValueError:
            return None
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


class FinetuneReader:
    """Reader of ``finetune``, which runs in ``folder``.

    ``args``: ``target`` iterations in all, ``resumed_at`` iterations of the checkpoint it goes on from (0:
    none), ``samples`` in the training text (0: not known), ``context_size`` in tokens, ``overlapping`` whether
    samples are meant to go on into the next ones.
    """

    def __init__(self, folder: Path, args: Mapping[str, object]) -> None:
        self._folder = folder
        self._target = int(str(args["target"]))
        self._resumed_at = int(str(args.get("resumed_at", 0)))
        self._samples = int(str(args.get("samples", 0)))
        self._overlapping = bool(args.get("overlapping", False))
        self._last = 0
        self._lines: deque[str] = deque(maxlen=KEPT)
        self._sizes: dict[str, int] = {}
        self._ended = False

    @property
    def reached(self) -> int:
        """The iteration at which the training ends: its target, or an earlier one if a condition for that was met."""
        return self._last if self._ended else self._target

    def line(self, text: str, stream: str) -> Iterable[Event]:
        """Events of one output line."""
        del stream
        iteration = _ITERATION.match(text)
        if iteration:
            return tuple(self._iteration(iteration))
        self._lines.append(text)
        found: list[Event] = [Log(text=text)] if text.strip() else []
        for pattern, meaning in _LINES:
            match = pattern.match(text)
            if match:
                found.extend(meaning(self, match))
        return found

    def end(self, returncode: int) -> Iterable[Event]:
        """What was wrong in the end: a bad exit, or a result that is not there although the exit was good."""
        if returncode != 0:
            return (Trouble(problem=explain(tuple(self._lines), returncode, "finetune")),)
        problem = known(tuple(self._lines), returncode, "finetune") or self._missing()
        return (Trouble(problem=problem),) if problem else ()

    def _missing(self) -> Problem | None:
        """The result of a training that ended well is there, else the problem."""
        if not self._ended:
            return Problem(
                message="The training program ended before the training did.",
                hint="Choose Resume; it goes on from the last good checkpoint.",
                details="\n".join(list(self._lines)[-20:]),
                code="ended-early",
            )
        wanted = (pattern.replace("ITERATION", str(self.reached)) for pattern in (classic.CHECKPOINTS, classic.LORAS))
        absent = [name for name in wanted if not _has_content(self._folder / name)]
        if not absent:
            return None
        return Problem(
            message=f"The training ended, but its result was not saved: {', '.join(absent)} is missing.",
            hint="Check that the disk has room and the folder is not read-only, then choose Resume.",
            details="\n".join(list(self._lines)[-20:]),
            code="result-missing",
        )

    # -- what single lines mean --------------------------------------------------------------------------

    def _iteration(self, match: re.Match[str]) -> Iterator[Event]:
        """The line after iteration n says iter=n and that iteration's loss; the first line has none yet."""
        number, took = int(match["iteration"]), match["dt"]
        self._last = number
        if number == self._resumed_at:
            if number:
                yield Note(text=f"Continuing at {number} of {self._target}.")
            yield Progress(done=number, total=self._target, unit="iterations")
            return
        try:
            loss = float(match["loss"])
        except ValueError:
            loss = math.nan
        yield Metric(
            iteration=number,
            total=self._target,
            loss=loss,
            seconds=seconds_of(took) if took else None,
            eta=seconds_of(match["eta"]) if took else None,
        )
        if not math.isfinite(loss):
            yield Trouble(problem=_not_a_number(number))

    def _restored(self, match: re.Match[str]) -> Iterator[Event]:
        found = int(match[1])
        if found != self._resumed_at:
            yield Trouble(problem=_ignored_checkpoint(found, self._resumed_at))

    def _size(self, match: re.Match[str]) -> Iterator[Event]:
        self._sizes[f"{match['name']}_bytes"] = int(match["bytes"])
        if match["name"] == "work":  # the last of them
            yield Result(values=dict(self._sizes))

    def _sample_count(self, match: re.Match[str]) -> Iterator[Event]:
        found = int(match[1])
        yield Note(text=f"The training text has {plural(found, 'sample', 'samples')}.")
        if self._samples and found != self._samples:
            yield Trouble(problem=_other_samples(found, self._samples))

    def _cut(self, match: re.Match[str]) -> Iterator[Event]:
        if not self._overlapping:
            yield Trouble(problem=_cut(*match.groups()), fatal=False)

    def _data_changed(self, _match: re.Match[str]) -> Iterator[Event]:
        if self._resumed_at:  # it says so on every fresh start, too
            yield Trouble(problem=_DATA_ORDER, fatal=False)

    def _over(self, _match: re.Match[str]) -> Iterator[Event]:
        self._ended = True
        early = f" It ended at iteration {self._last} of {self._target}, as the settings ask for."
        yield Note(text=f"The training is over; saving the result.{early if self._last < self._target else ''}")


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _note(text: str) -> Callable[[FinetuneReader, re.Match[str]], Iterator[Event]]:
    def meaning(_reader: FinetuneReader, match: re.Match[str]) -> Iterator[Event]:
        yield Note(text=text.format(*match.groups()))

    return meaning


def _trouble(
    make: Callable[..., Problem], *, fatal: bool
) -> Callable[[FinetuneReader, re.Match[str]], Iterator[Event]]:
    def meaning(_reader: FinetuneReader, match: re.Match[str]) -> Iterator[Event]:
        yield Trouble(problem=make(*match.groups()), fatal=fatal)

    return meaning


def _tokens(_reader: FinetuneReader, match: re.Match[str]) -> Iterator[Event]:
    yield Result(values={"training_tokens": int(match[1])})


def _not_a_number(iteration: int) -> Problem:
    return Problem(
        message=f"The loss is not a number any more since iteration {iteration}: the training has run away.",
        hint="Start a new training with a lower learning rate (a third of it, for example).",
        code="nan",
    )


def _ignored_checkpoint(found: int, expected: int) -> Problem:
    if expected:
        message = f"The engine could not read the checkpoint of iteration {expected} and would begin at {found}."
    else:
        message = f"The engine found a checkpoint of iteration {found}, although the training should begin anew."
    return Problem(
        message=message,
        hint="Choose Resume again; loragui takes the last checkpoint that is whole.",
        code="checkpoint-ignored",
    )


def _other_samples(found: int, expected: int) -> Problem:
    return Problem(
        message=f"The engine sees {plural(found, 'sample', 'samples')} in the training text, not {expected}.",
        hint="Do the step “Training data” again, then start a new training.",
        code="samples-differ",
    )


def _no_marker(marker: str) -> Problem:
    return Problem(
        message=f"The marker “{marker}”, with which every sample begins, is not in the training text.",
        hint="Do the step “Training data” again, then start a new training.",
        code="marker-missing",
    )


def _cut(count: str, longest: str, context: str) -> Problem:
    return Problem(
        message=f"{plural(int(count), 'sample is', 'samples are')} longer than {context} tokens and cut off.",
        hint=f"The longest has {longest} tokens. Do the step “Training data” again with this context size.",
        code="samples-cut",
        blocking=False,
    )


def _empty(count: str) -> Problem:
    return Problem(
        message=f"{plural(int(count), 'sample has', 'samples have')} no text.",
        hint="Do the step “Training data” again.",
        code="samples-empty",
        blocking=False,
    )


_DATA_ORDER = Problem(
    message="The engine takes the training text for a changed one: the samples are shuffled anew.",
    hint="The training goes on all the same; some samples come up more often than others in this round.",
    code="data-order",
    blocking=False,
)

_Meaning = Callable[[FinetuneReader, Any], Iterable[Event]]
_LINES: tuple[tuple[re.Pattern[str], _Meaning], ...] = (
    (re.compile(r"main: model base = "), _note("Reading the base model.")),
    (re.compile(r"main: init model"), _note("Preparing the training.")),
    (re.compile(r"main: total train_iterations (\d+)"), FinetuneReader._restored),  # noqa: SLF001
    (_SIZE, FinetuneReader._size),  # noqa: SLF001
    (re.compile(r"main: tokenize training data"), _note("Reading the training text.")),
    (
        re.compile(r"tokenize_file: warning: sample start pattern '(.*)' not found"),
        _trouble(_no_marker, fatal=True),
    ),
    (
        re.compile(r"tokenize_file: warning: found (\d+) samples \(max length (\d+)\) that exceed .* of (\d+)\."),
        FinetuneReader._cut,  # noqa: SLF001
    ),
    (re.compile(r"tokenize_file: warning: found (\d+) empty samples"), _trouble(_empty, fatal=False)),
    (re.compile(r"tokenize_file: total number of samples: (\d+)"), FinetuneReader._sample_count),  # noqa: SLF001
    (re.compile(r"main: number of training tokens: (\d+)"), _tokens),
    (re.compile(r"main: train data seems to have changed"), FinetuneReader._data_changed),  # noqa: SLF001
    (re.compile(r"main: begin training"), _note("Training.")),
    (
        re.compile(r"train_opt_callback: reshuffle samples. completed epochs: (\d+)"),
        _note("Pass {0} over the data done."),
    ),
    (
        re.compile(r"save_checkpoint_lora_file: saving to \D+(\d+)\.\w+"),
        _note("Saving a checkpoint at iteration {0}."),
    ),
    (re.compile(r"main: total training time: "), FinetuneReader._over),  # noqa: SLF001
)
