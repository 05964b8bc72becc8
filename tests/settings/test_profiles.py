"""Profiles: those that come along are valid and can be told apart, and applying one changes only what it names."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.errors import AppError
from loragui.paths import resource_path
from loragui.project import Hyperparameters
from loragui.settings.metrics import base
from loragui.settings.parameters import problems
from loragui.settings.profiles import Profile, apply, changed, matching, profile, profiles, read

some_samples = st.none() | st.integers(0, 10**9)
others = st.builds(
    Hyperparameters,
    context_size=st.sampled_from([256, 8192]),
    iterations=st.integers(1, 9999),
    rank=st.sampled_from([4, 8, 128]),
    threads=st.integers(1, 9),
    seed=st.integers(0, 9),
    gradient_checkpointing=st.booleans(),
)


def test_which_there_are() -> None:
    assert [each.id for each in profiles()] == ["quick-test", "style", "knowledge", "limarp-v2", "guide-baseline"]
    assert all(each.about and each.source and each.date for each in profiles())
    assert {each.id for each in profiles() if "context_size" in each.values} == {"limarp-v2", "guide-baseline"}
    assert profile("style").values["rank"] < profile("knowledge").values["rank"]
    with pytest.raises(AppError, match="no profile called nothing"):
        profile("nothing")


def test_limarp_is_what_the_guide_says() -> None:
    assert dict(profile("limarp-v2").values) == {
        "context_size": 8192, "batch_size": 1, "gradient_accumulation": 1, "alpha": 16, "rank": 16,
        "iterations": 3100, "learning_rate": 0.000065,
    }  # fmt: skip
    assert apply(profile("limarp-v2"), Hyperparameters(), samples=1550).iterations == 3100
    assert apply(profile("limarp-v2"), Hyperparameters(), samples=74).iterations == 148


@pytest.mark.parametrize("model", ["3B", "7B", "13B"])
def test_the_baseline_is_the_row_of_the_guides_tables(model: str) -> None:
    row, found = base(model), apply(profile("guide-baseline"), Hyperparameters(), samples=None)
    for name in set(profile("guide-baseline").values) - {"learning_rate"}:
        assert getattr(found, name) == getattr(row, name)


@given(st.sampled_from(profiles()), others, some_samples)
def test_applied_settings_are_those_of_the_profile(chosen: Profile, settings: Hyperparameters, samples: int) -> None:
    found = apply(chosen, settings, samples=samples)
    assert problems(found) == ()
    assert matching(found, samples) == chosen
    untouched = {field.name for field in dataclasses.fields(found)} - set(chosen.values)
    assert {"threads", "seed"} <= untouched
    assert all(getattr(found, name) == getattr(settings, name) for name in untouched)
    assert apply(chosen, found, samples=samples) == found


def test_what_was_changed_is_told() -> None:
    style = profile("style")
    settings = apply(style, Hyperparameters(), samples=100)
    assert changed(style, settings, 100) == ()
    assert changed(style, settings, 101) == ("iterations",)
    assert changed(style, settings, None) == ("iterations",)
    own = dataclasses.replace(settings, rank=9, threads=7, learning_rate=0.1)
    assert set(changed(style, own, 100)) == {"rank", "learning_rate"}
    assert matching(own, 100) is None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("rank = 8", "threads = 8", "cannot set threads"),
        ("rank = 8", "ranks = 8", "cannot set ranks"),
        ("rank = 8", "rank = 0", "Rank is 0; it can be 1 to 2,048"),
        ("rank = 8", "rank = 8.0", "Rank is 8"),
        ("iterations = 512", "", "iterations must say"),
        ("iterations_per_sample = 2", "iterations_per_sample = -2", "above 0"),
        ("order = 2", 'order = "2"', "order must be"),
        ('name = "Style"', "", "name is missing"),
        ("schema = 1", "schema = 2", "newer version"),
    ],
)
def test_a_wrong_profile_is_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    text = resource_path("profiles", "style.toml").read_text("utf-8")
    assert old in text
    path = tmp_path / "own.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(AppError) as caught:
        read(path)
    assert reason in str(caught.value)
