"""LoRAs of real trainings merged by the real engine, and asked."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

from loragui.engine import classic
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.gguf.read import GgufFile, read
from loragui.gguf.rewrite import overwrite_metadata
from loragui.jobs import client
from loragui.jobs.folder import DONE
from loragui.model import truename
from loragui.model.convert import NOTE_ENGINE_PRE
from loragui.model.inspect import inspect
from loragui.result import merge, prove
from loragui.result.prove import Candidate
from loragui.training import start
from loragui.training.artifacts import read_lora
from loragui.training.checkpoints import checkpoint_path, lora_path
from tests import tiny
from tests.training.trainings import MARKER, SETTINGS, Begin, maker

pytestmark = pytest.mark.real


@pytest.fixture
def begin(engine: Engine, tmp_path: Path) -> Begin:
    return maker(engine, tmp_path)


def test_the_merged_model_says_what_base_and_lora_say(begin: Begin, engine: Engine) -> None:
    training = begin(dataclasses.replace(SETTINGS, iterations=60, save_every=30, learning_rate=1e-2))
    assert client.run_to_end(training).state == DONE
    runs = training.path.parent
    wanted = merge.merge_of("Tiny", training.path, iteration=None, output_type="Q8_0", strength=1.0, keep_f32=True)
    folder = merge.create(runs, wanted, engine)
    ended = client.run_to_end(folder)
    assert ended.state == DONE, ended.problem
    merged = merge.output_path(folder.path)
    assert merged.name == "tiny-0001-60.Q8_0.gguf"
    base = Path(wanted.base_model)
    candidates = (
        Candidate(id="base", title="Base", model=base),
        Candidate(id="lora", title="LoRA", model=base, lora=Path(wanted.lora)),
        Candidate(id="wide", title="Wide", model=folder.path / merge.MERGED_F32),
        Candidate(id="merged", title="Merged", model=merged),
    )
    asked = prove.create(runs, engine, candidates, "The lamp", tokens=24, threads=1, seed=1)
    assert client.run_to_end(asked).state == DONE
    proof = prove.weigh(prove.texts(asked), tiny.samples())
    assert proof.agreement > 0.95
    assert proof.texts["base"] != proof.texts["lora"]


def test_a_lora_of_another_base_is_refused(begin: Begin, engine: Engine) -> None:
    training = begin()
    assert client.run_to_end(training).state == DONE
    wanted = merge.merge_of("Tiny", training.path, iteration=8, output_type="Q8_0", strength=1.0)
    other = training.path / "other.gguf"
    tiny.write(other, tiny.Tiny(embedding=64, feed_forward=128))
    folder = merge.create(training.path.parent, dataclasses.replace(wanted, base_model=str(other)), engine)
    ended = client.run_to_end(folder)
    assert ended.problem is not None
    assert ended.problem.code == "other-base"
    with pytest.raises(AppError, match="not produced a model"):
        merge.output_path(folder.path)
    with pytest.raises(AppError, match="no LoRA of iteration 7"):
        merge.merge_of("Tiny", training.path, iteration=7, output_type="Q8_0", strength=1.0)
    lora_path(training.path, 8).write_bytes(checkpoint_path(training.path, 12).read_bytes())
    folder = merge.create(training.path.parent, wanted, engine)
    ended = client.run_to_end(folder)
    assert ended.problem is not None
    assert ended.problem.code == "not-a-lora"


@pytest.mark.parametrize("output_type", ["Q8_0", "F16", "F32"])
def test_a_lora_of_a_packed_base_is_merged_at_full_precision(
    begin: Begin, gcc_engine: Engine, output_type: str
) -> None:
    training = begin()
    base = start.load(training.path).base_model.resolve(training.path)
    wide = base.rename(base.with_name("wide.gguf"))
    argv = classic.quantize_argv(gcc_engine, str(wide), str(base), "Q8_0")
    subprocess.run(argv, check=True, capture_output=True)
    assert client.run_to_end(training).state == DONE
    wanted = merge.merge_of("Packed", training.path, iteration=None, output_type=output_type, strength=1)
    folder = merge.create(training.path.parent, wanted, gcc_engine)
    ended = client.run_to_end(folder)
    assert ended.state == DONE, ended.problem
    merged = merge.output_path(folder.path)
    assert inspect(merged).file_type == output_type
    assert [path.name for path in folder.path.glob("*.gguf")] == [merged.name], "nothing large is left over"


def refused(lora: Path, base: GgufFile) -> bool:
    try:
        return bool(merge.absent(read_lora(lora), base))
    except AppError as error:
        return error.problem.code in {"lora-damaged", "lora-empty", "not-a-lora"}


def test_a_real_lora_cut_at_any_byte_is_refused(begin: Begin) -> None:
    """By the reader, or between two tensors by the comparison with the base model."""
    training = begin(dataclasses.replace(SETTINGS, iterations=1, rank=1))
    assert client.run_to_end(training).state == DONE
    wanted = merge.merge_of("Tiny", training.path, iteration=None, output_type="Q8_0", strength=1)
    base, lora = read(Path(wanted.base_model)), Path(wanted.lora)
    found = read_lora(lora)
    assert merge.mismatch(found, base) == merge.absent(found, base) == ""
    assert {tensor.base for tensor in found.tensors} == {tensor.name for tensor in base.tensors}
    whole = lora.read_bytes()
    ends = [tensor.offset + tensor.nbytes for tensor in found.tensors]
    assert ends[-1] == len(whole)
    near = {end + step for end in ends for step in range(-48, 80)} | {0} | set(range(0, len(whole), 97))
    for cut in sorted(cut for cut in near if cut < len(whole)):
        lora.write_bytes(whole[:cut])
        assert refused(lora, base), cut


def test_a_renamed_pre_tokenizer_gets_its_true_name_and_says_the_same(
    smollm_copy: Path, engine: Engine, tmp_path: Path
) -> None:
    project = tmp_path / "demo"
    (project / "data").mkdir(parents=True)
    data = project / "data" / "train.txt"
    data.write_text(tiny.samples(), encoding="utf-8")
    settings = dataclasses.replace(SETTINGS, batch_size=1, iterations=2, save_every=2, rank=2, alpha=2)
    request = start.Request(
        data=data, marker=MARKER, samples=20, base_model=smollm_copy, engine=engine, settings=settings
    )
    training = start.create(project / "runs", request)
    assert client.run_to_end(training).state == DONE
    wanted = merge.merge_of("Smol", training.path, iteration=None, output_type="Q8_0", strength=1)
    folder = merge.create(project / "runs", wanted, engine)
    ended = client.run_to_end(folder)
    assert ended.state == DONE, ended.problem
    merged = merge.output_path(folder.path)
    assert read(merged).text(truename.PRE) == "smollm"
    old = shutil.copyfile(merged, tmp_path / "old.gguf")
    file = read(old)
    names = {truename.PRE: "starcoder", NOTE_ENGINE_PRE: "smollm"}
    entries = [
        dataclasses.replace(entry, value=names[entry.key]) if entry.key in names else entry for entry in file.entries
    ]
    assert overwrite_metadata(file, entries)
    (tmp_path / "prompt.txt").write_text("In 1984 , the  keeper's lamp didn't\n", encoding="utf-8")
    said = [
        subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True).stdout
        for argv in (
            classic.generate_argv(engine, model=str(old), prompt_file="prompt.txt", tokens=16),
            classic.generate_argv(engine, model=str(merged), prompt_file="prompt.txt", tokens=16, pre="starcoder"),
        )
    ]
    assert said[0] == said[1]
    assert said[0].strip()
