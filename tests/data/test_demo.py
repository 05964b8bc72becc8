"""The demonstration's data: what it gives, what its report says, and the first samples as a golden file."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from loragui.data.counting import RoughCounter
from loragui.data.demo import load_demo
from loragui.data.prepare import Prepared, prepare
from loragui.data.template import load_template
from loragui.errors import AppError
from loragui.paths import resource_path
from loragui.project import Hyperparameters

GOLDEN = Path(__file__).with_name("golden") / "demo-samples.txt"


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    demo = load_demo()
    return prepare(demo.files, load_template(demo.template), demo.context_size, RoughCounter(), seed=demo.seed)


def test_first_samples_are_as_they_always_were(prepared: Prepared) -> None:
    shown = "\n=====\n".join(sample.text for sample in prepared.samples[:12]) + "\n"
    assert shown == GOLDEN.read_text("utf-8"), "if the change is meant, write the new text into the golden file"


def test_enough_samples_from_both_sides(prepared: Prepared) -> None:
    demo = load_demo()
    assert 60 <= len(prepared.samples) <= 100
    character = [sample for sample in prepared.samples if sample.role == "character"]
    assert 30 <= len(character) <= 50
    assert all(demo.learned(sample.reply) for sample in character)
    assert not any(demo.learned(sample.reply) for sample in prepared.samples if sample.role == "user")
    assert len({sample.speaker for sample in prepared.samples}) == 9


def test_report_has_something_true_to_say(prepared: Prepared) -> None:
    counts = prepared.report.counts()
    assert {code: counts[code] for code in ("hidden", "bad-line", "reply-shortened")} == {
        "hidden": 1,
        "bad-line": 1,
        "reply-shortened": 1,
    }
    narrated = [sample for sample in prepared.samples if "\nThe fog swallows" in sample.prompt]
    assert narrated


def test_prompt_of_the_proof_is_new_and_does_not_give_the_habit_away(prepared: Prepared) -> None:
    demo = load_demo()
    assert demo.prompt.endswith("\n\n### Response:\nOrla:")
    assert "Nora has climbed the stairs" in demo.prompt
    assert not demo.learned(demo.prompt)
    assert not any("Nora" in sample.text for sample in prepared.samples)


def test_training_settings_are_known_hyperparameters() -> None:
    assert replace(Hyperparameters(), **load_demo().training).iterations == 40  # type: ignore[arg-type]


def test_damaged_demo_is_said(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"demo\.toml"):
        load_demo(tmp_path)
    shutil.copytree(resource_path("demo"), tmp_path / "demo")
    (tmp_path / "demo" / "orla.json").write_text("{}", encoding="utf-8")
    with pytest.raises(AppError) as caught:
        load_demo(tmp_path / "demo")
    assert "0 cards" in caught.value.problem.details
