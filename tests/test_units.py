from __future__ import annotations

import pytest

from loragui import units


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (2048, "2.0 KB"), (48686474, "46.4 MB"), (340 << 20, "340 MB"),
     (int(13.1 * (1 << 30)), "13.1 GB"), (3 << 40, "3.0 TB")],
)  # fmt: skip
def test_sizes(count: int, text: str) -> None:
    assert units.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (2.5, "2.5 s"), (59.6, "60 s"), (89, "89 s"), (119, "2 min"), (3599, "1 h 00 min"),
     (3 * 3600 + 300, "3 h 05 min"), (86400 * 4 + 3600 * 7, "4 d 7 h"), (86399, "1 d 0 h")],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert units.duration(seconds) == text


def test_plurals() -> None:
    assert units.plural(1, "sample", "samples") == "1 sample"
    assert units.plural(12345, "sample", "samples") == "12,345 samples"
