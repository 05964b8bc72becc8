from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.jobs import events
from loragui.jobs.events import Metric
from loragui.jobs.folder import RunFolder
from loragui.training import feed
from loragui.training.feed import Feed


def line(number: int) -> bytes:
    return (events.to_line(Metric(iteration=number, total=9, loss=float(number)), number) + "\n").encode()


@given(st.lists(st.integers(1, 400), min_size=1, max_size=6))
def test_lines_come_once_and_whole_however_they_are_written(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    text = b"".join(line(number) for number in range(1, 10))
    reader, seen, at = Feed(folder), list[str](), 0
    for size in [*sizes, len(text)]:
        with folder.events_file.open("ab") as out:
            out.write(text[at : at + size])
        at += size
        while lines := reader.lines():
            seen += lines
    assert seen == text.decode().splitlines()


def test_a_file_larger_than_a_piece_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PIECE", 50)
    folder = RunFolder(tmp_path)
    folder.events_file.write_bytes(b"".join(line(number) for number in range(1, 200)))
    assert len(Feed(folder).lines()) == 1, "one line is longer than the piece"
    assert list(Feed(folder).series().iterations) == list(range(1, 200))


def test_no_file_yet_and_a_file_that_was_cut_short(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    reader = Feed(folder)
    assert reader.lines() == []
    folder.events_file.write_bytes(line(1) + line(2))
    assert len(reader.lines()) == 2
    folder.events_file.write_bytes(line(3))
    assert reader.lines() == [line(3).decode().strip()]
