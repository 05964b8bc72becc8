"""Converted copies: right to the last number, small in memory, and never half."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import filelock
import numpy as np
import pytest

from loragui.errors import AppError
from loragui.gguf.read import GgmlType, GgufFile, ValueType, read
from loragui.gguf.write import NewEntry, TensorSpec, Writer
from loragui.jobs.events import Event, Note, Progress, Result
from loragui.jobs.plan import Plan
from loragui.model import convert, recipe
from loragui.model.recipe import KEEP, Recipe
from tests.model import models
from tests.model.models import Tiny

FULL = Recipe(untie=True, repeat_heads=2, pre="starcoder")
KINDS = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]


def _convert(source: Path, target: Path, wanted: Recipe = FULL) -> tuple[GgufFile, list[Event]]:
    events: list[Event] = []
    args = {"source": str(source), "target": str(target), "recipe": wanted.to_json()}
    convert.convert_job(json.loads(json.dumps(args)), events.append)
    return read(target), events


def _repeated(rows: np.ndarray, heads: int, times: int) -> np.ndarray:
    return np.repeat(rows.reshape(heads, -1, rows.shape[-1]), times, axis=0).reshape(-1, rows.shape[-1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("output", ["F32", "F16", KEEP])
def test_every_tensor(tmp_path: Path, kind: str, output: str) -> None:
    source = read(models.write(tmp_path / "a.gguf", Tiny(kind=kind)))
    wanted = Recipe(output_type=output, untie=True, repeat_heads=2, pre="starcoder")
    copy, _ = _convert(source.path, tmp_path / "b.gguf", wanted)
    assert copy.problems() == ()
    assert {t.name for t in copy.tensors} == {t.name for t in source.tensors} | {"output.weight"}
    for tensor in copy.tensors:
        before = models.numbers(source, "token_embd.weight" if tensor.name == "output.weight" else tensor.name)
        if ".attn_k." in tensor.name or ".attn_v." in tensor.name:
            before = _repeated(before, 2, 2)
        found = models.numbers(copy, tensor.name)
        if output == "F16" and len(tensor.shape) > 1:
            before = before.astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(found, before)
        vector = "F32" if len(tensor.shape) == 1 else kind if output == KEEP else output
        assert tensor.type.name == vector
    assert copy.count("general.file_type") == {"F32": 0, "F16": 1, KEEP: 7}[output]


@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q4_1"])
@pytest.mark.parametrize(("heads", "kv_heads"), [(4, 2), (4, 1), (6, 3), (6, 2)])
def test_attention_is_the_same(tmp_path: Path, kind: str, heads: int, kv_heads: int) -> None:
    tiny = Tiny(kind=kind, heads=heads, kv_heads=kv_heads, head_size=32, width=heads * 32, inner=64)
    source = read(models.write(tmp_path / "a.gguf", tiny))
    copy, _ = _convert(source.path, tmp_path / "b.gguf", Recipe(untie=True, repeat_heads=heads // kv_heads))
    states = np.random.default_rng(7).standard_normal((9, tiny.width)) / 50  # softmax not saturated
    for layer in range(tiny.layers):
        before, after = models.attention(source, layer, states), models.attention(copy, layer, states)
        np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9)
    assert (copy.count("llama.attention.head_count_kv"), source.count("llama.attention.head_count_kv")) == (
        heads,
        kv_heads,
    )


@pytest.mark.parametrize("kind", sorted(recipe.UNPACKABLE))
def test_every_format_can_be_unpacked(kind: GgmlType) -> None:
    data = bytes(range(kind.block_bytes % 256)) + bytes(kind.block_bytes - kind.block_bytes % 256)
    assert convert.unpack(data * 3, kind).shape == (3 * kind.block_size,)


def test_metadata_is_kept_and_noted(tmp_path: Path) -> None:
    source = read(models.write(tmp_path / "a.gguf", Tiny(extra={"general.url": "somewhere", "llama.x": 1.5})))
    wanted = Recipe(untie=True, repeat_heads=2, pre="starcoder", rope_factor=4.0)
    copy, _ = _convert(source.path, tmp_path / "b.gguf", wanted)
    changed = {"general.file_type", "llama.attention.head_count_kv", "tokenizer.ggml.pre"}
    kinds = {entry.key: entry.kind for entry in copy.entries}
    for entry in source.entries:
        assert kinds[entry.key] == entry.kind
        if entry.key not in changed | {"tokenizer.ggml.tokens"}:
            assert copy.metadata[entry.key] == entry.value
    tokens = copy.array("tokenizer.ggml.tokens")
    assert tokens is not None
    assert list(tokens) == [f"t{n}" for n in range(24)]
    assert copy.text("tokenizer.ggml.pre") == "starcoder"
    assert copy.number("llama.rope.scale_linear") == 4.0
    assert copy.text(convert.NOTE_SOURCE) == "a.gguf"
    assert copy.text(convert.NOTE_PRE) == "smollm"
    assert "repeated 2 times" in copy.text(convert.NOTE_CHANGES)
    assert len(copy.text(convert.NOTE_HASH)) == 64


def test_other_alignments_become_the_usual_one(tmp_path: Path) -> None:
    entry = NewEntry(key="general.alignment", kind=ValueType.UINT32, value=256)
    specs = [TensorSpec(name=f"w{n}", shape=(5,), type=GgmlType.F32) for n in range(3)]
    with (tmp_path / "a.gguf").open("wb") as out:
        writer = Writer(out, [entry, *models.entries(Tiny())], specs, alignment=256)
        for number, spec in enumerate(specs):
            writer.write(np.full(5, number, dtype="<f4").tobytes())
            writer.end(spec.name)
    copy, _ = _convert(tmp_path / "a.gguf", tmp_path / "b.gguf", Recipe())
    assert (copy.alignment, copy.problems()) == (32, ())
    assert [list(models.numbers(copy, spec.name)) for spec in specs] == [[0.0] * 5, [1.0] * 5, [2.0] * 5]


def test_size_is_known_before(tmp_path: Path) -> None:
    source = models.write(tmp_path / "a.gguf")
    plan = convert.convert_plan(source, tmp_path / "b.gguf", FULL)
    copy, events = _convert(source, tmp_path / "b.gguf")
    assert 0 <= plan.facts["bytes"] - copy.size < 4096
    assert Plan.from_json(plan.to_json()) == plan
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[-1].total == plan.facts["bytes"] + source.stat().st_size
    assert progress[-1].done == progress[-1].total
    assert sorted(tmp_path.iterdir()) == [source, tmp_path / "b.gguf"]


def test_a_finished_copy_is_kept(tmp_path: Path) -> None:
    source = models.write(tmp_path / "a.gguf")
    target = tmp_path / "b.gguf"
    _convert(source, target)
    before = target.stat().st_mtime_ns
    _, events = _convert(source, target)
    assert target.stat().st_mtime_ns == before
    result = events[-1]
    assert isinstance(result, Result)
    assert (result.values["reused"], result.values["model"]) == (True, str(target))
    _, events = _convert(source, target, Recipe(output_type="F16"))
    assert isinstance(events[-1], Result)
    assert not events[-1].values["reused"]
    models.write(source, Tiny(seed=2))
    _, events = _convert(source, target, Recipe(output_type="F16"))
    assert isinstance(events[-1], Result)
    assert not events[-1].values["reused"]


def test_a_damaged_copy_is_made_again(tmp_path: Path) -> None:
    source, target = models.write(tmp_path / "a.gguf"), tmp_path / "b.gguf"
    whole = _convert(source, target)[0].path.read_bytes()
    target.write_bytes(whole[:-1000])
    _convert(source, target)
    assert target.read_bytes() == whole


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _nan(path: Path) -> None:
    tensor = read(path).tensors[2]
    data = bytearray(path.read_bytes())
    data[tensor.offset : tensor.offset + 4] = np.float32("nan").tobytes()
    path.write_bytes(data)


@pytest.mark.parametrize(("harm", "code"), [(_cut, "gguf-truncated"), (_nan, "nan")])
def test_bad_sources(tmp_path: Path, harm: Callable[[Path], None], code: str) -> None:
    source = models.write(tmp_path / "a.gguf", Tiny(kind="F32"))
    harm(source)
    with pytest.raises(AppError) as caught:
        _convert(source, tmp_path / "b.gguf", Recipe(output_type="F16"))
    assert caught.value.problem.code == code
    assert list(tmp_path.iterdir()) == [source]


def test_numbers_too_large_for_f16(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    with path.open("wb") as out:
        writer = Writer(out, models.entries(Tiny()), [TensorSpec(name="w", shape=(2, 1), type=GgmlType.F32)])
        writer.write(np.array([1.0, 70000.0], dtype="<f4").tobytes())
        writer.end("w")
    with pytest.raises(AppError, match="too large for F16"):
        _convert(path, tmp_path / "b.gguf", Recipe(output_type="F16"))


def test_full_disk_is_said_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = models.write(tmp_path / "a.gguf")
    monkeypatch.setattr(convert, "RESERVE", 1 << 60)
    with pytest.raises(AppError, match="are free on this disk"):
        _convert(source, tmp_path / "b.gguf")
    assert list(tmp_path.iterdir()) == [source]


def test_only_one_at_a_time(tmp_path: Path) -> None:
    source = models.write(tmp_path / "a.gguf")
    with (
        filelock.FileLock(tmp_path / ".b.gguf.lock"),
        pytest.raises(AppError, match=r"b\.gguf is already being made"),
    ):
        _convert(source, tmp_path / "b.gguf")


CHILD = """
import json, sys
from loragui.jobs import events
from loragui.model.convert import convert_job
convert_job(json.loads(sys.argv[1]), lambda event: print(events.to_line(event, 0.0), flush=True))
if sys.platform == "linux":
    import pathlib
    # VmHWM is this program's own; ru_maxrss begins with that of whoever started it.
    status = pathlib.Path("/proc/self/status").read_text()
    print(int(status.split("VmHWM:")[1].split()[0]) * 1024)
