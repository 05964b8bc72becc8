from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from loragui import acts, machine, steps
from loragui.project import Hyperparameters
from loragui.steps import Step
from tests import paper, tiny


@pytest.fixture
def opened(tmp_path: Path) -> acts.Open:
    return paper.project(tmp_path)


@pytest.fixture(scope="module")
def pc() -> machine.Machine:
    return machine.look(Path.cwd())


def codes(step: Step, opened: acts.Open, pc: machine.Machine) -> list[str]:
    return [problem.code for problem in steps.problems(step, opened, pc)]


def without(opened: acts.Open, **changes: object) -> acts.Open:
    return dataclasses.replace(opened, project=dataclasses.replace(opened.project, **changes))  # type: ignore[arg-type]


def test_a_finished_preparation_opens_the_training(opened: acts.Open, pc: machine.Machine) -> None:
    assert codes(Step.TRAIN, opened, pc) == []
    assert codes(Step.RESULT, opened, pc) == ["no-training"]


def test_an_empty_project_opens_the_first_step_only(opened: acts.Open, pc: machine.Machine) -> None:
    empty = without(opened, engine=None, base_model=None)
    assert codes(Step.ENGINE, empty, pc) == []
    assert codes(Step.MODEL, empty, pc) == ["no-engine"]
    assert "no-model" in codes(Step.DATA, empty, pc)


def test_text_made_for_another_context_locks_the_training(opened: acts.Open, pc: machine.Machine) -> None:
    changed = without(opened, hyperparameters=Hyperparameters(context_size=128))
    assert "data-outdated" in codes(Step.TRAIN, changed, pc)


def test_wrong_settings_and_a_small_pc_lock_the_training(opened: acts.Open, pc: machine.Machine) -> None:
    assert codes(Step.TRAIN, without(opened, hyperparameters=Hyperparameters(context_size=512, rank=0)), pc)
    small = dataclasses.replace(pc, ram_total_bytes=1 << 20, ram_available_bytes=1 << 20)
    assert "ram-too-small" in codes(Step.TRAIN, opened, small)


def test_a_model_that_needs_a_copy_is_told(opened: acts.Open, pc: machine.Machine, tmp_path: Path) -> None:
    tiny.write(tmp_path / "base.gguf", tiny.Tiny(kv_heads=2))
    assert codes(Step.DATA, opened, pc)


def test_the_steps_are_in_the_wizards_order() -> None:
    assert [step.name for step in Step] == ["ENGINE", "MODEL", "DATA", "SETTINGS", "TRAIN", "RESULT"]


def test_what_is_missing_is_said_once(opened: acts.Open, pc: machine.Machine) -> None:
    for changes in ({"engine": None}, {"base_model": None}, {"engine": None, "base_model": None}):
        found = codes(Step.RESULT, without(opened, **changes), pc)
        assert len(found) == len(set(found)), found


def test_later_steps_have_at_least_the_problems_of_earlier_ones(opened: acts.Open, pc: machine.Machine) -> None:
    empty = without(opened, engine=None, base_model=None, hyperparameters=Hyperparameters(rank=0))
    before: list[str] = []
    for step in Step:
        now = codes(step, empty, pc)
        assert now[: len(before)] == before
        before = now


@pytest.mark.parametrize(("gone", "step"), [("engines", Step.MODEL), ("base.gguf", Step.DATA), ("data", Step.SETTINGS)])
def test_what_was_deleted_locks_the_steps_after_it(
    opened: acts.Open, pc: machine.Machine, tmp_path: Path, gone: str, step: Step
) -> None:
    assert codes(step, opened, pc) == []
    (opened.folder / gone if gone == "data" else tmp_path / gone).rename(tmp_path / "elsewhere")
    found = steps.problems(step, opened, pc)
    assert found
    assert all(problem.message and problem.hint for problem in found)


def test_a_setting_that_the_engine_lacks_is_told_before_the_training(opened: acts.Open, pc: machine.Machine) -> None:
    wanted = without(opened, hyperparameters=Hyperparameters(rank_ffn_gate=3))
    assert [problem.code for problem in steps.missing(Step.SETTINGS, wanted, pc)] == ["setting-not-in-engine"]
    same = without(opened, hyperparameters=Hyperparameters(rank=3, rank_ffn_gate=3))
    assert "setting-not-in-engine" not in [problem.code for problem in steps.missing(Step.SETTINGS, same, pc)]


def test_the_result_opens_with_the_first_saved_lora(opened: acts.Open, pc: machine.Machine) -> None:
    run = acts.train(opened)
    assert codes(Step.RESULT, opened, pc) == ["no-lora"]
    (run.path / "lora-2.gguf").touch()
    assert codes(Step.RESULT, opened, pc) == []
    assert [problem.code for problem in steps.missing(Step.RESULT, opened, pc)] == ["no-model"]


def test_a_gate_asks_and_changes_nothing(opened: acts.Open, pc: machine.Machine, tmp_path: Path) -> None:
    before = paper.tree(tmp_path)
    for step in Step:
        steps.problems(step, opened, pc)
    assert paper.tree(tmp_path) == before
