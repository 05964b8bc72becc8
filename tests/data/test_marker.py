"""The text file: every trap of the engine's reader (facts/data-formats.md, section 0)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.data.marker import choose_marker, marked_text, split_marked, write_marked
from loragui.data.text import clean
from loragui.errors import AppError

TEXTS = st.text(min_size=1).map(clean).filter(lambda text: bool(text.strip()))


def test_layout_has_the_marker_first_and_nothing_between() -> None:
    assert marked_text(["one", "two\n"], "<s>") == "<s>one<s>two\n"


def test_marker_is_absent_from_every_sample() -> None:
    samples = ["<s>struck</s>", "plain"]
    marker = choose_marker(samples)
    assert marker != "<s>"
    assert marker.isascii()
    assert choose_marker(samples) == marker
    assert choose_marker(["a", "b"]) == "<s>"
    assert choose_marker([*samples, f"and {marker}"]) not in (marker, "<s>")


@pytest.mark.parametrize("marker", ["", "<", "a\nb", '<"s">', "<'s'>", "a\\b", "é<s>", "a b c", "aba", "<><>"])
def test_unsafe_markers_are_refused(marker: str) -> None:
    with pytest.raises(AppError):
        marked_text(["x"], marker)


@pytest.mark.parametrize("sample", ["", " \n", "a\rb", "a\0b", "a<s>b", "half \ud83d"])
def test_samples_that_would_crash_the_engine_are_refused(sample: str) -> None:
    with pytest.raises(AppError, match="Sample 2"):
        marked_text(["good", sample], "<s>")


def test_no_sample_is_an_error_not_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="no sample"):
        write_marked(tmp_path / "train.txt", [])
    assert list(tmp_path.iterdir()) == []


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_what_is_written_is_what_the_engine_finds(samples: list[str]) -> None:
    marker = choose_marker(samples)
    text = marked_text(samples, marker)
    assert list(split_marked(text, marker)) == samples
    assert text.startswith(marker)
    text.encode("utf-8")


def test_written_file(tmp_path: Path) -> None:
    written = write_marked(tmp_path / "data" / "train.txt", ["Zoë", "two"])
    data = written.path.read_bytes()
    assert data == "<s>Zoë<s>two".encode()
    assert (written.bytes, written.samples, written.marker) == (len(data), 2, "<s>")
    assert written.sha256 == hashlib.sha256(data).hexdigest()
    assert [path.name for path in written.path.parent.iterdir()] == ["train.txt"]
