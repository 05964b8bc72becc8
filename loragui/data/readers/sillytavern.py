"""SillyTavern and TavernAI chats: one JSON object a line, the message in ``mes``; also Chub's, and group
chats.

The first line may be a header; its names are not used when the rows have names (newer versions write
``unused``). ``mes`` is what the person saw and edited; swipes, translations and reasoning are not read. Rows
with ``is_system`` are hidden from the model by SillyTavern, so they are hidden here too. Order is the file's
order, never the dates. Format: SillyTavern 1.12.6 script.js (saveChat) and src/endpoints/chats.js.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from loragui.data import macros
from loragui.data.conversation import DEFAULT_CHARACTER, DEFAULT_USER, Conversation, Place, Role, Turn
from loragui.data.jsontext import NotJson, parse, text_of
from loragui.data.report import Finding
from loragui.data.source import Source
from loragui.data.text import clean, one_line

NAME = "sillytavern-chat"
TITLE = "SillyTavern chat"

_LOOKED_AT = 25  # lines searched for the signature
_FIRST_PASS = 0.3  # of the reading time is spent on learning the names
_PLACEHOLDER_NAMES = {"", "unused"}


def recognises(source: Source) -> bool:
    """A header with ``user_name`` or ``chat_metadata``, or a row with ``mes``, among the first lines."""
    for seen, (_, line) in enumerate(source.lines()):
        if seen == _LOOKED_AT:
            return False
        if line.startswith("{") and ('"mes"' in line or '"chat_metadata"' in line or '"user_name"' in line):
            value = _object(line)
            if value is not None and (_is_header(value) or "mes" in value):
                return True
    return False


def read(source: Source) -> Iterator[Conversation | Finding]:
    """The one conversation of the file, after the findings about its rows.

    The names must be known before the first message is read, so the lines are read twice; keeping them all
    would take much more memory and, for a large chat, more time.
    """
    chat = _Chat(source=source)
    for number, line in source.lines(last=_FIRST_PASS):
        value = _object(line)
        place = Place(file=source.file, line=number)
        if value is None:
            yield _bad_line(place, line)
        elif "mes" in value:
            chat.count_name(value)
        elif _is_header(value):
            chat.header = chat.header or value
        else:
            yield _dropped("no-message", place, "This line holds no message, so it was left out.")
    chat.choose_names()
    turns: list[Turn] = []
    for number, line in source.lines(first=_FIRST_PASS, last=1.0):
        value = _object(line)
        if value is None or "mes" not in value:
            continue
        for item in chat.turns(Place(file=source.file, line=number), value):
            if isinstance(item, Turn):
                turns.append(item)
            else:
                yield item
    if turns:
        yield Conversation(turns=tuple(turns), source=source.place, title=source.stem)
    else:
        yield _dropped("no-messages", source.place, "This chat holds no messages.", "Leave it out, or choose another.")


@dataclass(kw_only=True)
class _Chat:
    """The names of one chat while its rows are read: the persona may change from row to row."""

    source: Source
    header: Mapping[str, Any] | None = None
    user: str = DEFAULT_USER
    character: str = DEFAULT_CHARACTER
    _current_user: str = ""
    _users: Counter[str] = field(default_factory=Counter)
    _characters: Counter[str] = field(default_factory=Counter)

    def count_name(self, row: Mapping[str, Any]) -> None:
        """Note who speaks in ``row``."""
        role, name = _role(row), one_line(text_of(row.get("name")))
        if name and role in ("user", "character"):
            (self._users if role == "user" else self._characters)[name] += 1

    def choose_names(self) -> None:
        """The most frequent names of both sides; the header's only if no row has one."""
        header = self.header or {}
        self.user = _first_name(self._users, header.get("user_name"), DEFAULT_USER)
        self.character = _first_name(self._characters, header.get("character_name"), DEFAULT_CHARACTER)
        self._current_user = next(iter(self._users), self.user)

    def turns(self, place: Place, row: Mapping[str, Any]) -> Iterator[Turn | Finding]:
        """The turn of one row, or why it has none."""
        role = _role(row)
        if role == "system":
            message = "This line is hidden in the chat (a system or hidden message), so it was left out."
            yield _dropped("hidden", place, message, "Unhide it in SillyTavern if it belongs to the story.")
            return
        name = one_line(text_of(row.get("name")))
        if role == "user":
            name = self._current_user = name or self.user
        elif role == "character":
            name = name or self.character
        raw = row["mes"]
        text = text_of(raw.get("message") if isinstance(raw, dict) else raw)
        character = name if role == "character" else self.character
        if macros.holds_others(text):
            yield Finding(
                code="placeholder",
                action="repaired",
                place=place,
                message="This message holds a placeholder that means nothing here; it was taken out.",
            )
        text = macros.fill(macros.without_thinking(text), user=self._current_user, character=character)
        text = clean(text).strip()
        if text:
            yield Turn(speaker=name, role=role, text=text, place=place)
        else:
            yield _dropped("empty-message", place, "This message is empty, so it was left out.")


def _first_name(names: Counter[str], header: Any, default: str) -> str:
    if names:
        return names.most_common(1)[0][0]
    name = one_line(text_of(header))
    return default if name.lower() in _PLACEHOLDER_NAMES else name


def _role(row: Mapping[str, Any]) -> Role:
    if row.get("is_system") is True:
        return "system"
    extra = row.get("extra")
    if isinstance(extra, dict) and extra.get("type") == "narrator":
        return "narrator"
    return "user" if row.get("is_user") is True else "character"


def _is_header(value: Mapping[str, Any]) -> bool:
    return "mes" not in value and ("chat_metadata" in value or "user_name" in value)


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = parse(line)
    except NotJson:
        return None
    return value if isinstance(value, dict) else None


def _bad_line(place: Place, line: str) -> Finding:
    try:
        parse(line)
        why = "it is not a JSON object"
    except NotJson as error:
        why = str(error)
    return _dropped(
        "bad-line",
        place,
        f"This line could not be read ({why}), so it was left out.",
        "Open the chat in SillyTavern and save it again, or correct the line.",
    )


def _dropped(code: str, place: Place, message: str, hint: str = "") -> Finding:
    return Finding(code=code, action="dropped", place=place, message=message, hint=hint)
