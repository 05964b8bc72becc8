"""The formats that can be read, in the order in which they are tried. To add one: write its file, add it
here.

A reader is a module with a name, a title, a signature test on the content (never on the file's name) and a
``read`` that yields neutral items and goes on after a bad record, which it reports with its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from loragui.data.conversation import CharacterCard, Conversation
from loragui.data.readers import card_json, card_png, sillytavern
from loragui.data.report import Finding
from loragui.data.source import Source

Item = Conversation | CharacterCard | Finding


class Reader(Protocol):
    """One format. ``NAME`` is stable, ``TITLE`` is what a person reads."""

    NAME: str
    TITLE: str

    def recognises(self, source: Source) -> bool:
        """Whether the content is of this format. Never raises."""
        ...

    def read(self, source: Source) -> Iterator[Item]:
        """What the file holds, in its order. Never raises for what a file may hold."""
        ...


READERS: tuple[Reader, ...] = (card_png, card_json, sillytavern)


def reader_for(source: Source) -> Reader | None:
    """The first reader that knows the content."""
    return next((reader for reader in READERS if reader.recognises(source)), None)
