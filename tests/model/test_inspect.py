"""What is read out of a base model's header."""

from __future__ import annotations

from pathlib import Path

from loragui.model import inspect
from tests.model import models
from tests.model.models import Tiny


def test_facts(tmp_path: Path) -> None:
    tiny = Tiny(extra={"general.license": "mit", "llama.rope.freq_base": 5000.0, "tokenizer.chat_template": "{{x}}"})
    model = inspect.inspect(models.write(tmp_path / "a.gguf", tiny))
    assert (model.name, model.architecture, model.kind) == ("Tiny", "llama", inspect.MODEL)
    assert (model.layers, model.heads, model.kv_heads, model.grouped) == (2, 4, 2, True)
    assert (model.embedding, model.feed_forward, model.query_width, model.context) == (32, 64, 32, 128)
    assert (model.rope_base, model.rope_scaling, model.rope_factor) == (5000.0, "none", 1.0)
    assert (model.vocabulary, model.vocabulary_size, model.pre_tokenizer) == ("gpt2", 24, "smollm")
    assert (model.chat_template, model.licence, model.tied, model.parts) == (True, "mit", True, 1)
    shapes = tiny.shapes()
    assert model.parameters == sum(a * b for a, b in (s if len(s) == 2 else (*s, 1) for s in shapes.values()))
    assert (model.file_type, set(model.tensor_types)) == ("Q8_0", {"Q8_0", "F32"})
    assert sum(model.tensor_types.values()) == model.parameters
    assert model.differences == inspect.Differences()
    assert model.problems == ()


def test_defaults_of_what_the_file_does_not_say(tmp_path: Path) -> None:
    drop = ("general.name", "llama.attention.head_count_kv", "llama.context_length")
    model = inspect.inspect(models.write(tmp_path / "my model.gguf", Tiny(kv_heads=4, drop=drop)))
    assert (model.name, model.kv_heads, model.context, model.rope_base) == ("my model", 4, 0, 10000.0)
    assert not model.grouped


def test_rope(tmp_path: Path) -> None:
    def rope(**extra: str | float) -> tuple[str, float]:
        named = {f"llama.rope.{key.replace('__', '.')}": value for key, value in extra.items()}
        model = inspect.inspect(models.write(tmp_path / "a.gguf", Tiny(extra=named)))
        return model.rope_scaling, model.rope_factor

    assert rope(scaling__type="none") == ("none", 1.0)
    assert rope(scaling__type="linear", scaling__factor=1.0) == ("none", 1.0)
    assert rope(scaling__type="linear", scaling__factor=4.0) == ("linear", 4.0)
    assert rope(scaling__factor=2.0) == ("linear", 2.0)
    assert rope(scale_linear=4.0) == ("scale_linear", 4.0)
    assert rope(scaling__type="linear", scaling__factor=4.0, scale_linear=4.0) == ("scale_linear", 4.0)
    assert rope(scaling__type="yarn", scaling__factor=8.0) == ("yarn", 8.0)


def test_plain_words(tmp_path: Path) -> None:
    rows = dict(inspect.describe(inspect.inspect(models.write(tmp_path / "a.gguf"))))
    assert rows["Attention heads"] == "4, sharing 2 key/value heads"
    assert rows["Vocabulary"] == "24 tokens, BPE (smollm)"
    assert rows["Output layer"] == "shared with the input"
    assert rows["Licence"] == "not stated in the file"
    assert rows["Number format"].startswith("Q8_0 99%")
    assert "Experts" not in rows
    lora = models.write(tmp_path / "b.gguf", Tiny(extra={"general.type": "adapter"}))
    assert inspect.describe(inspect.inspect(lora))


def test_counts_in_words() -> None:
    words = [inspect.short_count(n) for n in (7, 1500, 134_515_008, 7_241_732_096)]
    assert words == ["7", "1.5 K", "135 M", "7.2 B"]
