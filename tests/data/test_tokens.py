"""Token counts: the engine's ids for hard texts, SentencePiece's for any text, counters out of GGUF files."""

from __future__ import annotations

import io
import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import gguf
import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from loragui.data.bpe import BpeCounter, byte_letters, cut, pre_tokenizers
from loragui.data.counting import RoughCounter, TokenCounter
from loragui.data.merging import merge
from loragui.data.spm import MARK, SpmCounter
from loragui.data.tokens import counter_for

VECTORS = Path(__file__).parent / "vectors"


@cache
def vectors(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text(encoding="ascii"))
    return value


def bpe(name: str) -> BpeCounter:
    stored = vectors("bpe")
    return BpeCounter("test", stored["pieces"], stored["merges"], pre_tokenizers()[name])


def spm() -> SpmCounter:
    stored = vectors("spm")
    return SpmCounter("test", stored["pieces"], stored["scores"])


@pytest.mark.parametrize("name", sorted(vectors("bpe")["ids"]))
def test_bpe_is_the_engines(name: str) -> None:
    counter = bpe(name)
    assert counter.exact
    for text, ids in zip(vectors("bpe")["texts"], vectors("bpe")["ids"][name], strict=True):
        assert counter.encode(text) == ids, text
        assert counter.count(text) == len(ids)


def test_every_pre_tokenizer_has_vectors_that_tell_it_apart() -> None:
    names = {pre.name for pre in pre_tokenizers().values()}
    ids = vectors("bpe")["ids"]
    assert names == set(ids)
    assert len({json.dumps(value) for value in ids.values()}) == len(names)


def test_spm_is_the_engines() -> None:
    counter = spm()
    assert counter.exact
    for text, ids in zip(vectors("spm")["texts"], vectors("spm")["ids"], strict=True):
        assert counter.encode(text) == ids, text
        assert counter.count(text) == len(ids)


