"""A copy of a base model that an engine can train: streamed in pieces, so that memory stays small.

The copy is written beside its place and renamed when all of it is on the disk. It says in its metadata what
was done and from which file (by hash), so a finished copy is found again and a half one never passes for one.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import filelock

from loragui.errors import AppError
from loragui.gguf.lazy import Entry
from loragui.gguf.read import GgmlType, GgufFile, ValueType, read
from loragui.gguf.write import NewEntry, Writer, pieces
from loragui.jobs.events import Note, Progress, Result
from loragui.jobs.plan import Plan, Step
from loragui.jobs.pyjob import Emit, job_command
from loragui.model import recipe as recipes
from loragui.model.inspect import BaseModel, inspect
from loragui.model.recipe import KEEP, CopiedTensor, Recipe
from loragui.paths import require_space

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KIND = "model-convert"
VERSION = 1
"""Raised when the same recipe would give another copy."""
NOTE_RECIPE = "loragui.recipe"
NOTE_CHANGES = "loragui.changes"
NOTE_SOURCE = "loragui.source.name"
NOTE_HASH = "loragui.source.sha256"
NOTE_PRE = "loragui.source.pre"
NOTE_ENGINE_PRE = "loragui.engine.pre"
"""In a finished model, see ``truename``; as long as the other, and never beside it."""

ELEMENTS = 1 << 20
"""Numbers that are unpacked at once: 4 MB of them, some 20 MB with everything in between."""
RESERVE = 64 << 20
"""Bytes that must stay free on the disk."""
READ = 1 << 22
DROPPED = {"general.alignment", NOTE_ENGINE_PRE}
_FILE_TYPES = {"F32": 0, "F16": 1}
"""``general.file_type`` (llama.h, ``llama_ftype``)."""


def target_name(source: Path, recipe: Recipe) -> str:
    """A file name for the copy: what it was, and what it is for."""
    kind = "" if recipe.output_type == KEEP else f".{recipe.output_type}"
    return f"{source.stem}.trainable{kind}.gguf"


def convert_plan(source: Path, target: Path, recipe: Recipe) -> Plan:
    """The plan that makes the copy ``target`` of ``source``. It takes about as long as copying the result."""
    args = {"source": str(source), "target": str(target), "recipe": recipe.to_json()}
    title = f"Converting {source.name}"
    step = Step(id="convert", title=title, command=job_command(KIND, args))
    facts = {**args, "changes": list(recipe.changes()), "bytes": recipes.copy_bytes(read(source), recipe)}
    return Plan(kind=KIND, title=title, steps=(step,), facts=facts)


def convert_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``model-convert``: make the copy, or find that it is there already. Its result names ``model``."""
    source, target = Path(args["source"]), Path(args["target"])
    recipe = Recipe.from_json(args["recipe"])
    file = read(source)
    for problem in file.problems():
        raise AppError.of(problem)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target):
        total = source.stat().st_size + recipes.copy_bytes(file, recipe)
        progress = _Progress(emit, total)
        emit(Note(text=f"Reading {source.name}"))
        sha256 = _hash(source, progress)
        reused = is_copy(target, recipe, sha256)
        if reused:
            emit(Note(text=f"{target.name} is there already and is kept."))
        else:
            part_path(target).unlink(missing_ok=True)
            require_space(target.parent, recipes.copy_bytes(file, recipe), "The converted copy", reserve=RESERVE)
            emit(Note(text=f"Writing {target.name}: {', '.join(recipe.changes())}"))
            _write(file, target, recipe, sha256, progress)
        progress.finish()
    values = {"model": str(target), "bytes": target.stat().st_size, "reused": reused, "sha256": sha256}
    emit(Result(values=values))


def is_copy(target: Path, recipe: Recipe, sha256: str) -> bool:
    """Whether ``target`` is a whole copy, by this recipe, of the file with that hash."""
    try:
        file = read(target)
    except AppError:
        return False
    same = file.text(NOTE_HASH) == sha256 and file.text(NOTE_RECIPE) == _recipe_text(recipe)
    return same and not file.problems()


def seems_copy(target: Path, source: BaseModel, recipe: Recipe) -> bool:
    """Whether ``target`` looks like the copy of ``source`` by this recipe, without reading all of the source.

    The job itself compares the hash.
    """
    try:
        file, copy = read(target), inspect(target)
    except AppError:
        return False
    noted = (file.text(NOTE_SOURCE), file.text(NOTE_RECIPE)) == (source.path.name, _recipe_text(recipe))
    return noted and not file.problems() and _shape(copy) == _shape(source)


def _shape(model: BaseModel) -> tuple[object, ...]:
    return model.name, model.layers, model.embedding, model.feed_forward, model.heads, model.vocabulary_size


def _recipe_text(recipe: Recipe) -> str:
    return json.dumps({"version": VERSION, **recipe.to_json()}, sort_keys=True)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    lock_file = target.with_name(f".{target.name}.lock")
    lock = filelock.FileLock(lock_file, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise AppError(
            f"{target.name} is already being made.", "Wait until that is done.", code="already-running"
        ) from error
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):
            lock_file.unlink()


