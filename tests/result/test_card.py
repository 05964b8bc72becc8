from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loragui import acts
from loragui.data.job import format_job, prepare_plan
from loragui.errors import AppError
from loragui.gguf.read import read
from loragui.jobs.events import Metric
from loragui.model import convert
from loragui.model.recipe import Recipe
from loragui.paths import file_sha256
from loragui.project import Hyperparameters
from loragui.result import card, facts
from loragui.result.card import BaseFacts, CardFacts, FileFacts, LossFacts
from loragui.training import start
from tests import paper, tiny
from tests.result import finished

GOLDEN = Path(__file__).parent / "golden" / "card.md"
BARE = CardFacts(
    title="Tale", merged=FileFacts(name="m.gguf"), lora=FileFacts(name="l.gguf"),
    base=BaseFacts(file=FileFacts(name="b.gguf")), output_type="Q8_0", strength=1.0, iteration=8,
)  # fmt: skip


@pytest.fixture
def opened(tmp_path: Path) -> acts.Open:
    return paper.project(tmp_path)


def steady(found: CardFacts) -> CardFacts:
    """Without what depends on the version of sentencepiece, which makes the tiny model's vocabulary."""
    assert found.data is not None
    assert min(found.data.tokens, found.data.longest, found.data.median, found.base.file.bytes) > 0
    assert found.data.exact
    return dataclasses.replace(
        found,
        merged=dataclasses.replace(found.merged, bytes=226_400, sha256="a" * 64),
        base=dataclasses.replace(found.base, file=FileFacts(name=found.base.file.name, bytes=226_400)),
        data=dataclasses.replace(found.data, tokens=30_706, longest=510, median=443),
    )


def facts_of(opened: acts.Open, **more: int) -> CardFacts:
    merged = finished.merge(opened, finished.training(opened))
    return acts.card_facts(opened, merged.path, **more)


def test_the_card_of_a_finished_project(opened: acts.Open) -> None:
    """After a wanted change, write what is told here into the golden file."""
    assert card.card(steady(facts_of(opened))) == GOLDEN.read_text(encoding="utf-8")


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    text = card.card(BARE)
    for label in ("Architecture", "Licence", "Engine", "Settings", "Training data", "Time", "Iterations done"):
        assert f"- {label}: unknown" in text
    assert text.count("size unknown, sha256 unknown") == 3
    assert "None" not in text
    assert "0 bytes" not in text


def test_rare_settings_are_told_only_where_they_were_changed() -> None:
    usual = card.card(dataclasses.replace(BARE, settings=Hyperparameters()))
    rare = Hyperparameters(rope_freq_base=1e6, rank_query=2, separate_with_bos=False)
    text = card.card(dataclasses.replace(BARE, settings=rare))
    told = ["- Rope freq base: 1e+06", "- Separate with bos: off", "- Rank query: 2"]
    assert [line for line in text.splitlines() if line not in usual.splitlines()] == told


def test_a_deleted_training_or_base_model_leaves_gaps(opened: acts.Open) -> None:
    merged = finished.merge(opened, finished.training(opened))
    shutil.rmtree(opened.runs / "0001")
    opened.base_model().unlink()
    found = acts.card_facts(opened, merged.path)
    assert (found.base, found.settings, found.data) == (BaseFacts(file=FileFacts(name="base.gguf")), None, None)
    finished.model(merged).unlink()
    with pytest.raises(AppError, match="not produced a model"):
        acts.card_facts(opened, merged.path)


def test_data_and_engine_of_now_are_not_taken_for_those_of_then(opened: acts.Open) -> None:
    merged = finished.merge(opened, finished.training(opened))
    (opened.data / "train.txt").write_text("<s>other")
    path = opened.engine().folder / "engine.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": "newer"}))
    found = acts.card_facts(opened, merged.path)
    assert (found.data, found.recipe) == (None, "")
    assert found.engine == "llama.cpp b2896 (May 2024)"


def test_large_files_are_hashed_only_when_asked(opened: acts.Open) -> None:
    merged = finished.merge(opened, finished.training(opened))
    assert acts.card_facts(opened, merged.path, hash_up_to=1000).base.file.sha256 == ""
    assert acts.card_facts(opened, merged.path).base.file.sha256 == file_sha256(opened.base_model())


