from __future__ import annotations

from pathlib import Path

import pytest

from loragui import acts
from loragui.errors import AppError
from loragui.training.checkpoints import lora_path
from tests import paper
from tests.result import finished
from tests.training.files import write_lora


@pytest.fixture
def opened(tmp_path: Path) -> acts.Open:
    return paper.project(tmp_path)


def test_merges_are_listed_newest_first(opened: acts.Open) -> None:
    assert acts.merges(opened) == ()
    training = finished.training(opened)
    first, second = finished.merge(opened, training, at=1.5), finished.merge(opened, training, at=2.5)
    finished.merge(opened, training, state="failed")
    found = acts.merges(opened)
    assert [merged.folder.path for merged in found] == [second.path, first.path]
    assert [merged.when for merged in found] == [2.5, 1.5]
    assert [merged.path for merged in found] == [finished.model(second), finished.model(first)]
    assert found[0].bytes == finished.model(second).stat().st_size
    assert found[0].merge.strength == 0.8


def test_a_merge_whose_model_or_notes_are_gone_hides_no_other(opened: acts.Open) -> None:
    training = finished.training(opened)
    first, second, third = (finished.merge(opened, training) for _ in range(3))
    finished.model(second).unlink()
    (third.path / "merge.json").write_text("{")
    assert [merged.folder.path for merged in acts.merges(opened)] == [first.path]
    assert acts.newest_merge(opened) is not None
    finished.model(first).unlink()
    assert acts.newest_merge(opened) is None


def test_a_merge_is_chosen_by_its_number(opened: acts.Open) -> None:
    with pytest.raises(AppError, match="no merged model"):
        acts.candidates(opened, with_lora=False)
    training = finished.training(opened)
    first, second = finished.merge(opened, training), finished.merge(opened, training)
    assert acts.merged_model(opened).folder.path == second.path
    chosen = acts.merged_model(opened, first.path.name)
    assert chosen.folder.path == first.path
    with pytest.raises(AppError, match="run 0099"):
        acts.merged_model(opened, "0099")
    assert acts.candidates(opened, with_lora=False)[-1].model == finished.model(second)
    assert acts.candidates(opened, with_lora=True, merged=chosen)[-1].model == finished.model(first)


def test_the_checkpoints_of_a_training_are_those_with_a_lora(opened: acts.Open) -> None:
    training = finished.training(opened)
    for iteration in (4, 100):
        write_lora(lora_path(training.path, iteration))
    assert acts.checkpoints(training) == (4, 12, 100)
