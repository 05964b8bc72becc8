"""Character cards of all versions, as JSON and inside PNG pictures."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import pytest

from loragui.data.conversation import CharacterCard
from loragui.data.readers import reader_for
from loragui.data.source import Source
from tests.data.chats import read

SIGNATURE = b"\x89PNG\r\n\x1a\n"
FIELDS = {
    "description": "Tall",
    "personality": "Kind",
    "scenario": "A cafe",
    "first_mes": "Hi",
    "mes_example": "x",
}
V1 = {"name": "Amy", **FIELDS}
V2 = {"spec": "chara_card_v2", "spec_version": "2.0", "data": V1}


def card_in(data: bytes, file: str = "card.json") -> tuple[CharacterCard, list[str]]:
    items, findings = read(data, file)
    assert len(items) == 1
    assert isinstance(items[0], CharacterCard)
    return items[0], [finding.code for finding in findings]


def png(*texts: tuple[bytes, Any]) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    parts = [
        chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        chunk(b"IDAT", zlib.compress(b"\0\0")),
    ]
    for keyword, value in texts:
        parts.append(chunk(b"tEXt", keyword + b"\0" + base64.b64encode(json.dumps(value).encode())))
    return SIGNATURE + b"".join(parts) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "value",
    [
        V1,
        V2,
        {**V2, "spec": "chara_card_v3", "spec_version": "3.0"},
        {**V1, "spec": "chara_card_v2", "data": V1, "description": "an old copy"},
        {"char_name": "Amy", "char_persona": "Tall", "world_scenario": "A cafe", "char_greeting": "Hi",
         "example_dialogue": "x", "personality": "Kind"},
    ],
)  # fmt: skip
def test_versions_give_the_same_card(value: dict[str, Any]) -> None:
    card, codes = card_in(json.dumps(value).encode("utf-8-sig"), "card.png")
    assert (card.name, card.description, card.personality, card.scenario) == ("Amy", "Tall", "Kind", "A cafe")
    assert (card.first_message, card.examples) == ("Hi", "x")
    assert codes == []


def test_windows_line_ends_nickname_and_constant_lore() -> None:
    book = {
        "entries": [
            {"content": "second", "constant": True, "enabled": True, "insertion_order": 2},
            {"content": "by key only", "keys": ["x"], "insertion_order": 0},
            {"content": "off", "constant": True, "enabled": False},
            {"content": "first", "constant": True, "insertion_order": 1},
            7,
        ]
    }
    data = {**V1, "description": "a\r\nb", "nickname": "Am", "character_book": book}
    card, _ = card_in(json.dumps({**V2, "spec": "chara_card_v3", "data": data}).encode())
    assert (card.description, card.nickname, card.world) == ("a\nb", "Am", "first\nsecond")


def test_empty_name_takes_the_files_name_and_says_so() -> None:
    card, codes = card_in(json.dumps({**V2, "data": {**V1, "name": ""}}).encode(), "some/Seraphina.json")
    assert card.name == "Seraphina"
    assert codes == ["card-without-name"]


def test_png_card_behind_the_picture_data() -> None:
    card, codes = card_in(png((b"Chara", V2)), "seraphina.png")
    assert (card.name, codes) == ("Amy", [])


def test_newer_card_in_the_same_png_wins() -> None:
    newer = {**V2, "spec": "chara_card_v3", "data": {**V1, "description": "New"}}
    assert card_in(png((b"chara", V2), (b"ccv3", newer)))[0].description == "New"
    assert card_in(png((b"chara", V2), (b"ccv3", ["damaged"])))[0].description == "Tall"


@pytest.mark.parametrize("data", [png(), png((b"chara", 7)), png((b"chara", V2))[:60], SIGNATURE + b"\xff" * 30])
def test_png_without_a_card_is_said(data: bytes) -> None:
    items, findings = read(data, "picture.png")
    assert items == []
    assert [finding.code for finding in findings] == ["picture-without-card"]


@pytest.mark.parametrize(
    "value", [{"name": "x"}, {"description": "x", "scenario": "y"}, {"spec": "chara_card_v2"}, [V1]]
)
def test_other_json_is_not_a_card(value: Any) -> None:
    assert reader_for(Source(file="card.json", data=json.dumps(value).encode())) is None
