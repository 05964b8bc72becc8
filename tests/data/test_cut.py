"""Shortening one text."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from loragui.data.cut import shorten


def cut(text: str, length: int) -> str:
    return shorten(text, lambda part: len(part) <= length)


def test_paragraph_then_sentence_then_word_then_character() -> None:
    assert cut("One two.\n\nThree four. Five", 22) == "One two.\n\nThree four."
    assert cut("One two three.\n\nFour five six seven", 24) == "One two three."
    assert cut('"Go!" she said. Then more', 20) == '"Go!" she said.'
    assert cut("one two three", 9) == "one two"
    assert cut("Donaudampfschiff", 5) == "Donau"
    assert cut("日本語です。また明日ね", 8) == "日本語です。"


def test_a_tiny_first_paragraph_is_not_all_that_is_kept() -> None:
    assert cut("No.\n\n" + "word " * 20, 60).startswith("No.\n\nword word")


def test_never_inside_one_character() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert cut("ab" + family, 4) == "ab"
    assert cut("e\u0301e\u0301", 3) == "e\u0301"


def test_nothing_fits() -> None:
    assert shorten("abc", lambda _: False) == ""
    assert shorten("", lambda _: True) == ""


@given(st.text(max_size=200), st.integers(0, 200))
def test_always_a_beginning_that_fits(text: str, length: int) -> None:
    part = cut(text, length)
    assert text.startswith(part)
    assert len(part) <= length
    rest = text[len(part) :]
    assert not rest or not unicodedata.combining(rest[0]) or not part