class _Progress:
    """Adds up bytes and tells of them, at most five times a second."""

    def __init__(self, emit: Emit, total: int) -> None:
        self._emit = emit
        self._total = total
        self._done = 0
        self._told = 0.0

    def add(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._told >= 0.2 or self._done >= self._total:
            self._told = now
            self._emit(Progress(done=min(self._done, self._total), total=self._total, unit="bytes"))

    def finish(self) -> None:
        self._emit(Progress(done=self._total, total=self._total, unit="bytes"))


def _hash(path: Path, progress: _Progress) -> str:
    found = hashlib.sha256()
    for piece in pieces(path, 0, path.stat().st_size, READ):
        found.update(piece)
        progress.add(len(piece))
    return found.hexdigest()


def part_path(target: Path) -> Path:
    """Where the copy is written until it is whole."""
    return target.with_name(f"{target.name}.part")


def _write(file: GgufFile, target: Path, recipe: Recipe, sha256: str, progress: _Progress) -> None:
    part = part_path(target)
    try:
        with part.open("wb") as out:
            copied = recipes.tensors(file, recipe)
            writer = Writer(out, _entries(file, recipe, sha256), [tensor.spec for tensor in copied])
            with file.path.open("rb") as source:
                for tensor in copied:
                    for piece in _tensor(source, tensor, file):
                        writer.write(piece)
                        progress.add(len(piece))
                    writer.end(tensor.spec.name)
            writer.finish()
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _entries(file: GgufFile, recipe: Recipe, sha256: str) -> list[Entry | NewEntry]:
    """The source's metadata with the changes, and notes of what was done."""
    text, number = ValueType.STRING, ValueType.UINT32
    new = [
        NewEntry(key=NOTE_SOURCE, kind=text, value=file.path.name),
        NewEntry(key=NOTE_HASH, kind=text, value=sha256),
        NewEntry(key=NOTE_RECIPE, kind=text, value=_recipe_text(recipe)),
        NewEntry(key=NOTE_CHANGES, kind=text, value="; ".join(recipe.changes())),
    ]
    if recipe.output_type != KEEP:
        new.append(NewEntry(key="general.file_type", kind=number, value=_FILE_TYPES[recipe.output_type]))
    if recipe.repeat_heads > 1:
        heads = file.count("llama.attention.head_count") or 0
        new.append(NewEntry(key="llama.attention.head_count_kv", kind=number, value=heads))
    if recipe.pre:
        new.append(NewEntry(key="tokenizer.ggml.pre", kind=text, value=recipe.pre))
        new.append(NewEntry(key=NOTE_PRE, kind=text, value=file.text("tokenizer.ggml.pre")))
    if recipe.rope_factor != 1.0:
        new.append(NewEntry(key="llama.rope.scale_linear", kind=ValueType.FLOAT32, value=recipe.rope_factor))
    changed = {entry.key: entry for entry in new}
    kept = [changed.pop(entry.key, entry) for entry in file.entries if entry.key not in DROPPED]
    return [*kept, *changed.values()]


def _tensor(source: BinaryIO, tensor: CopiedTensor, file: GgufFile) -> Iterator[bytes]:
    """The bytes of one tensor of the copy, in pieces."""
    row = tensor.source.row_bytes
    for first in range(0, tensor.source.rows, tensor.block_rows):
        for _ in range(tensor.repeat):
            start, count = tensor.source.offset + first * row, tensor.block_rows * row
            yield from _span(source, tensor, start, count, file)


def _span(source: BinaryIO, tensor: CopiedTensor, start: int, count: int, file: GgufFile) -> Iterator[bytes]:
    """``count`` bytes of whole blocks from ``start`` on, in the copy's number format."""
    kind, wanted = tensor.source.type, tensor.spec.type
    step = ELEMENTS // kind.block_size * kind.block_bytes
    source.seek(start)
    while count > 0:
        data = source.read(min(step, count))
        if len(data) != min(step, count):
            raise AppError(f"{file.path.name} became shorter while it was read.", "Try again.", code="gguf-changed")
        count -= len(data)
        yield data if kind is wanted else _packed(unpack(data, kind), wanted, tensor, file)


def unpack(data: bytes, kind: GgmlType) -> NDArray[np.float32]:
    """The numbers in whole blocks of a format, as F32."""
    import numpy as np
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize

    blocks = np.frombuffer(data, dtype=np.uint8).reshape(-1, kind.block_bytes)
    return dequantize(blocks.reshape(1, -1), GGMLQuantizationType(int(kind))).reshape(-1)


def _packed(numbers: NDArray[np.float32], wanted: GgmlType, tensor: CopiedTensor, file: GgufFile) -> bytes:
    import numpy as np

    if not np.isfinite(numbers).all():
        raise AppError(
            f"{file.path.name} is damaged: {tensor.source.name} holds values that are not numbers.",
            "Download the model again, or choose another file of it.",
            code="nan",
        )
    if wanted is GgmlType.F32:
        return numbers.astype("<f4", copy=False).tobytes()
    if np.abs(numbers).max() > np.finfo(np.float16).max:
        raise AppError(
            f"{tensor.source.name} holds numbers that are too large for F16.",
            "Convert to F32 instead.",
            code="f16-range",
        )
    return numbers.astype("<f2").tobytes()
