from __future__ import annotations

import re
from pathlib import Path

import pytest

from loragui import acts
from loragui.data.template import DEFAULT, load_template, template_names
from loragui.errors import AppError
from loragui.gguf.read import read
from loragui.model import convert, truename
from loragui.model.recipe import KEEP, Recipe
from loragui.paths import resource_path
from loragui.result import howto
from loragui.result.howto import HowTo
from tests import paper, tiny
from tests.model import models
from tests.result import finished

IDS = ["koboldcpp", "llama-server", "llama-cli", "main", "sillytavern-koboldcpp", "sillytavern-llama-server", "lora"]


def by_id(found: tuple[HowTo, ...]) -> dict[str, str]:
    return {entry.id: "\n".join(entry.steps) for entry in found}


def test_names_are_filled_in_and_other_programs_macros_stay(tmp_path: Path) -> None:
    merged = tiny.write(tmp_path / "my tale-0001-8.Q8_0.gguf")
    found = howto.howtos(merged, 4096, DEFAULT)
    assert [entry.id for entry in found] == IDS
    steps = by_id(found)
    assert f'llama-server -m "{merged}" -c 4096 --port 8080' in steps["llama-server"]
    assert f'koboldcpp --model "{merged}" --contextsize 4096' in steps["koboldcpp"]
    assert f'main -m "{merged}" -c 4096' in steps["main"]
    assert merged.name in steps["lora"]
    assert "{{char}}" in steps["sillytavern-koboldcpp"]
    assert not re.findall(r"(?<!\{)\{[a-z_]+\}(?!\})", "".join(steps.values()))
    assert "override-kv" not in steps["main"]


def test_steps_depend_on_the_template(tmp_path: Path) -> None:
    merged = tiny.write(tmp_path / "m.gguf")
    own = by_id(howto.howtos(merged, 512, "my-own"))["sillytavern-koboldcpp"]
    ours = by_id(howto.howtos(merged, 512, DEFAULT))["sillytavern-koboldcpp"]
    assert "template my-own" in own
    assert "Alpaca" not in own
    assert "Alpaca-Single-Turn" in ours


def test_what_the_steps_say_of_our_template_is_true() -> None:
    known = {name for entry in howto.entries() for name in entry.by_template} - {howto.OTHER}
    assert known <= set(template_names())
    outline = load_template(DEFAULT).outline()
    assert outline.startswith("Below is an instruction that describes a task. Write a response that")
    assert "\n\n### Instruction:\n" in outline
    assert outline.endswith("\n\n### Response:\n{{char}}:")


def test_a_model_with_a_renamed_pre_tokenizer_needs_one_more_step_in_main(tmp_path: Path) -> None:
    source, merged = models.write(tmp_path / "a.gguf", models.Tiny()), tmp_path / "b.gguf"
    recipe = Recipe(output_type=KEEP, pre="starcoder")
    convert.convert_job({"source": str(source), "target": str(merged), "recipe": recipe.to_json()}, lambda _e: None)
    assert truename.restore(read(merged)) == "smollm"
    steps = by_id(howto.howtos(merged, 512, DEFAULT))
    assert "--override-kv tokenizer.ggml.pre=str:starcoder" in steps["main"]
    assert "override-kv" not in steps["llama-server"]


def test_the_context_is_what_the_model_knows_and_the_training_needs(tmp_path: Path) -> None:
    opened = paper.project(tmp_path)
    finished.merge(opened, finished.training(opened))
    steps = by_id(acts.howtos(opened, acts.merged_model(opened)))
    assert f"-c {paper.CONTEXT} " in steps["llama-server"]
    assert f"(template {DEFAULT})" in steps["koboldcpp"]


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="is not there"):
        howto.howtos(tmp_path / "none.gguf", 512, DEFAULT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("schema = 1", "schema = 2"),
        ("{model}", "{modle}"),
        ('steps = [\n    "Start koboldcpp.', 'steps = [ 3, "'),
        ('id = "main"', 'id = "lora"'),
        ('title = "koboldcpp"', 'title = ""'),
        ('date = "2026-11-25"', 'date = "today"'),
        ("[howto.by_template]", "[howto.by_templates]"),
        ("{engine_pre}", "{model_pre}"),
        ('source = "measured', 'from = "measured'),
    ],
)
def test_a_wrong_file_is_refused(old: str, new: str, tmp_path: Path) -> None:
    text = resource_path("howto.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "howto.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(AppError) as caught:
        howto.parse(path)
    assert caught.value.problem.code == "howto-damaged"
