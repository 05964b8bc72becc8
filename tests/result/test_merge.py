from __future__ import annotations

import dataclasses
import json
import math
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.gguf.read import read
from loragui.jobs.events import Event, Note, Result
from loragui.paths import require_space, write_json
from loragui.project import FileRef, Hyperparameters
from loragui.result import merge
from loragui.result.merge import Merge
from loragui.training import start
from loragui.training.artifacts import Lora, LoraTensor, read_lora
from loragui.training.checkpoints import lora_path
from tests import tiny
from tests.training.files import lora_bytes, paper_engine, write_lora


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An engine on paper."""
    return paper_engine(tmp_path / "engine")


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
    assert plan.steps[4].command.argv == (
        str(engine.folder / "main"), "--model", "tale-0001-8.Q8_0.gguf", "--file", "hello.txt", "--n-predict", "4",
        "--ctx-size", "64", "--temp", "0", "--seed", "1", "--threads", "1", "--no-display-prompt", "--simple-io",
        "--log-disable",
    )  # fmt: skip
    assert [step.command.reader for step in plan.steps] == ["events", "export-lora", "quantize", "events", "generate"]
    assert all(plan.steps[number].command.env == engine.environment for number in (1, 2, 4))
    for step in (plan.steps[0], plan.steps[3]):
        facts = json.loads(step.command.argv[-1])
        assert (facts["base_model"], facts["lora"]) == ("../../base.gguf", "../0001/lora-8.gguf"), "a move changes them"


def test_full_precision_needs_no_packing(tmp_path: Path, engine: Engine) -> None:
    base = tmp_path / "base.gguf"
    tiny.write(base, tiny.Tiny(half=True))
    plan = merge.plan(merge_into(base, "F32"), tmp_path / "runs" / "0002", engine)
    assert [step.id for step in plan.steps] == ["check", "merge", "finish", "load"]


@pytest.mark.real
def test_a_packed_base_is_unpacked_first(tmp_path: Path, gcc_engine: Engine, engine: Engine) -> None:
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
        require_space(tmp_path, 1 << 60, "Merging")
    assert merge.free_space_needed(100, packed=False) == 600
    assert merge.free_space_needed(100, packed=True) == 1000


BLOCK = (
    ("attn_norm", 1, 32, 1), ("attn_q", 4, 32, 32), ("attn_k", 4, 32, 32), ("attn_v", 4, 32, 32),
    ("attn_output", 4, 32, 32), ("ffn_norm", 1, 32, 1), ("ffn_gate", 4, 32, 64), ("ffn_down", 4, 64, 32),
    ("ffn_up", 4, 32, 64),
)  # fmt: skip


def parts(blocks: int = 2) -> Iterable[tuple[str, int, int, int]]:
    """What the engine trains of a tiny model: base, rank, width and height, in the order in which it writes."""
    yield from (("token_embd.weight", 4, 32, 512), ("output_norm.weight", 1, 32, 1), ("output.weight", 4, 32, 512))
    for block in range(blocks):
        yield from ((f"blk.{block}.{name}.weight", rank, width, height) for name, rank, width, height in BLOCK)


@pytest.fixture
def checked(tmp_path: Path) -> Merge:
    """A merge of a whole LoRA of a tiny model."""
    merge = merge_into(tiny.write(tmp_path / "base.gguf"))
    Path(merge.lora).parent.mkdir(parents=True)
    Path(merge.lora).write_bytes(lora_bytes(parts()))
    return merge


def refusal(wanted: Merge) -> str:
    with pytest.raises(AppError) as error:
        merge.check_job(dataclasses.asdict(wanted), lambda _event: None)
    return error.value.problem.code


def test_a_lora_that_fits_is_let_through(checked: Merge) -> None:
    said: list[Event] = []
    merge.check_job(dataclasses.asdict(checked), said.append)
    assert said == [Note(text="The LoRA fits the base model (rank 4, strength 8/4).")]


def test_a_lora_cut_off_between_two_tensors_is_refused(checked: Merge) -> None:
    lora = Path(checked.lora)
    whole = lora.read_bytes()
    ends = [tensor.offset + tensor.nbytes for tensor in read_lora(lora).tensors]
    assert len(ends) == 42
    for end in ends[:-1]:
        lora.write_bytes(whole[:end])
        assert refusal(checked) == "lora-damaged"


def test_a_lora_with_zeros_for_an_end_is_refused(checked: Merge) -> None:
    """As a PC leaves it that was switched off in the moment of a save."""
    lora = Path(checked.lora)
    whole = lora.read_bytes()
    end = read_lora(lora).tensors[21].offset + read_lora(lora).tensors[21].nbytes
    lora.write_bytes(whole[:end].ljust(len(whole), b"\0"))
    assert refusal(checked) == "lora-damaged"


@pytest.mark.parametrize(("value", "code"), [(math.nan, "nan"), (math.inf, "nan"), (0.0, "lora-empty")])
def test_a_lora_that_is_no_use_is_refused(checked: Merge, value: float, code: str) -> None:
    Path(checked.lora).write_bytes(lora_bytes(parts(), value))
    assert refusal(checked) == code


def test_a_lora_with_more_blocks_than_the_base_is_refused(checked: Merge) -> None:
    Path(checked.lora).write_bytes(lora_bytes(parts(3)))
    assert refusal(checked) == "other-base"
    Path(checked.lora).write_bytes(lora_bytes(parts(1)))
    assert refusal(checked) == "lora-damaged"


def training_in(folder: Path, base: Path) -> Path:
    """A training's folder as far as a merge needs it."""
    folder.mkdir(parents=True)
    snapshot = start.Training(
        base_model=FileRef.of(base, folder), engine="paper", pin="b2896", hyperparameters=Hyperparameters(),
        marker="<S>", samples=2, data_sha256="",
    )  # fmt: skip
    write_json(folder / start.FILE, {"schema": start.SCHEMA, **dataclasses.asdict(snapshot)})
    return folder


