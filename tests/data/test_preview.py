"""The preview: small whatever the samples hold, true to them, and back from its file as it was."""

from __future__ import annotations

import json
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.data.conversation import Place
from loragui.data.preview import (
    LEFT_OUT,
    MOST_BINS,
    MOST_SAMPLES,
    Preview,
    capped,
    load_preview,
    preview_of,
    spread,
    write_preview,
)
from loragui.data.samples import Sample
from loragui.errors import AppError

TEXT = st.text(st.characters() | st.sampled_from('\n\u2028\ud83d"\\'), max_size=30)
COUNT = st.integers(0, 10**6)
SAMPLE = st.builds(
    Sample,
    prompt=TEXT,
    reply=TEXT,
    tokens=st.integers(0, 300),
    speaker=TEXT,
    role=st.just("user"),
    place=st.builds(Place, file=TEXT, line=COUNT | st.none(), record=COUNT | st.none()),
    turns_before=COUNT,
    turns_left_out=COUNT,
    shortened=st.booleans(),
)


def sample(number: int, *, prompt: str = "p", reply: str = "r", speaker: str = "Amy", tokens: int = 3) -> Sample:
    return Sample(
        prompt=prompt,
        reply=reply,
        tokens=tokens,
        speaker=speaker,
        role="character",
        place=Place(file="a", line=number),
        turns_before=0,
        turns_left_out=0,
    )


@given(st.lists(SAMPLE, max_size=5), st.integers(32, 400))
def test_round_trip(samples: list[Sample], context: int) -> None:
    preview = preview_of(samples, context)
    with tempfile.TemporaryDirectory() as folder:
        write_preview(Path(folder), preview)
        assert load_preview(Path(folder)) == preview


@given(st.integers(32, 100_000), st.lists(st.floats(0, 1), max_size=50))
def test_bins_cover_the_context_and_hold_every_sample(context: int, shares: list[float]) -> None:
    tokens = [round(share * context) for share in shares]
    preview = preview_of([sample(1, tokens=count) for count in tokens], context)
    edges = preview.edges
    assert (edges[0], edges[-1]) == (0, context)
    assert list(edges) == sorted(set(edges))
    assert len(preview.counts) == len(edges) - 1 <= MOST_BINS
    for index, count in enumerate(preview.counts):
        last = index == len(preview.counts) - 1
        upper = edges[index + 1] + last
        assert count == sum(edges[index] <= number < upper for number in tokens)


@given(st.integers(0, 10_000), st.integers(2, 50))
def test_spread_is_even_from_first_to_last(count: int, most: int) -> None:
    chosen = spread(count, most)
    assert len(chosen) == min(count, most)
    if count:
        assert (chosen[0], chosen[-1]) == (0, count - 1)
    steps = {after - before for before, after in pairwise(chosen)}
    assert all(step > 0 for step in steps)
    assert max(steps, default=1) - min(steps, default=1) <= 1


def test_samples_are_shown_as_they_are() -> None:
    samples = [sample(number, prompt=f"{number}:", reply=f" {number}!") for number in range(1, 1001)]
    shown = preview_of(samples, 64).samples
    assert len(shown) == MOST_SAMPLES
    assert (shown[0].number, shown[-1].number) == (1, 1000)
    for row in shown:
        original = samples[row.number - 1]
        assert (row.prompt, row.reply, row.place) == (original.prompt, original.reply, original.place)


@pytest.mark.parametrize("char", ["x", "\n", "中", "\U0001f600", "\x01"])
def test_file_stays_below_a_megabyte(tmp_path: Path, char: str) -> None:
    long = char * 100_000
    samples = [sample(number, prompt=long, reply=long, speaker=long) for number in range(50)]
    write_preview(tmp_path, preview_of(samples, 4096))
    assert 100_000 < (tmp_path / "preview.json").stat().st_size < 1_000_000


@given(st.text(max_size=300), st.integers(40, 400))
def test_capped_keeps_both_ends(text: str, most: int) -> None:
    shown = capped(text, most)
    assert len(json.dumps(shown)) <= most
    if shown != text:
        head, tail = shown.split(LEFT_OUT)
        assert text.startswith(head)
        assert text.endswith(tail)
        assert len(json.dumps(text)) > most


def good() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        write_preview(Path(folder), preview_of([sample(1)], 64))
        value: dict[str, Any] = json.loads(Path(folder, "preview.json").read_text("utf-8"))
    return value


def stored(folder: Path, value: object) -> Preview:
    (folder / "preview.json").write_text(json.dumps(value), encoding="utf-8")
    return load_preview(folder)


def test_the_good_one_is_good(tmp_path: Path) -> None:
    assert stored(tmp_path, good()).samples[0].reply == "r"


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": None},
        {"edges": [0, 64]},
        {"edges": "0"},
        {"counts": ["1"]},
        {"context_size": 3.5},
        {"samples": [{}]},
        {"samples": [{**good()["samples"][0], "tokens": "3"}]},
        {"samples": [{**good()["samples"][0], "reply": None}]},
        {"samples": [{**good()["samples"][0], "more": 1}]},
    ],
)
def test_damaged_preview(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(AppError) as caught:
        stored(tmp_path, {**good(), **wrong})
    assert caught.value.problem.code == "preview-damaged"


@pytest.mark.parametrize("content", [None, b"", b"[]", b"\xff", b"[" * 100_000])
def test_missing_or_unreadable_preview(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "preview.json").write_bytes(content)
    with pytest.raises(AppError, match=r"preview\.json could not be read"):
        load_preview(tmp_path)


def test_newer_preview(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="newer"):
        stored(tmp_path, {**good(), "schema": 2})
