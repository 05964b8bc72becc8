"""The list of base models: complete, and a mistake in it shows at once."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from loragui.errors import AppError
from loragui.model import catalogue
from loragui.paths import resource_path


def facts() -> dict[str, Any]:
    return tomllib.loads(resource_path("models.toml").read_text("utf-8"))


def test_known_models_are_complete() -> None:
    ids = [entry.id for entry in (*catalogue.recommended(), *catalogue.known())]
    assert len(set(ids)) == len(ids) == 5
    sizes = [entry.bytes for entry in catalogue.known()]
    assert sizes == sorted(sizes)
    for entry in catalogue.known():
        assert entry.page.startswith("https://huggingface.co/")
        assert entry.file.lower().endswith("q8_0.gguf")
        assert (
            entry.size_facts.file_bytes == entry.bytes == pytest.approx(entry.size_facts.parameters * 34 / 32, rel=0.01)
        )
        assert entry.why
        assert entry.licence
        assert entry.source
        assert entry.date.startswith("20")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda value: value["known"][0].pop("page"), "page"),
        (lambda value: value["known"][0].update(why=3), "why: a text is expected"),
        (lambda value: value["known"][1]["size"].update(layers=27), "openllama-3b-v2: these dimensions make"),
        (lambda value: value["model"][0]["size"].update(tied=False), "these dimensions make"),
        (lambda value: value["model"][0]["size"].update(colour=1), "colour"),
        (lambda value: value.pop("known"), "known"),
    ],
)
def test_a_mistake_is_named(spoil: Callable[[dict[str, Any]], object], reason: str) -> None:
    value = copy.deepcopy(facts())
    assert catalogue.parse(value) == (catalogue.recommended(), catalogue.known())
    spoil(value)
    with pytest.raises(AppError) as caught:
        catalogue.parse(value)
    assert reason in caught.value.problem.details
