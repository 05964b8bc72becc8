"""What a training was trained on, in sums and without the data itself, as far as that can still be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loragui.data.folder import TEXT_FILE, load_report
from loragui.data.template import load_template
from loragui.errors import AppError
from loragui.paths import file_sha256
from loragui.training.start import Training


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """Sums over the training data. ``exact``: tokens were counted, not estimated; ``template`` is its name.

    ``prompt`` is the form of a prompt, with placeholders, and empty when the template is gone.
    """

    files: int
    conversations: int
    samples: int
    tokens: int
    exact: bool
    median: int
    longest: int
    template: str
    prompt: str = ""


def data_facts(folder: Path, template: str, training: Training) -> DataFacts | None:
    """The facts of the data in ``folder``, or None when it is not the data of this training (any more).

    ``template`` is the one that the project uses now: a name, or the path of a file.
    """
    try:
        if file_sha256(folder / TEXT_FILE) != training.data_sha256:
            return None
        report = load_report(folder)
    except (AppError, OSError):
        return None
    totals = report.totals
    return DataFacts(
        files=totals.files,
        conversations=totals.conversations,
        samples=totals.samples,
        tokens=totals.tokens,
        exact=report.exact,
        median=totals.median,
        longest=totals.longest,
        template=report.template,
        prompt=_prompt(template if Path(template).stem == report.template else report.template),
    )


def _prompt(template: str) -> str:
    try:
        return load_template(template).outline()
    except AppError:
        return ""
