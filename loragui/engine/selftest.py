"""The self-test of a freshly built engine: train a tiny model, read back what was saved, merge, pack, let it write.

An exit code proves nothing with this engine, so every part is judged by what it made. The base model and the text are
always the same, so the losses of a revision are known beforehand: an engine that computes other numbers was compiled
wrongly, however well it runs. All of it takes a tenth of a second, on a slow PC a few.
"""

from __future__ import annotations

import itertools
import math
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loragui.engine import classic, tiny
from loragui.engine.installed import Engine
from loragui.engine.logs import ExportLoraReader, FinetuneReader, GenerateReader, QuantizeReader
from loragui.errors import AppError, Problem
from loragui.gguf.read import GgufFile, TensorInfo, read
from loragui.jobs import process
from loragui.jobs.events import Event, Metric, Note, Reader, Result, Trouble
from loragui.jobs.lines import LineSplitter
from loragui.jobs.pyjob import Emit
from loragui.project import Hyperparameters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LIMIT = 120.0
"""Seconds that each program may take: a virus scanner may look at a new one for a while before it starts."""
SETTINGS = Hyperparameters(
    context_size=32, batch_size=2, iterations=8, rank=4, alpha=4, learning_rate=0.01, warmup=0, threads=1, seed=1,
    save_every=100,
)  # fmt: skip
_SHAPE = tiny.Shape()
_FALLEN = 0.95
"""The last loss is at most this part of the first (measured: 0.78 to 0.79)."""
_BASE, _TEXT, _PROMPT, _MERGED, _PACKED = "base.gguf", "train.txt", "prompt.txt", "merged.gguf", "packed.gguf"
_AGAIN = (
    "Build the engine again. If that does not help, choose another way to build. If an antivirus program took a file "
    "away, allow it there first."
)


@dataclass(frozen=True, kw_only=True)
class SelfTest:
    """A self-test that went well: the loss of every iteration, and how many seconds all of it took."""

    losses: tuple[float, ...]
    seconds: float


def selftest(engine: Engine, folder: Path, emit: Emit, *, limit: float = LIMIT) -> SelfTest:
    """Try the engine in the empty ``folder``. AppError, with a code ``selftest-…``, that says what failed."""
    began = time.monotonic()
    tiny.write_tiny(folder / _BASE, _SHAPE)
    (folder / _TEXT).write_text(tiny.training_text(SETTINGS.batch_size, SETTINGS.context_size), encoding="utf-8")
    (folder / _PROMPT).write_text("the ", encoding="utf-8")
    emit(Note(text="Trying the engine: training a tiny model"))
    losses = _train(engine, folder, limit)
    lora = _check_saved(folder)
    emit(Note(text="Trying the engine: merging it"))
    _merge(engine, folder, lora, limit)
    _pack(engine, folder, limit)
    emit(Note(text="Trying the engine: letting the result write"))
    _write(engine, folder, limit)
    return SelfTest(losses=losses, seconds=round(time.monotonic() - began, 3))


def compare(found: SelfTest, expected: tuple[float, ...], tolerance: float = 5e-4) -> Problem | None:
    """The problem when a loss is not the expected one, or None. ``tolerance`` is relative.

    ``expected`` are the losses of the first iterations. Later ones differ between compilers, whose libraries draw
    other random numbers for the LoRA's first values.
    """
    pairs = tuple(zip(found.losses, expected, strict=False))
    if all(math.isclose(loss, known, rel_tol=tolerance) for loss, known in pairs):
        return None
    return Problem(
        message="The engine that was built trains, but computes other numbers than it should.",
        hint="Do not use it. Build it again; if that does not help, choose another way to build.",
        details="\n".join(f"loss {loss:.6f}, expected {known:.6f}" for loss, known in pairs),
        code="selftest-numbers",
    )


def _train(engine: Engine, folder: Path, limit: float) -> tuple[float, ...]:
    argv = classic.finetune_argv(
        engine, SETTINGS, base_model=_BASE, data=_TEXT, marker=tiny.MARKER, checkpoint_in=None,
        iterations=SETTINGS.iterations,
    )  # fmt: skip
    reader = FinetuneReader(folder, {"target": SETTINGS.iterations, "samples": SETTINGS.batch_size})
    found = _run(engine, argv, folder, reader, limit, "train")
    losses = tuple(event.loss for event in found if isinstance(event, Metric))
    if len(losses) != SETTINGS.iterations or not losses[-1] < _FALLEN * losses[0]:
        raise _failed("loss", "The new engine trains, but it does not learn.", f"losses: {losses}")
    return losses


