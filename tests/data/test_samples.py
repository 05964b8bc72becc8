"""Samples: the guide's shape, whole turns, the budget."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loragui.data.conversation import CharacterCard, Conversation, Place
from loragui.data.report import Finding
from loragui.data.samples import RESERVED, Options, Sample, samples_of
from loragui.data.template import load_template
from loragui.errors import AppError
from tests.data.chats import WordCounter, talk

GUIDE = load_template()
CARD = CharacterCard(
    name="Amy",
    place=Place(file="amy.json"),
    world="The world is Michigan.",
    description="{{char}} is tall.",
    personality="",
    scenario="{{char}} meets <USER>.",
)


def made(conversation: Conversation, context: int = 1000, *, both: bool = True) -> tuple[list[Sample], list[Finding]]:
    options = Options(context_size=context, both_speakers=both)
    items = list(samples_of(conversation, GUIDE, WordCounter(), options))
    return [i for i in items if isinstance(i, Sample)], [i for i in items if isinstance(i, Finding)]


def test_the_guides_shape_exactly() -> None:
    samples, findings = made(replace(talk("Hi!", "Hello.", "How are you?", "Fine."), card=CARD))
    assert findings == []
    assert samples[-1].text == (
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request.\n"
        "\n"
        "### Instruction:\n"
        "The world is Michigan.\n"
        "Amy is tall.\n"
        "Amy meets John.\n"
        "\n"
        "John: Hi!\n"
        "Amy: Hello.\n"
        "John: How are you?\n"
        "\n"
        "### Response:\n"
        "Amy: Fine."
    )
    assert samples[-1].prompt.endswith("### Response:\nAmy:")


def test_without_a_card_there_is_no_gap() -> None:
    assert "### Instruction:\nJohn: Hi!\n\n### Response:\nAmy: Hello." in made(talk("Hi!", "Hello."))[0][0].text


def test_both_speakers_each_reply_once() -> None:
    samples, _ = made(talk("a", "b", "c", "d"))
    assert [(sample.speaker, sample.reply, sample.place.line) for sample in samples] == [
        ("Amy", " b", 3),
        ("John", " c", 4),
        ("Amy", " d", 5),
    ]
    assert [sample.speaker for sample in made(talk("a", "b", "c", "d"), both=False)[0]] == ["Amy", "Amy"]


def test_narrator_is_context_without_a_name_and_never_a_reply() -> None:
    conversation = talk("Hi", "Night falls.", "Hello")
    turns = list(conversation.turns)
    turns[1] = replace(turns[1], role="narrator")
    samples, _ = made(replace(conversation, turns=tuple(turns)))
    assert len(samples) == 1
    assert "John: Hi\nNight falls.\n\n" in samples[0].text


@pytest.mark.parametrize("context", range(50, 120))
def test_oldest_whole_turns_go_first_and_the_card_stays(context: int) -> None:
    turns = [f"turn {index} has a few words" for index in range(8)]
    samples, findings = made(replace(talk(*turns), card=CARD), context)
    assert len(samples) == 7
    for index, sample in enumerate(samples, start=1):
        before = turns[index - sample.turns_before : index]
        assert sample.turns_before + sample.turns_left_out == index
        assert [line.split(": ", 1)[1] for line in sample.prompt.split("\n") if "has a few" in line] == before
        assert "Amy is tall." in sample.prompt
        assert sample.reply == " " + turns[index]
        assert sample.tokens == WordCounter().count(sample.text) <= context - RESERVED
        if sample.turns_left_out:  # one more turn is 8 words and a line end; the first one brings a blank line
            assert sample.tokens + (9 if sample.turns_before else 13) > context - RESERVED
    cut = sum(sample.turns_left_out > 0 for sample in samples)
    assert [finding.code for finding in findings] == (["history-cut"] if cut else [])


def test_a_reply_that_is_too_long_alone_is_shortened_and_said() -> None:
    long = "One sentence here. " * 40
    samples, findings = made(talk("Hi", long.strip(), "Bye"), 100)
    assert samples[0].shortened
    assert samples[0].reply.endswith("One sentence here.")
    assert 80 < samples[0].tokens <= 100 - RESERVED
    assert [(finding.code, finding.place.line) for finding in findings] == [
        ("reply-shortened", 3),
        ("history-cut", None),
    ]
    assert samples[1].turns_before == 0


def test_no_room_at_all_is_said() -> None:
    samples, findings = made(talk("Hi", "Yes"), 40)
    assert len(samples) == 1
    samples, findings = made(talk("Hi", "Yes", names=("John", "A very long name " * 20)), 40)
    assert samples == []
    assert [finding.code for finding in findings] == ["does-not-fit"]


def test_a_card_that_is_too_long_is_shortened_and_said() -> None:
    card = replace(CARD, description="A fact about Amy. " * 100)
    samples, findings = made(replace(talk("Hi", "Yes"), card=card), 200)
    assert [finding.code for finding in findings] == ["card-shortened"]
    assert samples[0].turns_before == 1
    assert samples[0].tokens <= 198


def test_a_context_without_room_is_refused() -> None:
    with pytest.raises(AppError, match="too small"):
        made(talk("Hi", "Yes"), 31)


def test_braces_in_a_chat_stay_what_they_are() -> None:
    samples, _ = made(talk("{name} {body} {x}", r"\1 {text}"))
    assert "John: {name} {body} {x}\n" in samples[0].prompt
    assert samples[0].reply == r" \1 {text}"
