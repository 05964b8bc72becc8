"""Shorten one text so that it fits: at the end of a paragraph, else of a sentence, else of a word, never
inside one character. A coarser cut is taken only if it keeps at least half of what the finest cut would keep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import regex

_PARAGRAPH = re.compile(r"\n\s*\n")
_SENTENCE = re.compile("(?<=[.!?\u2026])[\"'\u201d\u2019\xbb)*\\]]*(?=\\s)|\n|(?<=[\u3002\uff01\uff1f])")
_WORD = re.compile(r"\s+")
_GRAPHEME = regex.compile(r"\X")
_KEPT = 0.5


def shorten(text: str, fits: Callable[[str], bool]) -> str:
    """The longest good beginning of ``text`` that fits, without trailing space; empty if nothing fits.

    ``fits`` must hold for the shorter text whenever it holds for the longer one.
    """
    finest = _longest(text, _graphemes(text), fits)
    for pattern in (_PARAGRAPH, _SENTENCE, _WORD):
        ends = [
            match.end() if pattern is _SENTENCE else match.start() for match in pattern.finditer(text[: finest + 1])
        ]
        end = _longest(text, [end for end in ends if end <= finest], fits)
        if end and end >= _KEPT * finest:
            return text[:end].rstrip()
    return text[:finest].rstrip()


def _graphemes(text: str) -> list[int]:
    return [match.end() for match in _GRAPHEME.finditer(text)]


def _longest(text: str, ends: Sequence[int], fits: Callable[[str], bool]) -> int:
    """The largest of the rising ``ends`` up to which ``text`` fits, or 0."""
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if fits(text[: ends[middle]].rstrip()):
            low = middle + 1
        else:
            high = middle
    return ends[low - 1] if low else 0
