from __future__ import annotations

from pathlib import Path

import pytest

from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.gguf.read import read
from loragui.result import merge
from loragui.result.merge import Merge
from loragui.training.artifacts import Lora, LoraTensor
from tests import tiny

PROGRAMS = {name: name for name in ("finetune", "main", "quantize", "export-lora")}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An engine on paper."""
    return Engine(
        name="paper", folder=tmp_path / "engine", pin="b2896", commit="", recipe="gcc", built="", size=0,
        programs=PROGRAMS, flags={}, environment={"OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip


def merge_into(base: Path, output_type: str = "Q8_0") -> Merge:
    return Merge(
        base_model=str(base), lora=str(base.parent / "runs" / "0001" / "lora-8.gguf"), iteration=8, strength=0.5,
        output_type=output_type, output=f"tale-0001-8.{output_type}.gguf",
    )  # fmt: skip


def test_the_plan_checks_merges_packs_and_loads(tmp_path: Path, engine: Engine) -> None:
    base = tmp_path / "base.gguf"
    tiny.write(base, tiny.Tiny())
    plan = merge.plan(merge_into(base), tmp_path / "runs" / "0002", engine)
    assert [step.id for step in plan.steps] == ["check", "merge", "quantize", "finish", "load"]
    program = str(engine.folder / "export-lora")
    assert plan.steps[1].command.argv == (
        program, "--model-base", "../../base.gguf", "--model-out", "merged-f32.gguf",
        "--lora-scaled", "../0001/lora-8.gguf", "0.5", "--threads", "1",
    )  # fmt: skip
    assert plan.steps[2].command.argv == (
        str(engine.folder / "quantize"), "--allow-requantize", "merged-f32.gguf", "merged.gguf", "Q8_0",
    )  # fmt: skip
    assert plan.steps[1].command.env == engine.environment


def test_full_precision_needs_no_packing(tmp_path: Path, engine: Engine) -> None:
    base = tmp_path / "base.gguf"
    tiny.write(base, tiny.Tiny(half=True))
    plan = merge.plan(merge_into(base, "F32"), tmp_path / "runs" / "0002", engine)
    assert [step.id for step in plan.steps] == ["check", "merge", "finish", "load"]


@pytest.mark.real
def test_a_packed_base_is_unpacked_first(tmp_path: Path, gcc_engine: Engine, engine: Engine) -> None:
    import subprocess

    wide, base = tmp_path / "wide.gguf", tmp_path / "base.gguf"
    tiny.write(wide, tiny.Tiny())
    subprocess.run([gcc_engine.program("quantize"), wide, base, "Q8_0"], check=True, capture_output=True)
    plan = merge.plan(merge_into(base), tmp_path / "runs" / "0002", engine)
    assert [step.id for step in plan.steps] == ["check", "widen", "merge", "quantize", "finish", "load"]
    assert plan.steps[1].command.argv[-3:] == ("../../base.gguf", "base-f32.gguf", "F32")
    assert "base-f32.gguf" in plan.steps[2].command.argv


@pytest.mark.parametrize(
    ("tensor", "side", "shape", "problem"),
    [
        ("blk.0.attn_q.weight", "A", (4, 32), ""),
        ("blk.0.ffn_up.weight", "B", (4, 64), ""),
        ("output_norm.weight", "A", (1, 32), ""),
        ("output_norm.weight", "B", (1,), ""),
        ("blk.0.attn_q.weight", "A", (4, 16), "another size"),
        ("blk.0.ffn_up.weight", "B", (4, 32), "another size"),
        ("blk.9.attn_q.weight", "A", (4, 32), "has no blk.9"),
    ],
)
def test_a_lora_of_another_base_is_seen(
    tmp_path: Path, tensor: str, side: str, shape: tuple[int, ...], problem: str
) -> None:
    base = tmp_path / "base.gguf"
    tiny.write(base, tiny.Tiny())
    part = LoraTensor(base=tensor, side=side, shape=shape, offset=0, nbytes=0)
    said = merge.mismatch(Lora(path=base, rank=4, alpha=4, tensors=(part,)), read(base))
    assert problem in said
    assert bool(problem) == bool(said)


def test_an_unknown_type_and_a_full_disk_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="Q9_0"):
        merge.merge_of("T", tmp_path, iteration=None, output_type="Q9_0", strength=1)
    with pytest.raises(AppError, match="free disk space"):
        merge.check_space(tmp_path, 1 << 60)
    assert merge.free_space_needed(100, wide=True) < merge.free_space_needed(100, wide=False)
