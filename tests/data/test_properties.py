"""Whatever the files hold: no crash, and the rules of the samples hold."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loragui.data.conversation import Conversation
from loragui.data.marker import marked_text, split_marked
from loragui.data.prepare import prepare
from loragui.data.readers import READERS, sillytavern
from loragui.data.report import Finding
from loragui.data.samples import RESERVED
from loragui.data.source import Source
from loragui.data.template import load_template
from loragui.data.text import clean, one_line
from loragui.errors import AppError
from tests.data.chats import HEADER, WordCounter, jsonl, row, said

GUIDE = load_template()
WORDS = st.text(st.sampled_from("abc é中\U0001f600\ud83d<s>{}\"'\n\r\t\0*|"), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    "name",
    "is_user",
    "is_system",
    "mes",
    "extra",
    "user_name",
    "chat_metadata",
    "spec",
    "data",
    "description",
)
ROW = st.dictionaries(st.sampled_from(KEYS), JSON | st.sampled_from(["chara_card_v2", {"type": "narrator"}, True]))
LINES = st.lists(ROW.map(json.dumps) | WORDS | st.just(json.dumps(HEADER)), max_size=8)
TALK = st.lists(st.tuples(st.booleans(), WORDS, WORDS), max_size=12)


def prepared(data: bytes, context: int) -> None:
    """Prepare one file and check every rule, unless nothing can be trained on."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.jsonl")
        path.write_bytes(data)
        try:
            result = prepare([path], GUIDE, context, WordCounter())
        except AppError:
            return
        assert path.read_bytes() == data
    texts = [sample.text for sample in result.samples]
    text = marked_text(texts, result.report.marker)
    text.encode("utf-8")
    assert split_marked(text, result.report.marker) == tuple(texts)
    assert len(set(texts)) == len(texts)
    for sample in result.samples:
        assert sample.reply.strip()
        assert sample.tokens == WordCounter().count(sample.text) <= context - RESERVED
        assert sample.place.line is not None


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for source in (Source(file="x", data=data), Source(file="x", data=b"\x89PNG\r\n\x1a\n" + data)):
        for reader in READERS:
            reader.recognises(source)
            list(reader.read(source)) if reader.recognises(source) else None
    prepared(data, 100)


@given(LINES, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]), st.integers(32, 200))
def test_any_rows(lines: list[str], encoding: str, context: int) -> None:
    prepared("\n".join(lines).encode(encoding, "replace"), context)


@given(TALK, st.integers(32, 200))
def test_sample_rules_hold_for_any_chat(talk: list[tuple[bool, str, str]], context: int) -> None:
    rows: list[Any] = [said(text, name=name) if user else row(text, name=name) for user, name, text in talk]
    prepared(jsonl(HEADER, *rows), context)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["Amy", "Bob"]), WORDS), max_size=12))
def test_any_turns_round_trip(talk: list[tuple[bool, str, str]]) -> None:
    rows = [said(text, name=name) if user else row(text, name=name) for user, name, text in talk]
    expected = [
        (one_line(name), "user" if user else "character", clean(text).strip())
        for user, name, text in talk
        if clean(text).strip()
    ]
    items = list(sillytavern.read(Source(file="x", data=jsonl(HEADER, *rows))))
    turns = [turn for item in items if isinstance(item, Conversation) for turn in item.turns]
    assert [(turn.speaker, turn.role, turn.text) for turn in turns] == expected
    dropped = [item for item in items if isinstance(item, Finding) and item.place.line]
    assert len(turns) + len(dropped) == len(rows)
