"""The text file that the classic engine trains on: a marker before every sample, and nothing else.

The rules come from llama.cpp's common/train.cpp (facts/data-formats.md, section 0). Text before the first
marker is lost, so the file starts with it. Everything up to the next marker is trained, so no line end comes
before a marker. An empty first sample or bytes that are not UTF-8 crash the engine, so both are refused here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loragui.errors import AppError
from loragui.paths import write_atomic

DEFAULT_MARKER = "<s>"

_SAFE_MARKER = re.compile(r"[!#-&(-\[\]-~]{3,40}")  # printable ASCII without space, quotes and backslash
_HALVES = re.compile("[\ud800-\udfff]")  # half characters, which UTF-8 does not have


@dataclass(frozen=True, kw_only=True)
class Written:
    """A finished training text: its size in bytes, the marker before each sample, the file's SHA-256."""

    path: Path
    marker: str
    samples: int
    bytes: int
    sha256: str


def choose_marker(samples: Sequence[str], default: str = DEFAULT_MARKER) -> str:
    """``default`` if no sample holds it, else a marker made from the samples that none of them holds."""
    check_marker(default)
    if not any(default in sample for sample in samples):
        return default
    digest = hashlib.sha256("\0".join(samples).encode("utf-8", "replace"))
    while True:
        marker = f"<|sample-{digest.hexdigest()[:8]}|>"
        if not any(marker in sample for sample in samples):
            return marker
        digest.update(b"again")


def check_marker(marker: str) -> None:
    """AppError unless ``marker`` is safe on every command line and cannot overlap itself."""
    overlaps = any(marker.endswith(marker[:length]) for length in range(1, len(marker)))
    if not _SAFE_MARKER.fullmatch(marker) or overlaps:
        raise AppError(
            f"{marker!r} cannot be used to separate samples.",
            f"Choose 3 to 40 plain characters without spaces and quotes, such as {DEFAULT_MARKER}.",
            code="marker-unsafe",
        )


def marked_text(samples: Sequence[str], marker: str) -> str:
    """The content of the file. AppError for what would crash or mislead the engine."""
    check_marker(marker)
    if not samples:
        raise AppError(
            "There is no sample to train on.", "Choose files that hold chats with replies.", code="no-samples"
        )
    for number, sample in enumerate(samples, start=1):
        reason = _unfit(sample, marker)
        if reason:
            raise AppError(
                f"Sample {number} cannot be written because it {reason}.",
                "This is a fault of loragui: please report it with the file that the sample came from.",
                details=sample[:500],
                code="sample-unfit",
            )
    return "".join(marker + sample for sample in samples)


def _unfit(sample: str, marker: str) -> str:
    if not sample.strip():
        return "is empty"
    if marker in sample:
        return "holds the marker"
    if "\r" in sample or "\0" in sample:
        return "holds control characters"
    return "is not valid Unicode" if _HALVES.search(sample) else ""


def write_marked(path: Path, samples: Sequence[str], marker: str | None = None) -> Written:
    """Write the samples to ``path`` atomically; without a ``marker`` one is chosen."""
    marker = marker or choose_marker(samples)
    text = marked_text(samples, marker)
    write_atomic(path, text)
    data = text.encode("utf-8")
    return Written(
        path=path,
        marker=marker,
        samples=len(samples),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def split_marked(text: str, marker: str) -> tuple[str, ...]:
    """The samples as the engine finds them in a file: what stands before the first marker is not one."""
    return tuple(text.split(marker)[1:])
