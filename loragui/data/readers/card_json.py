"""Character cards as JSON: V1 (fields at the top), V2 and V3 (fields under ``data``), and Pygmalion's older
names.

Formats: malfoyslastname/character-card-spec-v2 (spec_v1.md, spec_v2.md) and kwaroran/character-card-spec-v3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loragui.data.conversation import CharacterCard, Place
from loragui.data.jsontext import NotJson, parse, text_of
from loragui.data.report import Finding
from loragui.data.source import Source
from loragui.data.text import clean, one_line

NAME = "character-card"
TITLE = "Character card (JSON)"

_V1_KEYS = {"description", "personality", "scenario", "first_mes", "mes_example"}
_FIELDS = {
    "name": ("name", "char_name"),
    "description": ("description", "char_persona"),
    "personality": ("personality",),
    "scenario": ("scenario", "world_scenario"),
    "first_message": ("first_mes", "char_greeting"),
    "examples": ("mes_example", "example_dialogue"),
    "system_prompt": ("system_prompt",),
    "nickname": ("nickname",),
}
_ONE_LINE = ("name", "nickname")


def is_card(value: Any) -> bool:
    """Whether a JSON value looks like a card of any version."""
    if not isinstance(value, dict):
        return False
    if str(value.get("spec", "")).startswith("chara_card_v") and isinstance(value.get("data"), dict):
        return True
    if "char_name" in value and ("char_persona" in value or "char_greeting" in value):
        return True
    return "name" in value and len(_V1_KEYS & value.keys()) >= 2


def recognises(source: Source) -> bool:
    """A JSON object with a card's keys."""
    head = source.text[:2000].lstrip()
    return head.startswith("{") and is_card(_value(source))


def read(source: Source) -> Iterator[CharacterCard | Finding]:
    """The one card of the file."""
    yield from card_of(_value(source), source.place, source.stem)


def _value(source: Source) -> Any:
    try:
        return parse(source.text)
    except NotJson:
        return None


def card_of(value: Mapping[str, Any], place: Place, stem: str) -> Iterator[CharacterCard | Finding]:
    """The card in ``value``. A card without a name is called after its file (``stem``)."""
    nested = value.get("data")
    data = nested if isinstance(nested, dict) else value
    fields: dict[str, str] = {}
    for field, keys in _FIELDS.items():
        raw = next((text for key in keys if (text := text_of(data.get(key)) or text_of(value.get(key)))), "")
        fields[field] = one_line(raw) if field in _ONE_LINE else clean(raw).strip()
    if not fields["name"]:
        fields["name"] = one_line(stem) or "Character"
        yield Finding(
            code="card-without-name",
            action="repaired",
            place=place,
            message=f"The character card has no name; it is called {fields['name']} after its file.",
            hint="Write the name into the card if the character is called differently in the chats.",
        )
    yield CharacterCard(place=place, world=_constant_entries(data.get("character_book")), **fields)


def _constant_entries(book: Any) -> str:
    """The entries of a lorebook that always apply, in their order."""
    entries = book.get("entries") if isinstance(book, dict) else None
    rows = [
        row
        for row in (entries if isinstance(entries, list) else [])
        if isinstance(row, dict) and row.get("constant") is True and row.get("enabled") is not False
    ]
    rows.sort(key=lambda row: order if isinstance(order := row.get("insertion_order"), int | float) else 0)
    texts = (clean(text_of(row.get("content"))).strip() for row in rows)
    return "\n".join(text for text in texts if text)