"""


def _big(path: Path, rows: int) -> Path:
    """A model whose token embedding is ``rows`` * 1024 numbers; zeros in Q8_0, so it is quickly made."""
    tiny = Tiny(width=1024, head_size=256, vocabulary=rows)
    specs = [
        TensorSpec(name=name, shape=shape, type=GgmlType.F32 if len(shape) == 1 else GgmlType.Q8_0)
        for name, shape in tiny.shapes().items()
    ]
    with path.open("wb") as out:
        writer = Writer(out, models.entries(tiny), specs)
        for tensor in writer.tensors:
            writer.write(bytes(tensor.nbytes))
            writer.end(tensor.name)
    return path


def _child(source: Path, target: Path) -> subprocess.Popen[str]:
    args = json.dumps({"source": str(source), "target": str(target), "recipe": FULL.to_json()})
    argv = [sys.executable, "-c", CHILD, args]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="measures with /proc")
def test_memory_stays_small(tmp_path: Path) -> None:
    rows = 32_000
    largest = rows * 1024 * 4  # 131 MB in F32
    child = _child(_big(tmp_path / "a.gguf", rows), tmp_path / "b.gguf")
    peak = int(child.communicate()[0].splitlines()[-1])
    assert child.returncode == 0
    assert (tmp_path / "b.gguf").stat().st_size > 2 * largest
    assert peak < 2 * largest + (200 << 20)
    assert peak < 150 << 20  # in fact it does not depend on the tensors at all


def test_killed_in_the_middle(tmp_path: Path) -> None:
    source, target = _big(tmp_path / "a.gguf", 32_000), tmp_path / "b.gguf"
    child = _child(source, target)
    assert child.stdout is not None
    for line in child.stdout:
        if '"Progress"' in line and convert.part_path(target).exists():
            child.kill()
            break
    child.stdout.close()
    assert child.wait() == (-signal.SIGKILL if os.name == "posix" else 1)
    assert not target.exists()
    assert convert.part_path(target).exists()
    copy, events = _convert(source, target)
    assert copy.problems() == ()
    assert any(isinstance(event, Note) and "Writing" in event.text for event in events)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gguf", "b.gguf"]
