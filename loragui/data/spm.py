"""Tokens of a SentencePiece vocabulary (Llama 1 and 2, Mistral, TinyLlama), the way the engine makes them.

The engine writes a space before the text, turns spaces into a mark, and joins neighbouring letters into the
token with the best score until none fits; what is left and in no token becomes one token for each byte.
Special tokens such as ``</s>`` are text like any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from loragui.data.merging import merge

MARK = "\u2581"
_WORD = re.compile(f"{MARK}+[^{MARK}]*|[^{MARK}]+")
_REMEMBERED = 400_000  # words; about 60 MB


class SpmCounter:
    """Counts tokens with the pieces and scores of one vocabulary."""

    def __init__(
        self, name: str, pieces: Sequence[str], scores: Sequence[float], *, add_space_prefix: bool = True
    ) -> None:
        self.name = name
        self._ids = {piece: number for number, piece in enumerate(pieces)}
        self._scores = {piece: -score for piece, score in zip(pieces, scores, strict=True)}
        self._prefix = MARK if add_space_prefix else ""
        self._bytes = [self._ids.get(f"<0x{byte:02X}>", 0) for byte in range(256)]
        self.exact = all(f"<0x{byte:02X}>" in self._ids for byte in range(256))
        # Words can be looked at one by one unless a token reaches over the start of the next word.
        self._by_word = not any(re.search(f"[^{MARK}]{MARK}", piece) for piece in pieces)
        self._known: dict[str, list[int]] = {}

    def count(self, text: str) -> int:
        """How many tokens ``text`` has (without the begin token that the engine adds)."""
        return sum(map(len, map(self._word, self._words(text))))

    def encode(self, text: str) -> list[int]:
        """The tokens' numbers."""
        return [number for word in self._words(text) for number in self._word(word)]

    def _words(self, text: str) -> list[str]:
        if not text:
            return []
        marked = self._prefix + text.replace(" ", MARK)
        return _WORD.findall(marked) if self._by_word else [marked]

    def _word(self, word: str) -> list[int]:
        found = self._known.get(word)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[word] = self._encode(word)
        return found

    def _encode(self, word: str) -> list[int]:
        numbers: list[int] = []
        for part in merge(list(word), self._rank):
            known = self._ids.get(part)
            if known is None:
                numbers += [self._bytes[byte] for byte in part.encode("utf-8", "surrogatepass")]
            else:
                numbers.append(known)
        return numbers

    def _rank(self, left: str, right: str) -> float | None:
        return self._scores.get(left + right)
