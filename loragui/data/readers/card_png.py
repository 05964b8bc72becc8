"""Character cards inside PNG pictures: a text chunk ``ccv3`` (preferred) or ``chara`` with base64 of the
JSON.

The chunks are walked here, because chat programs write them behind the picture data, where picture libraries
do not look at first.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from loragui.data.conversation import CharacterCard
from loragui.data.jsontext import NotJson, parse
from loragui.data.readers import card_json
from loragui.data.report import Finding
from loragui.data.source import Source
from loragui.data.text import decode

NAME = "character-card-png"
TITLE = "Character card (PNG picture)"

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORDS = (b"ccv3", b"chara")


def recognises(source: Source) -> bool:
    """The signature of a PNG file; whether a card is inside is said by ``read``."""
    return source.data.startswith(_SIGNATURE)


def read(source: Source) -> Iterator[CharacterCard | Finding]:
    """The card inside the picture, or a finding that there is none that can be read."""
    texts = _text_chunks(source.data)
    for keyword in _KEYWORDS:
        value = _card_value(texts.get(keyword))
        if value is not None:
            yield from card_json.card_of(value, source.place, source.stem)
            return
    yield Finding(
        code="picture-without-card",
        action="dropped",
        place=source.place,
        message="This picture holds no character card that can be read.",
        hint="Save the character again as PNG or JSON from your chat program; edited pictures lose the card.",
    )


def _text_chunks(data: bytes) -> dict[bytes, bytes]:
    """The tEXt chunks by lower-case keyword; stops at the end or at the first damaged length."""
    found: dict[bytes, bytes] = {}
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        if kind == b"tEXt" and len(body) == size:
            keyword, _, text = body.partition(b"\0")
            found[keyword.lower()] = text
        at += 12 + size
    return found


def _card_value(text: bytes | None) -> dict[str, object] | None:
    try:
        value = parse(decode(base64.b64decode(text or b"")).text)
    except (NotJson, binascii.Error):
        return None
    return value if isinstance(value, dict) and card_json.is_card(value) else None