def test_without_a_choice_the_newest_usable_lora_is_merged(tmp_path: Path) -> None:
    training = training_in(tmp_path / "runs" / "0001", tiny.write(tmp_path / "base.gguf"))
    with pytest.raises(AppError, match="not saved a LoRA"):
        merge.merge_of("Tale", training, iteration=None, output_type="Q8_0", strength=1)
    lora_path(training, 16).write_bytes(b"algg" + struct.pack("<3I", 1, 4, 4))
    assert merge.merge_of("Tale", training, iteration=None, output_type="Q8_0", strength=1).iteration == 16
    for number in (4, 8):
        write_lora(lora_path(training, number))
    write_lora(lora_path(training, 12), math.nan)
    found = merge.merge_of("Wölfe & Tale", training, iteration=None, output_type="Q4_K_M", strength=1)
    assert found.iteration == 8
    assert found.output == "wolfe-tale-0001-8.Q4_K_M.gguf"
    assert merge.merge_of("Tale", training, iteration=12, output_type="Q8_0", strength=1).iteration == 12
    with pytest.raises(AppError, match="4, 8, 12, 16"):
        merge.merge_of("Tale", training, iteration=5, output_type="Q8_0", strength=1)


def test_a_moved_merge_finds_its_files(tmp_path: Path, engine: Engine) -> None:
    old = tmp_path / "old"
    training = training_in(old / "runs" / "0001", tiny.write(old.parent / "base.gguf"))
    write_lora(lora_path(training, 8))
    wanted = merge.merge_of("Tale", training, iteration=8, output_type="Q8_0", strength=1, keep_f32=True)
    folder = merge.create(old / "runs", wanted, engine).path
    assert merge.load(folder) == wanted
    old.rename(tmp_path / "new")
    moved = tmp_path / "new" / "runs" / folder.name
    found = merge.load(moved)
    assert found.lora == str(tmp_path / "new" / "runs" / "0001" / "lora-8.gguf")
    assert found.base_model == str(tmp_path / "base.gguf")
    lora_path(tmp_path / "new" / "runs" / "0001", 8).unlink()
    assert merge.load(moved).lora == wanted.lora, "the merged model is found without its LoRA"


@pytest.mark.parametrize(
    "content", [None, "", "[]", "null", "{}", '{"schema": 1, "lora": "x"}', '{"schema": 1, "near": 3}']
)
def test_a_folder_without_a_merge_is_told(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / merge.FILE).write_text(content)
    with pytest.raises(AppError, match="holds no merge"):
        merge.load(tmp_path)


def test_a_newer_merge_is_refused(tmp_path: Path) -> None:
    (tmp_path / merge.FILE).write_text('{"schema": 99}')
    with pytest.raises(AppError, match="newer version"):
        merge.load(tmp_path)


def finish(wanted: Merge) -> list[Event]:
    said: list[Event] = []
    merge.finish_job(dataclasses.asdict(wanted), said.append)
    return said


def test_the_merged_file_is_checked_named_and_cleared_up(checked: Merge, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(checked.lora).parent
    monkeypatch.chdir(folder)
    for name in (merge.MERGED, merge.MERGED_F32, merge.BASE_F32):
        tiny.write(folder / name)
    (said,) = finish(checked)
    assert isinstance(said, Result)
    assert said.values["model"] == checked.output
    names = {path.name for path in folder.iterdir()}
    assert names == {"lora-8.gguf", checked.output, merge.HELLO}
    assert finish(checked) == [said], "ended right after the renaming, it goes on"


def test_a_merged_file_that_is_not_whole_is_refused(checked: Merge, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(checked.lora).parent
    monkeypatch.chdir(folder)
    made = tiny.write(folder / merge.MERGED)
    made.write_bytes(made.read_bytes()[:-1000])
    with pytest.raises(AppError):
        finish(checked)
    tiny.write(made, tiny.Tiny(layers=1))
    with pytest.raises(AppError, match="same parts"):
        finish(checked)
    assert not (folder / checked.output).exists()
