"""Every reason for and against a base model, over generated models of many kinds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from loragui.engine.catalogue import pins
from loragui.gguf.read import GgmlType
from loragui.model.catalogue import equivalent
from loragui.model.inspect import inspect
from loragui.model.judge import Accepts, Outcome, judge
from loragui.model.recipe import Recipe
from tests.model import models
from tests.model.models import Tiny

CLASSIC = Accepts.of(
    {
        "architectures": ["llama"],
        "tied": False,
        "gqa": False,
        "pre_tokenizers": ["default", "llama-bpe", "starcoder", "gpt-2", "qwen2"],
        "tensor_types": ["F32", "F16", "Q8_0", "Q4_0"],
    }
)
PLAIN = {"kv_heads": 4, "tied": False, "pre": "starcoder"}
COPY, NO, AS_IT_IS = Outcome.COPY, Outcome.NO, Outcome.AS_IT_IS
LINEAR = {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4.0}

TABLE: dict[str, tuple[Tiny, Outcome, list[str]]] = {
    "plain": (Tiny(**PLAIN), AS_IT_IS, []),
    "plain F16": (Tiny(**PLAIN, kind="F16"), AS_IT_IS, []),
    "SentencePiece": (Tiny(kv_heads=4, tied=False, tokenizer="llama", pre="default"), AS_IT_IS, []),
    "like SmolLM2": (Tiny(), COPY, ["tied", "gqa", "pre-tokenizer"]),
    "tied": (Tiny(kv_heads=4, pre="gpt-2"), COPY, ["tied"]),
    "gqa": (Tiny(tied=False, pre="gpt-2"), COPY, ["gqa"]),
    "one K/V head": (Tiny(tied=False, pre="gpt-2", kv_heads=1), COPY, ["gqa"]),
    "BF16": (Tiny(**PLAIN, kind="BF16"), COPY, ["format"]),
    "linear rope": (Tiny(**PLAIN, extra=LINEAR), COPY, ["rope-linear"]),
    "linear rope, both ways": (
        Tiny(**PLAIN, extra={**LINEAR, "llama.rope.scale_linear": 4.0}), AS_IT_IS, [],
    ),
    "no pre": (Tiny(**PLAIN, drop=("tokenizer.ggml.pre",)), AS_IT_IS, ["pre-tokenizer-missing"]),
    "pre unknown": (Tiny(kv_heads=4, tied=False, pre="tekken"), NO, ["pre-tokenizer-unknown"]),
    "pre unknown and gqa": (Tiny(tied=False, pre="tekken"), NO, ["gqa", "pre-tokenizer-unknown"]),
    "other architecture": (Tiny(arch="qwen2"), NO, ["architecture"]),
    "experts": (Tiny(**PLAIN, extra={"llama.expert_count": 8}), NO, ["experts"]),
    "WordPiece": (Tiny(**{**PLAIN, "tokenizer": "bert"}), NO, ["vocabulary"]),
    "no vocabulary": (Tiny(**PLAIN, drop=("tokenizer.ggml.model",)), NO, ["vocabulary"]),
    "yarn": (Tiny(**PLAIN, extra={"llama.rope.scaling.type": "yarn"}), NO, ["rope"]),
    "adapter": (Tiny(extra={"general.type": "adapter"}), NO, ["not-a-model:adapter"]),
    "old adapter": (Tiny(extra={"adapter.type": "lora"}), NO, ["not-a-model:adapter"]),
    "checkpoint": (Tiny(extra={"training.type": "finetune_lora"}), NO, ["not-a-model:checkpoint"]),
    "projector": (Tiny(extra={"general.type": "mmproj"}), NO, ["not-a-model:other"]),
    "no architecture": (Tiny(drop=("general.architecture",)), NO, ["not-a-model:other"]),
    "split": (Tiny(**PLAIN, extra={"split.count": 3}, drop=("blk.1.attn_q.weight",)), NO, ["split"]),
    "missing": (Tiny(**PLAIN, drop=("blk.1.attn_q.weight",)), NO, ["tensors-missing"]),
    "bias": (Tiny(**PLAIN, more={"blk.0.attn_q.bias": (32,)}), NO, ["tensors-unexpected"]),
    "rope factors": (Tiny(**PLAIN, more={"rope_freqs.weight": (4,)}), NO, ["tensors-unexpected"]),
    "wide heads": (Tiny(**PLAIN, head_size=16), NO, ["head-width"]),
    "misshapen": (Tiny(**PLAIN, extra={"llama.feed_forward_length": 96}), NO, ["tensors-misshapen"]),
    "odd heads": (Tiny(tied=False, pre="gpt-2", kv_heads=3), NO, ["heads", "gqa"]),
    "heads per layer": (
        Tiny(**PLAIN, extra={"llama.attention.head_count_kv": "4, 2"}), NO, ["heads"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_table(tmp_path: Path, case: str) -> None:
    tiny, outcome, codes = TABLE[case]
    verdict = judge(inspect(models.write(tmp_path / "a.gguf", tiny)), CLASSIC)
    assert (verdict.outcome, models.names(verdict.reasons)) == (outcome, codes)
    assert (verdict.recipe is not None) == (outcome is COPY)
    for reason, problem in zip(verdict.reasons, verdict.problems(), strict=True):
        assert problem.message == reason.message
        assert problem.hint
        assert problem.blocking == (reason.outcome is not AS_IT_IS)


def test_recipe_of_a_model_like_smollm2(tmp_path: Path) -> None:
    verdict = judge(inspect(models.write(tmp_path / "a.gguf")), CLASSIC)
    assert verdict.recipe == Recipe(output_type="F32", untie=True, repeat_heads=2, pre="starcoder")
    assert verdict.copy_bytes > verdict.model.size
    assert "converted copy" in verdict.summary()


def test_recipe_changes_only_what_is_needed(tmp_path: Path) -> None:
    verdict = judge(inspect(models.write(tmp_path / "a.gguf", TABLE["linear rope"][0])), CLASSIC)
    assert verdict.recipe == Recipe(rope_factor=4.0)


def test_all_reasons_at_once(tmp_path: Path) -> None:
    tiny = Tiny(head_size=16, more={"rope_freqs.weight": (4,)}, extra={"llama.rope.scaling.type": "yarn"}, kind="Q4_1")
    path = models.write(tmp_path / "a.gguf", tiny)
    path.write_bytes(path.read_bytes()[:-500])
    assert models.names(judge(inspect(path), CLASSIC).reasons) == [
        "gguf-truncated", "tensors-unexpected", "head-width", "rope",
        "tied", "gqa", "pre-tokenizer", "format",
    ]  # fmt: skip


def test_vocabulary_only(tmp_path: Path) -> None:
    path = models.write(tmp_path / "a.gguf", Tiny(drop=tuple(Tiny().shapes())))
    verdict = judge(inspect(path), CLASSIC)
    assert models.names(verdict.reasons) == ["not-a-model:vocabulary"]


def test_an_engine_that_takes_all(tmp_path: Path) -> None:
    modern = Accepts.of({"extras": True, "rope_scaling": ["none", "linear", "scale_linear", "yarn"]})
    for tiny in (Tiny(), Tiny(arch="qwen2"), Tiny(head_size=16), Tiny(kind="BF16"), Tiny(extra=LINEAR)):
        assert judge(inspect(models.write(tmp_path / "a.gguf", tiny)), modern).outcome is AS_IT_IS


def test_what_the_engines_accept_is_understood() -> None:
    for pin in pins():
        accepts = Accepts.of(pin.accepts)
        named = {field.name for field in dataclasses.fields(Accepts)}
        assert pin.accepts.keys() <= named
        assert accepts.tensor_types
        assert accepts.tensor_types <= {kind.name for kind in GgmlType}


def test_smollm2_has_an_equal_pre_tokenizer_in_the_first_engine() -> None:
    accepts = Accepts.of(pins()[0].accepts)
    assert accepts.pre_tokenizers
    assert equivalent("smollm", accepts.pre_tokenizers) == "starcoder"
