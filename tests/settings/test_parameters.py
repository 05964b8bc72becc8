"""Parameters: one for each setting, as the program has it, and every value outside of its range is refused by name."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.engine import classic, flags
from loragui.errors import AppError
from loragui.paths import resource_path
from loragui.project import Hyperparameters
from loragui.settings.parameters import (
    Group,
    Kind,
    Level,
    Parameter,
    allowed,
    check,
    parameter,
    parameters,
    problems,
    read,
    written,
)

TEXT = resource_path("parameters.toml").read_text("utf-8")
NUMBERS = [entry for entry in parameters() if entry.kind is not Kind.BOOL]


def damaged(folder: Path, old: str, new: str) -> str:
    assert old in TEXT
    path = folder / "parameters.toml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(AppError) as caught:
        read(path)
    return str(caught.value)


def test_every_setting_is_there_once() -> None:
    names = [entry.id for entry in parameters()]
    assert sorted(names) == sorted(field.name for field in dataclasses.fields(Hyperparameters))
    assert [entry.id for entry in parameters() if entry.level is Level.SIMPLE] == [
        "context_size", "batch_size", "iterations", "rank", "learning_rate", "save_every"
    ]  # fmt: skip
    assert {entry.group for entry in parameters()} == set(Group)


@pytest.mark.parametrize("entry", parameters(), ids=lambda entry: entry.id)
def test_every_setting_is_explained(entry: Parameter) -> None:
    assert 0 < len(entry.label) < 24
    assert 1 <= entry.explanation.count(". ") + 1 <= 5
    assert entry.explanation.endswith(".")
    assert "  " not in entry.explanation
    assert entry.source
    assert entry.date.startswith("20")
    assert entry.suggested or entry.kind is Kind.BOOL
    assert parameter(entry.id) is entry


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('id = "seed"', 'id = "sead"', "missing, unknown or twice: sead, seed"),
        ("schema = 1", "schema = 2", "newer version"),
        ("default = 256", "default = 128", "context_size is int = 256"),
        ('kind = "bool"', 'kind = "int"', "minimum is missing"),
        ('kind = "float"', 'kind = "int"', "minimum must be a number"),
        ("suggested = [256,", "suggested = [8,", "8 is outside"),
        ('level = "simple"', 'level = "easy"', "easy"),
        ('label = "Rank"', "label = 3", "label must be text"),
        ('unset = "as the base model says"\n', "", "unset is missing"),
        ("[[parameter]]", "[[parameter]", "cannot be used"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    assert reason in damaged(tmp_path, old, new)


def test_a_setting_cannot_be_there_twice(tmp_path: Path) -> None:
    block = TEXT[TEXT.index("[[parameter]]") :].split("\n\n")[0]
    assert "twice: context_size" in damaged(tmp_path, block, f"{block}\n\n{block}")


@pytest.mark.parametrize("entry", NUMBERS, ids=lambda entry: entry.id)
def test_ranges(entry: Parameter) -> None:
    """Both ends are allowed and within what the engine can do; what lies beyond is refused with both."""
    for value in (entry.minimum, entry.maximum):
        assert check(entry, value) is None
        assert classic.problems(dataclasses.replace(Hyperparameters(learning_rate=0.1), **{entry.id: value})) == ()
    for value in (entry.minimum - 1, entry.maximum + 1, math.nan, math.inf, "8", True):
        problem = check(entry, value)
        assert problem is not None
        assert problem.code == "setting-out-of-range"
        assert allowed(entry) in problem.message
    assert (check(entry, None) is None) == entry.kind.optional


def test_kinds() -> None:
    assert check(parameter("rank"), 8.0) is not None
    assert check(parameter("rope_freq_base"), 10000) is None
    assert check(parameter("rank_query"), 4) is None
    assert check(parameter("rank_query"), 4.0) is not None
    assert check(parameter("flash_attention"), False) is None
    assert check(parameter("flash_attention"), 1) is not None
    assert check(parameter("flash_attention"), None) is not None


def test_left_alone_the_engine_does_what_is_told() -> None:
    """“0.1, the engine's own” is what the adapter knows of the engine, which its tests hold against the help."""
    for option in flags.OPTIONS:
        entry = parameter(option.field)
        number = isinstance(option.own, int | float)
        assert entry.unset == (f"{written(entry, option.own)}, the engine's own" if number else entry.unset)
        assert not number or entry.suggested[0] == option.own
        assert (option.own == flags.RANK) == (entry.unset == "as the rank")


def test_words() -> None:
    problem = check(parameter("rank"), -1)
    assert problem is not None
    assert problem.message == "Rank is -1; it can be 1 to 2,048."
    assert problem.hint == "Usual values: 4, 8, 16, 32, 64, 128."
    rate = parameter("learning_rate")
    assert allowed(rate) == "0.0000001 to 0.1"
    assert written(rate, 6.5e-5) == "0.000065"
    assert written(rate, 1e300) == "1e+300"
    assert allowed(parameter("context_size")) == "16 to 131,072 tokens"
    assert allowed(parameter("rope_freq_scale")) == "0.01 to 1, or left alone (as the base model says)"
    assert allowed(parameter("rank_query")) == "1 to 2,048, or left alone (as the rank)"
    assert allowed(parameter("flash_attention")) == "on or off"
    assert written(parameter("rope_freq_scale"), None) == "as the base model says"
    assert written(parameter("weight_decay"), None) == "0.1, the engine's own"
    assert written(parameter("rank"), None) == "not set"
    assert [written(parameter("flash_attention"), value) for value in (True, False)] == ["on", "off"]
    with pytest.raises(AppError, match="no setting “ranks”"):
        parameter("ranks")


def test_problems_of_settings() -> None:
    assert problems(Hyperparameters()) == ()
    found = problems(Hyperparameters(rank=0, learning_rate=20, rope_freq_base=1))
    assert [problem.message.split(" is ")[0] for problem in found] == ["Rank", "Learning rate", "RoPE frequency base"]


@given(st.sampled_from(NUMBERS), st.floats() | st.integers())
def test_what_is_not_refused_lies_between_the_ends(entry: Parameter, value: float) -> None:
    fine = check(entry, value) is None
    assert fine == (entry.minimum <= value <= entry.maximum and (not entry.kind.whole or isinstance(value, int)))
    assert written(entry, value)
