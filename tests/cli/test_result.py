"""``card`` and ``howto`` as a person uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loragui import acts
from loragui.cli import main
from tests import paper
from tests.result import finished

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def opened(tmp_path: Path) -> acts.Open:
    return paper.project(tmp_path)


def test_before_a_merge_there_is_no_card_and_no_howto(opened: acts.Open, capsys: Capture) -> None:
    for verb in ("card", "howto"):
        assert main([verb, str(opened.folder)]) == 1
        said = capsys.readouterr().err
        assert "There is no merged model yet." in said
        assert "What to do: Merge first." in said


def test_the_card_is_written_beside_the_model_and_printed(opened: acts.Open, capsys: Capture) -> None:
    folder = finished.merge(opened, finished.training(opened)).path
    before = paper.tree(opened.folder)
    assert main(["card", str(opened.folder), "--dry-run"]) == 0
    assert paper.tree(opened.folder) == before
    assert f"Would write a card into {folder}." in capsys.readouterr().out
    assert main(["card", str(opened.folder)]) == 0
    said = capsys.readouterr().out
    written = (folder / "LoRA-card.md").read_text(encoding="utf-8")
    assert written.startswith("# Demo\n")
    assert written in said
    assert str(folder / "LoRA-card.md") in said
    assert main(["card", str(opened.folder), "--json", "--sha256"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value == {"card": str(folder / "LoRA-card.md"), "text": written}


def test_an_earlier_merge_can_be_chosen(opened: acts.Open, capsys: Capture) -> None:
    training = finished.training(opened)
    first, second = finished.merge(opened, training), finished.merge(opened, training)
    assert main(["card", str(opened.folder), "--run", first.path.name, "--json"]) == 0
    assert Path(json.loads(capsys.readouterr().out)["card"]).parent == first.path
    for words, folder in (((), second), (("--run", first.path.name), first)):
        assert main(["howto", str(opened.folder), *words]) == 0
        assert f'llama-server -m "{finished.model(folder)}"' in capsys.readouterr().out
    assert main(["howto", str(opened.folder), "--run", "0099"]) == 1


def test_how_to_use_it_is_told_both_ways(opened: acts.Open, capsys: Capture) -> None:
    finished.merge(opened, finished.training(opened))
    assert main(["howto", str(opened.folder)]) == 0
    said = capsys.readouterr().out
    assert main(["howto", str(opened.folder), "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert len(value) > 5
    for entry in value:
        assert f"\n{entry['title']}\n  1. {entry['steps'][0]}\n" in said
