"""What counting tokens means: the promise that ``data/tokens.py`` keeps, and a rough stand-in."""

from __future__ import annotations

from typing import Protocol

BYTES_PER_TOKEN = 3.5  # common for English text and vocabularies of 32,000 to 50,000 tokens


class TokenCounter(Protocol):
    """Counts the tokens that the engine makes of a text (without the begin token that it adds)."""

    @property
    def name(self) -> str:
        """What the count comes from, in words (``SmolLM2 vocabulary``)."""
        ...

    @property
    def exact(self) -> bool:
        """Whether the count is the engine's own; if not, it is shown with "about"."""
        ...

    def count(self, text: str) -> int:
        """How many tokens ``text`` has."""
        ...


class RoughCounter:
    """An estimate from the number of bytes, for when the base model is not known yet."""

    name = "estimate from the text's length"
    exact = False

    def count(self, text: str) -> int:
        """About how many tokens ``text`` has, rounded up."""
        return -(-2 * len(text.encode("utf-8", "surrogatepass")) // round(2 * BYTES_PER_TOKEN))
