from __future__ import annotations

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from loragui.jobs.lines import LONGEST, LineSplitter


def split(*chunks: bytes) -> list[str]:
    splitter = LineSplitter()
    found = [line for chunk in chunks for line in splitter.feed(chunk)]
    return [*found, *splitter.flush()]


def test_every_kind_of_line_end() -> None:
    assert split(b"a\nb\rc\r\nd\n\ne") == ["a", "b", "c", "d", "", "e"]


def test_a_carriage_return_at_the_end_waits() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"10 %\r") == []
    assert splitter.feed(b"\n20 %\r") == ["10 %"]
    assert splitter.feed(b"30 %") == ["20 %"]
    assert splitter.flush() == ["30 %"]
    assert splitter.flush() == []


def test_a_last_carriage_return_is_no_line_of_its_own() -> None:
    assert split(b"a\r") == ["a"]
    assert split(b"\r\n") == [""]


def test_bytes_that_are_not_utf8_are_shown() -> None:
    assert split(b"caf\xe9\n", b"\xf0\x9f") == ["caf\\xe9", "\\xf0\\x9f"]


def test_a_program_that_never_ends_a_line_does_not_eat_memory() -> None:
    splitter = LineSplitter()
    lines = [line for _ in range(50) for line in splitter.feed(b"x" * 10_000)]
    assert [len(line) for line in lines] == [LONGEST] * 7
    assert len(splitter._rest) == 500_000 - 7 * LONGEST


def test_a_long_line_is_cut_alike_however_it_arrives() -> None:
    data = b"y" * LONGEST + b"\r\n" + b"z" * (LONGEST + 1) + b"\n"
    assert split(data) == split(*(data[at : at + 1000] for at in range(0, len(data), 1000)))
    assert split(data[: LONGEST + 1], data[LONGEST + 1 :]) == split(data)


PIECES = st.lists(st.sampled_from([b"a", b"\r", b"\n", "ä±█".encode(), b"\xff", b" 12 % ", b""]), max_size=30)


@given(PIECES, st.lists(st.integers(0, 200), max_size=8))
def test_lines_do_not_depend_on_the_chunks(pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pieces)
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    chunks = [data[start:end] for start, end in itertools.pairwise(places)]
    assert split(*chunks) == split(data) == split(*(data[at : at + 1] for at in range(len(data))))


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_nothing_is_lost(text: str) -> None:
    expected = re.split(r"\r\n|\r|\n", text)
    if not expected[-1]:
        expected.pop()
    assert split(text.encode()) == expected