def test_a_converted_base_model_is_told_with_its_source(tmp_path: Path) -> None:
    source, copy = tiny.write(tmp_path / "Smol.Q4_1.gguf"), tmp_path / "copy.gguf"
    args = {"source": str(source), "target": str(copy), "recipe": Recipe(repeat_heads=1, untie=False).to_json()}
    convert.convert_job(args, lambda _event: None)
    base = facts._base(copy, facts.CHEAP)
    assert base.source == FileFacts(name="Smol.Q4_1.gguf", sha256=file_sha256(source))
    text = card.card(dataclasses.replace(BARE, base=base))
    assert "A LoRA of `Smol.Q4_1.gguf`" in text
    assert f"- Changes: {read(copy).text(convert.NOTE_CHANGES)}" in text


def losses(*values: float) -> LossFacts:
    return facts.loss_facts((Metric(iteration=n, total=99, loss=v) for n, v in enumerate(values, start=1)), len(values))


def test_losses_are_averaged_and_what_was_done_again_counts_once() -> None:
    assert losses() == LossFacts()
    assert losses(*[3.0] * 9) == LossFacts(last=3.0)
    assert losses(*[3.0] * 9, 1.0) == LossFacts(last=1.0, lowest=2.8)
    assert losses(*[3.0] * 10, float("nan")) == LossFacts(lowest=3.0)
    again = [Metric(iteration=n, total=99, loss=loss) for loss in (5.0, 2.0) for n in range(1, 21)]
    assert facts.loss_facts(again, 15) == LossFacts(last=2.0, lowest=2.0)


WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=9, max_size=12).map(lambda word: f"qq{word}")


@settings(max_examples=10, deadline=None)
@given(words=st.lists(WORDS, min_size=5, max_size=5, unique=True))
def test_no_text_name_or_file_of_the_data_is_in_the_card(
    tmp_path_factory: pytest.TempPathFactory, words: list[str]
) -> None:
    root = tmp_path_factory.mktemp("card")
    opened = paper.project(root)
    user, character, said, answered, name = words
    secret = root / f"{name}.jsonl"
    rows = [
        {"user_name": user, "character_name": character},
        {"name": user, "is_user": True, "mes": f"I say {said}."},
        {"name": character, "is_user": False, "mes": f"I answer {answered}."},
    ]
    secret.write_text("\n".join(map(json.dumps, rows)))
    plan = prepare_plan([secret], out=opened.data, base_model=opened.base_model(), context_size=paper.CONTEXT)
    format_job(plan.facts, lambda _event: None)
    found = facts_of(opened)
    assert found.data is not None
    assert found.data.samples >= 1
    text = card.card(found)
    assert not [word for word in (*words, root.name, str(root)) if word in text]


def test_a_prompt_stands_in_the_card_as_it_is_written(opened: acts.Open) -> None:
    found = facts_of(opened)
    assert found.data is not None
    text = card.card(found)
    block = re.search(r"after the end:\n\n((?:    .*\n|\n)+)", text)
    assert block is not None
    shown = "\n".join(line.removeprefix("    ") for line in block[1].rstrip("\n").split("\n"))
    assert shown == found.data.prompt
    assert shown.endswith("### Response:\n{{char}}:")


def test_the_snapshot_is_told_and_not_the_project_of_now(opened: acts.Open) -> None:
    merged = finished.merge(opened, finished.training(opened))
    changed = dataclasses.replace(opened.project.hyperparameters, rank=99)
    later = dataclasses.replace(opened, project=dataclasses.replace(opened.project, hyperparameters=changed))
    found = acts.card_facts(later, merged.path)
    assert found.settings == start.load(opened.runs / "0001").hyperparameters


def test_an_edited_card_is_never_overwritten(tmp_path: Path) -> None:
    first = card.write_card(tmp_path, "one\n")
    assert first.name == "LoRA-card.md"
    assert card.write_card(tmp_path, "one\n") == first
    first.write_text("mine", encoding="utf-8")
    second = card.write_card(tmp_path, "one\n")
    assert second.name == "LoRA-card-2.md"
    assert card.write_card(tmp_path, "two\n").name == "LoRA-card-3.md"
    assert card.write_card(tmp_path, "one\n") == second
    assert first.read_text(encoding="utf-8") == "mine"
    assert second.read_bytes() == b"one\n"


@pytest.mark.parametrize(("title", "heading"), [("My tale", "# My tale"), ("a\n# b", "# a # b"), ("Wölfe", "# Wölfe")])
def test_a_title_is_one_line(title: str, heading: str) -> None:
    assert card.card(dataclasses.replace(BARE, title=title)).split("\n")[0] == heading
