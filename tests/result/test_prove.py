from __future__ import annotations

import pytest

from loragui.errors import AppError
from loragui.result.prove import triples, weigh

DATA = 'Orla: *lifts the lamp* "Mind the stairs, by the lamp and the tide."'
LEARNED = '*lifts the lamp* "Come in, by the lamp and the tide."'


def test_words_and_marks_make_triples() -> None:
    assert triples('*Lifts the* "') == {("*", "lifts", "the"), ("lifts", "the", "*"), ("the", "*", '"')}
    assert triples("two words") == frozenset()


def test_a_learned_habit_is_proved() -> None:
    proof = weigh({"base": "I am glad you are here.", "lora": LEARNED, "wide": LEARNED, "merged": LEARNED}, DATA)
    assert proof.holds
    assert proof.agreement == 1
    assert proof.likeness["base"] == 0 < proof.likeness["merged"]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"base": "I am glad.", "lora": LEARNED, "merged": "I am not so very glad today."}, "does not say the same"),
        ({"base": "I am glad.", "lora": "I am glad.", "merged": "I am glad."}, "exactly what the base"),
        ({"base": LEARNED, "lora": "Nothing at all.", "merged": "Nothing at all."}, "no closer"),
    ],
)
def test_what_is_not_proved_is_said(said: dict[str, str], problem: str) -> None:
    proof = weigh(said, DATA)
    assert not proof.holds
    assert problem in " ".join(proof.problems)


def test_a_missing_reply_is_an_error() -> None:
    with pytest.raises(AppError, match="lora, merged"):
        weigh({"base": "x"}, DATA)
