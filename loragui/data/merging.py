"""Joining neighbours until nothing joins any more: what SentencePiece and byte pair encoding share."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Rank = Callable[[str, str], float | None]


def merge(parts: list[str], rank: Rank) -> list[str]:
    """``parts`` after all merges: always the pair with the lowest rank, of equal ones the leftmost.

    ``rank`` is None for two neighbours that do not join. Takes n log n steps for n parts.
    """
    after = [*range(1, len(parts)), -1]
    before = [*range(-1, len(parts) - 1)]
    heap: list[tuple[float, int, int, int]] = []

    def offer(left: int, right: int) -> None:
        found = rank(parts[left], parts[right])
        if found is not None:
            heapq.heappush(heap, (found, left, right, len(parts[left]) + len(parts[right])))

    for left in range(len(parts) - 1):
        offer(left, left + 1)
    while heap:
        _, left, right, length = heapq.heappop(heap)
        if not parts[left] or not parts[right] or len(parts[left]) + len(parts[right]) != length:
            continue  # one of the two has been joined with another since
        parts[left] += parts[right]
        parts[right] = ""
        following = after[left] = after[right]
        if following != -1:
            before[following] = left
            offer(left, following)
        if before[left] != -1:
            offer(before[left], left)
    return [part for part in parts if part]
