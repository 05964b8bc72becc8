"""Public cases in which other programs failed on real data; the numbers are those of facts/data-cases.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loragui.data.folder import write_prepared
from loragui.data.prepare import Prepared, prepare
from loragui.data.template import load_template
from loragui.errors import AppError
from tests.data.chats import HEADER, WordCounter, chat_file, jsonl, row, said

GUIDE = load_template()


def made(path: Path, context: int = 300) -> Prepared:
    return prepare([path], GUIDE, context, WordCounter())


def replies(path: Path, context: int = 300) -> list[str]:
    return [sample.reply.strip() for sample in made(path, context).samples]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_4_and_8_the_same_samples_from_every_encoding(tmp_path: Path, encoding: str) -> None:
    rows = [HEADER, said("Привет, как дела? 中文 \U0001f600"), row("Хорошо — спасибо!")]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in rows)
    path = tmp_path / "chat.jsonl"
    path.write_bytes(text.encode(encoding))
    written = write_prepared(tmp_path / "out", made(path))
    content = written.path.read_bytes().decode("utf-8")
    assert content.startswith("<s>Below")
    assert "\ufeff" not in content
    assert content.endswith("John: Привет, как дела? 中文 \U0001f600\n\n### Response:\nAmy: Хорошо — спасибо!")


def test_10_and_40_length_is_never_an_error_and_never_silent(tmp_path: Path) -> None:
    path = chat_file(tmp_path, said("Hi"), row("A sentence of words. " * 50_000), said("Bye"))
    prepared = made(path)
    assert len(prepared.samples) == 2
    assert prepared.report.counts() == {"reply-shortened": 1, "history-cut": 1}


def test_16_other_types_in_one_column(tmp_path: Path) -> None:
    path = chat_file(tmp_path, said("Hi"), row(5), said(["a", "b"]), row({"a": [1]}), row([["x"]]), row("End"))
    assert replies(path) == ["5", "a\nb", "End"]
    assert [finding.place.line for finding in made(path).report.findings] == [5, 6]


def test_18_empty_reply_is_dropped_and_counted(tmp_path: Path) -> None:
    path = chat_file(tmp_path, said("Hi"), row(""), row("Hello"))
    assert replies(path) == ["Hello"]
    assert made(path).report.totals.dropped == 1


def test_20_a_chat_that_ends_with_the_user(tmp_path: Path) -> None:
    path = chat_file(tmp_path, said("Hi"), row("Hello"), said("Still there?"))
    assert replies(path) == ["Hello", "Still there?"]
    assert [s.reply for s in prepare([path], GUIDE, 300, WordCounter(), both_speakers=False).samples] == [" Hello"]


def test_22_equal_prompts_are_no_duplicates(tmp_path: Path) -> None:
    chat_file(tmp_path, said("Hi"), row("One"), name="a.jsonl")
    chat_file(tmp_path, said("Hi"), row("Two"), name="b.jsonl")
    chat_file(tmp_path, said("Hi"), row("One"), name="c.jsonl")
    assert replies(tmp_path) == ["One", "Two"]


def test_24_byte_order_mark_in_the_first_line_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + jsonl(HEADER, said("Hi"), row("Hello")))
    before = path.read_bytes()
    assert replies(path) == ["Hello"]
    assert path.read_bytes() == before


def test_26_only_a_header(tmp_path: Path) -> None:
    header = {"chat_metadata": {"integrity": "x"}, "user_name": "unused", "character_name": "unused"}
    with pytest.raises(AppError) as caught:
        made(chat_file(tmp_path, header=header))
    assert "holds no messages" in caught.value.problem.details


def test_28_lines_of_json_with_the_ending_json(tmp_path: Path) -> None:
    assert replies(chat_file(tmp_path, said("Hi"), row("Hello"), name="chat.json")) == ["Hello"]


def test_36_characters_over_three_megabytes(tmp_path: Path) -> None:
    filler = "x" * (3 * 1024 * 1024 - 200)
    path = chat_file(tmp_path, said("Hi"), row("中文" * 100 + filler), said("中"))
    assert replies(path)[-1] == "中"
    assert "\ufffd" not in made(path).samples[0].text


def test_38_damaged_json_says_where(tmp_path: Path) -> None:
    path = chat_file(tmp_path, '{"name": "Amy", "mes": "Hi",}')
    with pytest.raises(AppError) as caught:
        made(path)
    assert "line 2: This line could not be read" in caught.value.problem.details
    assert "column" in caught.value.problem.details
