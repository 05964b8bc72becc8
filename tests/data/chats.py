"""Small chats and counters for the tests of the data step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from loragui.data.conversation import Conversation, Place, Role, Turn
from loragui.data.readers import reader_for
from loragui.data.report import Finding
from loragui.data.source import Source

if TYPE_CHECKING:
    from pathlib import Path

    from loragui.data.readers import Item

HEADER = {
    "user_name": "John",
    "character_name": "Amy",
    "create_date": "2024-7-12@01h31m37s",
    "chat_metadata": {},
}


class WordCounter:
    """One token for each space-separated word and each line end: simple enough to check by hand."""

    name = "words"
    exact = True

    def count(self, text: str) -> int:
        return len(text.replace("\n", " \n ").split(" "))


def row(mes: Any, *, name: str = "Amy", user: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "is_user": user,
        "is_system": False,
        "send_date": "x",
        "mes": mes,
        "extra": {},
        **more,
    }


def said(mes: Any, name: str = "John", **more: Any) -> dict[str, Any]:
    return row(mes, name=name, user=True, **more)


def jsonl(*rows: Any) -> bytes:
    return "\n".join(line if isinstance(line, str) else json.dumps(line) for line in rows).encode()


def chat_file(folder: Path, *rows: Any, name: str = "chat.jsonl", header: Any = HEADER) -> Path:
    path = folder / name
    path.write_bytes(jsonl(*([header] if header else []), *rows))
    return path


def read(data: bytes, file: str = "chat.jsonl") -> tuple[list[Item], list[Finding]]:
    source = Source(file=file, data=data)
    reader = reader_for(source)
    assert reader is not None
    items = list(reader.read(source))
    return [item for item in items if not isinstance(item, Finding)], [f for f in items if isinstance(f, Finding)]


def conversation_of(data: bytes) -> Conversation:
    items, _ = read(data)
    assert len(items) == 1
    assert isinstance(items[0], Conversation)
    return items[0]


def talk(*texts: str, names: tuple[str, str] = ("John", "Amy")) -> Conversation:
    """A conversation whose first turn is the user's."""
    roles: tuple[Role, Role] = ("user", "character")
    turns = tuple(
        Turn(
            speaker=names[index % 2],
            role=roles[index % 2],
            text=text,
            place=Place(file="talk", line=index + 2),
        )
        for index, text in enumerate(texts)
    )
    return Conversation(turns=turns, source=Place(file="talk"))