def _check_saved(folder: Path) -> str:
    """The LoRA's name, after a look into it and into the checkpoint."""
    lora, checkpoint = (
        pattern.replace("ITERATION", str(SETTINGS.iterations)) for pattern in (classic.LORAS, classic.CHECKPOINTS)
    )
    said = "The new engine trains, but what it saved cannot be used"
    file = _whole(folder / checkpoint, "saved", said)
    if file.count("training.iteration_count") != SETTINGS.iterations:
        raise _failed("saved", f"{said}: the checkpoint is one of another iteration.", repr(file.metadata))
    if (folder / lora).read_bytes()[:4] != b"algg":
        raise _failed("saved", f"{said}: {lora} is no LoRA.")
    return lora


def _merge(engine: Engine, folder: Path, lora: str, limit: float) -> None:
    argv = classic.export_lora_argv(engine, base_model=_BASE, lora=lora, output=_MERGED)
    _run(engine, argv, folder, ExportLoraReader(folder, {}), limit, "merge")
    said = "The new engine trains, but what it merges cannot be used"
    base, merged = read(folder / _BASE), _whole(folder / _MERGED, "merge", said)
    if {t.name: (t.shape, t.type) for t in base.tensors} != {t.name: (t.shape, t.type) for t in merged.tensors}:
        raise _failed("merge", f"{said}: it has other parts than the base model.")
    for old, new in _pairs(base, merged):
        if (_values(base.path, old) == _values(merged.path, new)).all():
            raise _failed("merge", f"{said}: the LoRA changed nothing in it.", new.name)


def _pairs(base: GgufFile, merged: GgufFile) -> Iterator[tuple[TensorInfo, TensorInfo]]:
    for old in base.tensors:
        new = merged.tensor(old.name)
        if new is not None:
            yield old, new


def _pack(engine: Engine, folder: Path, limit: float) -> None:
    argv = classic.quantize_argv(engine, _MERGED, _PACKED, "Q8_0", threads=1)
    _run(engine, argv, folder, QuantizeReader(folder, {}), limit, "pack")
    _whole(folder / _PACKED, "pack", "The new engine merges, but what it packs cannot be used")


def _write(engine: Engine, folder: Path, limit: float) -> None:
    argv = classic.generate_argv(engine, model=_PACKED, prompt_file=_PROMPT, tokens=8, context=SETTINGS.context_size)
    args = {"echo": _PROMPT} if classic.echoes(engine) else {}
    found = _run(engine, argv, folder, GenerateReader(folder, args), limit, "use")
    if not any(isinstance(event, Result) and event.values["text"] for event in found):
        raise _failed("use", "The new engine trains and merges, but the merged model writes nothing.")


def _whole(path: Path, code: str, said: str) -> GgufFile:
    """The file, read, with every number in it finite."""
    try:
        file = read(path)
        wrong = file.problems()
    except AppError as error:
        raise _failed(code, f"{said}: {error.problem.message}", error.problem.details) from error
    if wrong:
        raise _failed(code, f"{said}: {wrong[0].message}", wrong[0].details)
    import numpy as np

    for tensor in file.tensors:
        if tensor.type.name == "F32" and not np.isfinite(_values(path, tensor)).all():
            raise _failed(code, f"{said}: {path.name} holds values that are no numbers.", tensor.name)
    return file


def _values(path: Path, tensor: TensorInfo) -> NDArray[np.float32]:
    import numpy as np

    return np.fromfile(path, np.float32, tensor.elements, offset=tensor.offset)


def _run(engine: Engine, argv: tuple[str, ...], folder: Path, reader: Reader, limit: float, code: str) -> list[Event]:
    """What the program said, as events. AppError when it does not start, takes too long, or something is wrong."""
    program = Path(argv[0]).stem
    try:
        child = process.start(argv, folder, process.overlaid(engine.environment))
    except OSError as error:
        raise _failed("start", f"{program} of the new engine does not start.", repr(error)) from error
    try:
        stdout, stderr = child.communicate(timeout=limit)
    except subprocess.TimeoutExpired as error:
        process.end(process.descendants(child.pid), grace=0)
        child.communicate()
        raise _failed("slow", f"{program} of the new engine does not come to an end.", f"after {limit:g} s") from error
    found = [event for text, stream in _lines(stdout, stderr) for event in reader.line(text, stream)]
    found.extend(reader.end(child.returncode))
    for event in found:
        if isinstance(event, Trouble) and event.fatal:
            message = f"The new engine starts, but it cannot {code} a tiny model: {event.problem.message}"
            raise _failed(code, message, event.problem.details)
    return found


def _lines(stdout: bytes, stderr: bytes) -> Iterator[tuple[str, str]]:
    for data, stream in ((stderr, "stderr"), (stdout, "stdout")):
        splitter = LineSplitter()
        yield from zip((*splitter.feed(data), *splitter.flush()), itertools.repeat(stream))


def _failed(code: str, message: str, details: str = "") -> AppError:
    return AppError(message, _AGAIN, details=details, code=f"selftest-{code}")