@cache
def trained(*, split: bool) -> sentencepiece.SentencePieceProcessor:
    """A SentencePiece model of Llama's kind; without ``split`` its tokens reach over spaces."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter("".join(vectors("spm")["texts"][:8]).splitlines() * 3),
        model_writer=model,
        model_type="bpe",
        vocab_size=560,
        byte_fallback=True,
        character_coverage=0.98,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_by_whitespace=split,
        num_threads=1,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


@cache
def ours(*, split: bool) -> SpmCounter:
    made = trained(split=split)
    numbers = range(made.vocab_size())
    return SpmCounter("test", [made.id_to_piece(n) for n in numbers], [made.get_score(n) for n in numbers])


words = st.sampled_from([" ", "  ", "\n", "the", "keeper", "'s", "12", "Übermut", "世界", "😀", MARK, "x", "."])
anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@pytest.mark.parametrize("split", [True, False])
@given(text=st.one_of(anything, st.lists(words).map("".join)))
def test_spm_is_sentencepieces(text: str, split: bool) -> None:
    assert ours(split=split).encode(text) == trained(split=split).encode(text)


def test_tokens_over_spaces_are_noticed() -> None:
    assert any(MARK in piece[1:].lstrip(MARK) for piece in ours(split=False)._ids)
    assert ours(split=True)._by_word
    assert not ours(split=False)._by_word


def test_no_text_no_tokens() -> None:
    assert spm().encode("") == []
    assert bpe("gpt-2").encode("") == []


def test_without_a_space_in_front() -> None:
    stored = vectors("spm")
    plain = SpmCounter("test", stored["pieces"], stored["scores"], add_space_prefix=False)
    assert plain.encode(" x") == spm().encode("x")
    assert plain.count("x") == 1


def test_special_tokens_are_plain_text() -> None:
    counter = spm()
    assert counter.count("</s>") > 1
    assert counter.count("a</s>b") > 3


@given(anything)
def test_bpe_loses_no_byte(text: str) -> None:
    pieces = vectors("bpe")["pieces"]
    letters = {letter: byte for byte, letter in byte_letters().items()}
    for name in ("starcoder", "llama-bpe", "default"):
        spelled = "".join(pieces[number] for number in bpe(name).encode(text))
        assert bytes(letters[letter] for letter in spelled).decode() == text


@given(anything)
def test_cutting_loses_nothing(text: str) -> None:
    for pre in pre_tokenizers().values():
        pieces = cut(cut([text], pre.outer), pre.inner)
        assert "".join(pieces) == text
        assert all(pieces)


def test_lone_surrogates_are_counted_too() -> None:
    assert spm().count("\ud800") == 3 + 1
    assert bpe("gpt-2").count("\ud800") == 3


def test_the_leftmost_of_equals_joins_first() -> None:
    assert merge(list("aaaa"), lambda a, b: 1 if a + b == "aa" else None) == ["aa", "aa"]
    assert merge(list("aaa"), lambda a, b: 1 if a + b == "aa" else None) == ["aa", "a"]
    assert merge([], lambda a, b: 1) == []


def test_long_words_take_no_quadratic_time() -> None:
    counter = bpe("starcoder")
    begin = time.perf_counter()
    assert counter.count("keepers" * 20_000) > 20_000
    assert spm().count("keepers" * 20_000) > 20_000
    assert time.perf_counter() - begin < 10


def test_a_megabyte_a_second() -> None:
    text = vectors("bpe")["texts"][0] * 900
    for counter in (bpe("starcoder"), spm()):
        counter.count(text[: len(text) // 900])
        begin = time.perf_counter()
        counter.count(text)
        assert len(text.encode()) / (time.perf_counter() - begin) > 1e6


def write_gguf(path: Path, kind: str, pre: str = "", **left_out: bool) -> Path:
    stored = vectors("spm" if kind == "llama" else "bpe")
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Tiny")
    writer.add_tokenizer_model(kind)
    if pre:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list(stored["pieces"])
    if "scores" in stored and not left_out.get("no_scores"):
        writer.add_token_scores(stored["scores"])
    if "merges" in stored and not left_out.get("no_merges"):
        writer.add_token_merges(stored["merges"])
    if left_out.get("no_space"):
        writer.add_add_space_prefix(False)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def test_counter_of_a_sentencepiece_file(tmp_path: Path) -> None:
    counter: TokenCounter = counter_for(write_gguf(tmp_path / "m.gguf", "llama"))
    assert counter.exact
    assert counter.name == "Tiny vocabulary"
    text = vectors("spm")["texts"][0]
    assert counter.count(text) == len(vectors("spm")["ids"][0])
    bare = counter_for(write_gguf(tmp_path / "n.gguf", "llama", no_space=True))
    assert bare.count(" x") == counter.count("x")


@pytest.mark.parametrize(
    ("pre", "same_as", "exact"),
    [
        ("starcoder", "starcoder", True),
        ("smollm", "starcoder", True),
        ("llama3", "llama-bpe", True),
        ("", "default", True),
        ("something-new", "default", False),
    ],
)
def test_counter_of_a_bpe_file(tmp_path: Path, pre: str, same_as: str, exact: bool) -> None:
    counter = counter_for(write_gguf(tmp_path / "m.gguf", "gpt2", pre))
    assert counter.exact is exact
    for text, ids in zip(vectors("bpe")["texts"], vectors("bpe")["ids"][same_as], strict=True):
        assert counter.count(text) == len(ids)


@pytest.mark.parametrize(("kind", "left_out"), [("llama", "no_scores"), ("gpt2", "no_merges"), ("bert", ""), ("", "")])
def test_unknown_vocabularies_are_counted_roughly(tmp_path: Path, kind: str, left_out: str) -> None:
    counter = counter_for(write_gguf(tmp_path / "m.gguf", kind, **{left_out: True}))
    assert isinstance(counter, RoughCounter)
    assert not counter.exact
