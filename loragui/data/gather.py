"""Read all chosen files into conversations, and give each conversation the card of its character."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from loragui.data.conversation import CharacterCard, Conversation, Place
from loragui.data.readers import Reader, reader_for
from loragui.data.report import FileTotals, Finding
from loragui.data.source import Reached, Source, chosen_files, open_source
from loragui.errors import AppError

Advance = Callable[[float, float, str], None]
"""Is told how much of how much is done, and of what: ``bytes`` or ``messages``."""


def untold(done: float, total: float, unit: str) -> None:
    """For callers that show no progress."""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What all files hold together, in the order of the files."""

    conversations: tuple[Conversation, ...]
    cards: tuple[CharacterCard, ...]
    files: tuple[FileTotals, ...]
    findings: tuple[Finding, ...]


def gather(paths: Sequence[str | os.PathLike[str]], advance: Advance = untold) -> Gathered:
    """Read ``paths`` (files and folders). A file that nothing can read is a finding, not the end."""
    chosen = chosen_files(paths)
    sizes = [_size(path) for path in chosen]
    before, total = 0, sum(sizes)
    advance(0, total, "bytes")
    conversations: list[Conversation] = []
    cards: list[CharacterCard] = []
    files: list[FileTotals] = []
    findings: list[Finding] = []
    for path, size in zip(chosen, sizes, strict=True):
        reader, items = _items_of(path, partial(_advance_from, before, size, total, advance))
        own = [item for item in items if isinstance(item, Conversation)]
        files.append(
            FileTotals(
                file=str(path),
                reader=reader.NAME if reader else "",
                title=reader.TITLE if reader else "",
                conversations=len(own),
                turns=sum(len(conversation.turns) for conversation in own),
            )
        )
        conversations += own
        cards += [item for item in items if isinstance(item, CharacterCard)]
        findings += [item for item in items if isinstance(item, Finding)]
        before += size
        advance(before, total, "bytes")
    joined, about_cards = _with_cards(conversations, cards)
    return Gathered(
        conversations=tuple(joined),
        cards=tuple(cards),
        files=tuple(files),
        findings=(*findings, *about_cards),
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # opening it says why


def _advance_from(before: int, size: int, total: int, advance: Advance, share: float) -> None:
    advance(before + share * size, total, "bytes")


def _items_of(path: Path, reached: Reached) -> tuple[Reader | None, list[Conversation | CharacterCard | Finding]]:
    try:
        source = open_source(path, reached)
    except AppError as error:
        problem = error.problem
        return None, [_dropped(problem.code, str(path), problem.message, problem.hint)]
    reader = reader_for(source)
    if reader is None:
        message = "This file is of no format that loragui can read, so it was left out."
        hint = "Choose SillyTavern chats (.jsonl) or character cards (.json, .png)."
        return None, [_dropped("unknown-format", source.file, message, hint)]
    return reader, [*_about_bytes(source), *reader.read(source)]


def _about_bytes(source: Source) -> Iterator[Finding]:
    """What a person should know about how the bytes became text. Pictures never are asked for their text."""
    decoded = source.__dict__.get("decoded")
    if decoded is not None and (decoded.damaged or decoded.encoding == "cp1252"):
        places = f"; {decoded.damaged} places could not be read and became \ufffd" if decoded.damaged else ""
        yield Finding(
            code="encoding",
            action="repaired",
            place=source.place,
            message=f"The file is not valid UTF-8 and was read as {decoded.encoding}{places}.",
            hint="If letters look wrong in the samples, save the file again as UTF-8.",
        )


def _with_cards(
    conversations: Sequence[Conversation], cards: Sequence[CharacterCard]
) -> tuple[list[Conversation], list[Finding]]:
    """Conversations with the card whose name is their character's; the first of several cards counts."""
    by_name: dict[str, CharacterCard] = {}
    for card in cards:
        for name in (card.name, card.nickname):
            if name:
                by_name.setdefault(name.casefold(), card)
    joined = [
        replace(conversation, card=conversation.card or by_name.get(conversation.character.casefold()))
        for conversation in conversations
    ]
    used = {conversation.card.place for conversation in joined if conversation.card}
    unused = [
        Finding(
            code="card-unused",
            action="noted",
            place=card.place,
            message=f"No chat has a character called {card.name}, so this card was not used.",
            hint="Give the card the character's name as it stands in the chats.",
        )
        for card in cards
        if card.place not in used
    ]
    return joined, unused


def _dropped(code: str, file: str, message: str, hint: str) -> Finding:
    return Finding(code=code, action="dropped", place=Place(file=file), message=message, hint=hint)
