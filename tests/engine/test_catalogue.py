from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from loragui.engine import catalogue, classic
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.model.accepts import Accepts
from loragui.paths import resource_path
from loragui.project import Hyperparameters


def test_the_pin_is_the_one_that_was_measured() -> None:
    pin = catalogue.pin("b2896")
    assert pin.commit == "13ad16af1231ab2d245d35df3295bcfa23de1305"
    assert pin.package.requirement == (
        "llama-cpp-python==0.2.75 --hash=sha256:aee9383935c42e812ee84265b1dafe5f0e3a20ee47216529b64a2ed6caaaed44"
    )
    assert catalogue.pins()[0] is pin


def test_the_first_recipe_needs_nothing_and_runs_openblas_on_one_thread() -> None:
    first = catalogue.recipes()[0]
    assert first.id == "wheels"
    assert first.needs == ()
    assert first.environment == {"OPENBLAS_NUM_THREADS": "1"}
    assert {package.name for package in first.packages} == {"ziglang", "cmake", "ninja", "scipy-openblas32"}
    assert all(len(package.sha256) == len(first.systems) for package in first.packages)
    assert set(first.system) == set(first.systems)


def test_what_the_engine_accepts() -> None:
    accepts = Accepts.of(catalogue.pin("b2896").accepts)
    assert accepts.architectures == {"llama"}
    assert not accepts.tied
    assert not accepts.gqa
    assert accepts.pre_tokenizers is not None
    assert {"starcoder", "llama-bpe", "default"} <= accepts.pre_tokenizers
    assert "smollm" not in accepts.pre_tokenizers


def test_every_flag_that_the_adapter_passes_is_checked_after_the_build(
    tmp_path: Path, engine_in: Callable[..., Engine]
) -> None:
    engine = engine_in(tmp_path / "e")
    every = Hyperparameters(cosine_decay_steps=5, rope_freq_base=1e4, rope_freq_scale=0.5)
    other = Hyperparameters(gradient_checkpointing=False, flash_attention=False)
    passed: dict[str, set[str]] = {name: set() for name in engine.programs}
    for settings in (every, other):
        argv = classic.finetune_argv(
            engine, settings, base_model="b", data="d", marker="m", checkpoint_in=None, iterations=1
        )
        passed["finetune"] |= _flags(argv)
    passed["export-lora"] = _flags(classic.export_lora_argv(engine, base_model="b", lora="l", output="o"))
    passed["quantize"] = _flags(classic.quantize_argv(engine, "a", "b", "Q8_0"))
    passed["main"] = _flags(classic.generate_argv(engine, model="m", prompt_file="p", tokens=1, lora="l", pre="x"))
    assert {name: set(flags) for name, flags in catalogue.pin("b2896").flags.items()} == passed


def _flags(argv: tuple[str, ...]) -> set[str]:
    return {word for word in argv[1:] if re.fullmatch(r"--?[a-z][\w-]*", word)}


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(AppError, match="b2896"):
        catalogue.pin("b1")
    with pytest.raises(AppError, match="wheels, gcc"):
        catalogue.recipe("magic")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id = "b2896"', "id = 2896"),
        ("download_bytes = 48_686_474", 'download_bytes = "many"'),
        ('sha256 = ["aee9', 'sha256 = ["xee9'),
        ('targets = ["finetune", ', 'targets = ["finetun", '),
        ('family = "classic"', ""),
        ("[[pin]]", "[[pin"),
    ],
)
def test_a_wrong_catalogue_is_refused(old: str, new: str, tmp_path: Path) -> None:
    text = resource_path("engines.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "engines.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(AppError) as caught:
        catalogue.parse(path)
    assert caught.value.problem.code == "catalogue-damaged"
