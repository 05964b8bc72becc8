"""Templates: those that come with the program, and what is said about damaged ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from loragui.data.template import DEFAULT, load_template, template_names
from loragui.errors import AppError
from loragui.paths import resource_path

ORIGINAL = resource_path("templates", f"{DEFAULT}.toml").read_text("utf-8")


@pytest.mark.parametrize("name", template_names())
def test_templates_that_come_with_the_program(name: str) -> None:
    template = load_template(name)
    assert template.name == name
    assert template.title


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(AppError, match=DEFAULT):
        load_template("nonsense")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schema = 1", "schema = 2", "schema is 2"),
        ("schema = 1", "schema = ", "Invalid value"),
        ('reply = " {text}"', "", "reply is missing"),
        ('reply = " {text}"', "reply = 1", "reply must be text"),
        ('reply = " {text}"', 'reply = "x"', "must hold {text}"),
        ("{description}", "{descripton}", "{descripton}"),
        ("{cue}", "{reply}", "{reply}"),
    ],
)
def test_damaged_template_says_what_is_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(ORIGINAL.replace(old, new), encoding="utf-8")
    with pytest.raises(AppError) as caught:
        load_template(str(path))
    assert said in caught.value.problem.message
    assert str(path) in caught.value.problem.message


def test_first_lines_are_spread_by_the_seed(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(ORIGINAL.replace("preambles = [", 'preambles = ["One.", "Two.",'), encoding="utf-8")
    template = load_template(str(path))
    keys = [f"reply {number}" for number in range(100)]
    first = [template.preamble(1, key) for key in keys]
    assert first == [template.preamble(1, key) for key in keys]
    assert first != [template.preamble(2, key) for key in keys]
    assert all(first.count(line) > 15 for line in template.preambles)


@pytest.mark.parametrize("name", template_names())
def test_the_outline_is_a_prompt_with_all_its_parts(name: str) -> None:
    template = load_template(name)
    outline = template.outline()
    for part in (template.preambles[0], "(the character: description", template.cue_text("{{char}}", "character")):
        assert part in outline
    assert outline.count("(message)") == 3
