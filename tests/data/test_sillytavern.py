"""SillyTavern chats with all their quirks."""

from __future__ import annotations

import json

import pytest

from loragui.data.readers import reader_for
from loragui.data.source import Source
from tests.data.chats import HEADER, conversation_of, jsonl, read, row, said


def texts(data: bytes) -> list[tuple[str, str, str]]:
    return [(turn.speaker, turn.role, turn.text) for turn in conversation_of(data).turns]


def codes(data: bytes) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.place.line) for finding in read(data)[1]]


def test_plain_chat_and_places() -> None:
    conversation = conversation_of(jsonl(HEADER, row("Hi"), said("Hello"), row("Bye")))
    assert [(turn.speaker, turn.text, turn.place.line) for turn in conversation.turns] == [
        ("Amy", "Hi", 2),
        ("John", "Hello", 3),
        ("Amy", "Bye", 4),
    ]
    assert (conversation.user, conversation.character, conversation.title) == ("John", "Amy", "chat")


def test_edited_message_counts_not_its_swipes_or_translation() -> None:
    extra = {"display_text": "Hallo", "reasoning": "I think", "type": None}
    assert texts(jsonl(HEADER, row("Edited", swipes=["one", "two"], swipe_id=0, extra=extra))) == [
        ("Amy", "character", "Edited")
    ]


def test_hidden_rows_and_narrator() -> None:
    data = jsonl(
        HEADER,
        row("Group chat created", is_group=True, is_system=True),
        said("Hi"),
        row("Night falls.", extra={"type": "narrator"}),
        row("a note", is_system=True, extra={"type": "comment"}),
    )
    assert texts(data) == [("John", "user", "Hi"), ("Amy", "narrator", "Night falls.")]
    assert codes(data) == [("hidden", 2), ("hidden", 5)]


def test_bad_lines_are_reported_and_the_rest_is_read() -> None:
    data = jsonl(HEADER, said("Hi"), '{"name":"Amy","mes":"cut o', "[1, 2]", "not json", '{"a": 1}', row("Bye"))
    assert [text for *_, text in texts(data)] == ["Hi", "Bye"]
    assert codes(data) == [("bad-line", 3), ("bad-line", 4), ("bad-line", 5), ("no-message", 6)]
    finding = read(data)[1][0]
    assert "column" in finding.message
    assert finding.hint
    assert str(finding).startswith("chat.jsonl, line 3: ")


def test_byte_order_mark_and_windows_line_ends() -> None:
    data = b"\xef\xbb\xbf" + jsonl(HEADER, said("Hi"), row("a\r\nb")).replace(b"\n", b"\r\n")
    assert texts(data) == [("John", "user", "Hi"), ("Amy", "character", "a\nb")]
    assert codes(data) == []


def test_only_a_header_means_no_messages() -> None:
    data = jsonl({"chat_metadata": {}, "user_name": "unused", "character_name": "unused"})
    items, findings = read(data)
    assert items == []
    assert [(finding.code, finding.place.line) for finding in findings] == [("no-messages", None)]


def test_unused_is_never_a_name() -> None:
    header = {**HEADER, "user_name": "unused", "character_name": "unused"}
    assert texts(jsonl(header, said("I am {{user}}", name=""), row("Hi {{user}}", name=""))) == [
        ("User", "user", "I am User"),
        ("Character", "character", "Hi User"),
    ]


def test_header_names_are_used_when_rows_have_none() -> None:
    assert texts(jsonl(HEADER, said("Hi", name=""), row("Hi", name=""))) == [
        ("John", "user", "Hi"),
        ("Amy", "character", "Hi"),
    ]


def test_group_chat_without_header_keeps_every_speaker() -> None:
    data = jsonl(row("Hi", name="Amy", original_avatar="a.png"), row("Ho", name="Bob"), said("Both here?"))
    assert [name for name, *_ in texts(data)] == ["Amy", "Bob", "John"]


def test_placeholders_take_the_names_of_their_row() -> None:
    data = jsonl(
        HEADER,
        row("Hello {{user}}, I am {{char}}. <USER> and <BOT>."),
        said("{{User}} here", name="Max"),
        row("{{CHAR}} greets {{user}}", name="Bob"),
        row("Amy again"),
    )
    assert [text for *_, text in texts(data)] == [
        "Hello Max, I am Amy. Max and Amy.",
        "Max here",
        "Bob greets Max",
        "Amy again",
    ]


def test_meaningless_placeholders_go_and_unknown_braces_stay() -> None:
    data = jsonl(HEADER, said("It is {{time}}.{{// a note}} Use {{ item.name }} in jinja."))
    assert [text for *_, text in texts(data)] == ["It is . Use {{ item.name }} in jinja."]
    assert codes(data) == [("placeholder", 2)]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("<think>hm\nhm</think>\nYes", "Yes"),
        ("<THINKING>x</THINKING>Yes", "Yes"),
        ("Yes <think>no</think>", "Yes <think>no</think>"),
    ],
)
def test_reasoning_at_the_start_is_not_trained(raw: str, shown: str) -> None:
    assert [text for *_, text in texts(jsonl(HEADER, row(raw)))] == [shown]


def test_empty_messages_are_dropped_and_said() -> None:
    data = jsonl(HEADER, said("Hi"), row(""), row("  \n"), row(None), row("<think>only"), row("Bye"))
    assert [text for *_, text in texts(data)] == ["Hi", "Bye"]
    assert codes(data) == [("empty-message", line) for line in (3, 4, 5, 6)]


def test_old_and_other_writers() -> None:
    """CAI-Tools and TavernAI: no is_system, ``is_name``, dates of all kinds, order is the file's order."""
    dates = ["April 26, 2024 6:06am", "2024-4-26 @06h 06m 00s 000ms", 1714111560000, "2020-01-01T00:00:00Z"]
    rows = [
        {"name": "Amy", "is_user": False, "is_name": True, "send_date": date, "mes": f"m{index}"}
        for index, date in enumerate(dates)
    ]
    assert [text for *_, text in texts(jsonl({"user_name": "You", "character_name": "Amy"}, *rows))] == [
        "m0", "m1", "m2", "m3",
    ]  # fmt: skip


def test_chub_messages_are_objects() -> None:
    assert texts(jsonl(HEADER, row({"message": "Hi"}))) == [("Amy", "character", "Hi")]


def test_values_of_other_types() -> None:
    data = jsonl(HEADER, said(7), row(["a", "b"]), row({"x": 1}), row(True))
    assert [text for *_, text in texts(data)] == ["7", "a\nb"]
    assert codes(data) == [("empty-message", 4), ("empty-message", 5)]


def test_half_characters_and_control_characters() -> None:
    line = '{"name":"A\\nmy","is_user":false,"mes":"smile \\ud83d\\u0000 and \\ud83d\\ude00 tab\there"}'
    assert texts(jsonl(HEADER, line)) == [("A my", "character", "smile \ufffd and \U0001f600 tab\there")]


def test_unicode_line_separators_do_not_split_rows() -> None:
    line = json.dumps(row("a\u2028b\x85c"), ensure_ascii=False)
    assert texts(jsonl(HEADER, line)) == [("Amy", "character", "a\u2028b\x85c")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"Just a text",
        b'{"instruction": "x", "output": "y"}',
        b"[]",
        b"null",
        b"[" * 100_000,
        b"{" * 9,
    ],
)
def test_other_content_is_not_recognised(data: bytes) -> None:
    assert reader_for(Source(file="x.jsonl", data=data)) is None
