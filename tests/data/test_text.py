"""Bytes to text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.data.text import clean, decode, one_line

TEXT = 'Zoë said: "Жду в кафе — 3 €"\n'


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_same_text_from_every_unicode_encoding(encoding: str) -> None:
    mark = {"utf-32-le": b"\xff\xfe\x00\x00", "utf-32-be": b"\x00\x00\xfe\xff"}.get(encoding, b"")
    text = "Plain words first, " + TEXT
    decoded = decode(mark + text.encode(encoding))
    assert decoded.text == text
    assert decoded.damaged == 0


def test_cp1252_is_the_last_resort() -> None:
    decoded = decode("“Café”, said Zoë".encode("cp1252"))
    assert (decoded.text, decoded.encoding, decoded.damaged) == ("“Café”, said Zoë", "cp1252", 0)


def test_a_damaged_byte_does_not_turn_good_utf8_into_cp1252() -> None:
    decoded = decode("Zoë, Zoë, Zoë".encode() + b"\xff")
    assert decoded.text == "Zoë, Zoë, Zoë\ufffd"
    assert (decoded.encoding, decoded.damaged) == ("utf-8", 1)


def test_a_lone_lead_byte_at_the_end() -> None:
    assert decode(b"caf\xe9").text == "café"


@pytest.mark.parametrize("offset", range(4))
def test_three_byte_characters_over_every_read_boundary(offset: int) -> None:
    text = "a" * (3 * 1024 * 1024 - offset) + "中文"
    assert decode(text.encode()).text == text


def test_clean() -> None:
    assert clean("a\r\nb\rc\td\x00\x07\x1b\ufeffe") == "a\nb\nc\tde"
    assert clean("half \ud83d, whole \U0001f600") == "half \ufffd, whole \U0001f600"
    assert one_line(" A\r\n  b\t") == "A b"


@given(st.binary())
def test_any_bytes_become_writable_text(data: bytes) -> None:
    text = clean(decode(data).text)
    text.encode("utf-8")
    assert "\r" not in text
    assert "\0" not in text


@given(st.text())
def test_utf8_round_trip(text: str) -> None:
    if "\0" not in text and not text.startswith("\ufeff"):
        assert decode(text.encode("utf-8")).text == text
