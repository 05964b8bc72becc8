"""Tokens of a byte pair encoding vocabulary (Llama 3, SmolLM, GPT-2), the way the engine makes them.

The text is cut into words by the patterns of its pre-tokenizer (resources/tokenizers.toml), each word is
written as one letter for each byte, and neighbours are joined in the order of the vocabulary's merges.
Special tokens are text like any other.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import regex

from loragui.data.merging import merge
from loragui.paths import resource_path

_REMEMBERED = 400_000  # words; about 60 MB


@dataclass(frozen=True, kw_only=True)
class PreTokenizer:
    """How a text is cut into words: each pattern cuts the pieces that the one before it made.

    ``outer`` patterns run over the text, ``inner`` ones over each word once. ``whole_words``: a word that is
    a token needs no merges. ``proven``: compared with the engine on the vectors in tests/data/vectors.
    """

    name: str
    outer: tuple[regex.Pattern[str], ...]
    inner: tuple[regex.Pattern[str], ...]
    whole_words: bool
    proven: bool


@cache
def pre_tokenizers() -> dict[str, PreTokenizer]:
    """All known ones by the names that GGUF files use for them."""
    with resource_path("tokenizers.toml").open("rb") as source:
        table = tomllib.load(source)
    known: dict[str, PreTokenizer] = {}
    for name, entry in table["pre"].items():
        found = _pre_tokenizer(name, entry)
        known.update(dict.fromkeys([name, *entry.get("also", [])], found))
    return known


def _pre_tokenizer(name: str, entry: dict[str, Any]) -> PreTokenizer:
    def patterns(key: str) -> tuple[regex.Pattern[str], ...]:
        return tuple(regex.compile(f"({pattern})") for pattern in entry.get(key, []))

    return PreTokenizer(
        name=name,
        outer=patterns("outer"),
        inner=patterns("inner"),
        whole_words=bool(entry.get("whole_words", False)),
        proven=bool(entry.get("proven", False)),
    )


def cut(pieces: Iterable[str], patterns: Iterable[regex.Pattern[str]]) -> list[str]:
    """``pieces`` cut by each pattern in turn; what lies between two matches is a piece of its own."""
    for pattern in patterns:
        pieces = [part for piece in pieces for part in pattern.split(piece) if part]
    return list(pieces)


@cache
def byte_letters() -> dict[int, str]:
    """The letter that stands for each byte, for ``str.translate``: printable ones for themselves (GPT-2)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}


class BpeCounter:
    """Counts tokens with the pieces and merges of one vocabulary."""

    def __init__(
        self,
        name: str,
        pieces: Sequence[str],
        merges: Iterable[str],
        pre: PreTokenizer,
        *,
        exact: bool = True,
    ) -> None:
        self.name = name
        self.exact = exact and pre.proven
        self._pre = pre
        self._ids = {piece: number for number, piece in enumerate(pieces)}
        self._ranks: dict[tuple[str, str], int] = {}
        for number, pair in enumerate(merges):
            gap = pair.find(" ", 1)
            if gap > 0:
                self._ranks.setdefault((pair[:gap], pair[gap + 1 :]), number)
        self._known: dict[str, list[int]] = {}

    def count(self, text: str) -> int:
        """How many tokens ``text`` has (without the begin token that the engine may add)."""
        return sum(map(len, map(self._word, cut([text], self._pre.outer))))

    def encode(self, text: str) -> list[int]:
        """The tokens' numbers."""
        return [number for word in cut([text], self._pre.outer) for number in self._word(word)]

    def _word(self, word: str) -> list[int]:
        found = self._known.get(word)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = []
            for part in cut([word], self._pre.inner):
                found += self._encode(part)
            self._known[word] = found
        return found

    def _encode(self, word: str) -> list[int]:
        letters = word.encode("utf-8", "surrogatepass").decode("latin-1").translate(byte_letters())
        if self._pre.whole_words and letters in self._ids:
            return [self._ids[letters]]
        parts = merge(list(letters), lambda left, right: self._ranks.get((left, right)))
        return [self._ids.get(letter, 0) for part in parts for letter in self._spelled(part)]

    def _spelled(self, part: str) -> Iterable[str]:
        """``part`` itself when it is a token, else its letters."""
        return (part,) if part in self._ids else part
