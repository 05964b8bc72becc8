"""Merging a LoRA into its base model, and checking what came out.

A weak LoRA is rounded away in a 4-bit model, so the merge is done in F32 and quantized afterwards. ``export-lora``
exits with 0 when the LoRA is missing or of another kind, so the LoRA is checked before and the result after.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from loragui.engine import classic
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.gguf.read import GgufFile, read
from loragui.jobs.events import Note, Result
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan, Step
from loragui.jobs.pyjob import Emit, job_command
from loragui.model import truename
from loragui.model.inspect import inspect
from loragui.paths import require_space, slug, write_json
from loragui.training import start
from loragui.training.artifacts import Lora, damaged_lora, lora_is_empty, lora_is_finite, read_lora
from loragui.training.checkpoints import last_good_lora, lora_path, numbers

SCHEMA = 1
KIND = "merge"
FILE = "merge.json"
MERGED_F32 = "merged-f32.gguf"
BASE_F32 = "base-f32.gguf"
MERGED = "merged.gguf"
HELLO = "hello.txt"
_FILES = ("base_model", "lora")
TYPES = ("Q8_0", "F16", "F32", "Q6_K", "Q5_K_M", "Q4_K_M")
"""Output types offered; Q8_0 is measured to keep what was learned (facts/engine.md, part A)."""
BITS = {"Q8_0": 8.5, "F16": 16.0, "F32": 32.0, "Q6_K": 6.6, "Q5_K_M": 5.7, "Q4_K_M": 4.85}
"""About how many bits a number takes in each (the sizes of a 7B model that b2896's ``quantize --help`` lists)."""


@dataclass(frozen=True, kw_only=True)
class Merge:
    """What is merged into what. ``strength`` scales the LoRA; ``output`` is the name of the merged file.

    ``keep_f32`` keeps the model as it was before packing, for a proof at full precision.
    """

    base_model: str
    lora: str
    iteration: int
    strength: float
    output_type: str
    output: str
    keep_f32: bool = False


def merge_of(
    name: str, training: Path, *, iteration: int | None, output_type: str, strength: float, keep_f32: bool = False
) -> Merge:
    """The merge of a training's LoRA (the newest, or that of ``iteration``). AppError when there is none."""
    if output_type not in TYPES:
        raise AppError(f"{output_type} is not a known type of model file.", f"Choose one of {', '.join(TYPES)}.")
    chosen = _choose(training, iteration)
    return Merge(
        base_model=str(start.load(training).base_model.resolve(training)),
        lora=str(lora_path(training, chosen)),
        iteration=chosen,
        strength=strength,
        output_type=output_type,
        output=f"{slug(name)}-{training.name}-{chosen}.{output_type}.gguf",
        keep_f32=keep_f32,
    )


def create(runs: Path, merge: Merge, engine: Engine) -> RunFolder:
    """Make the run folder of a merge. AppError when the disk has no room for it."""
    parameters = inspect(Path(merge.base_model)).parameters
    require_space(runs, free_space_needed(parameters, packed=not _is_wide(merge)), "Merging")
    folder = RunFolder(start.next_folder(runs))
    near = {name: start.relative(Path(getattr(merge, name)), folder.path) for name in _FILES}
    write_json(folder.path / FILE, {"schema": SCHEMA, **asdict(merge), "near": near})
    folder.save_plan(plan(merge, folder.path, engine))
    return folder


def _is_wide(merge: Merge) -> bool:
    return inspect(Path(merge.base_model)).file_type in {"F32", "F16"}


def load(folder: Path) -> Merge:
    """The merge of a run folder; files that moved with it are found. AppError when it is none."""
    try:
        row = dict(json.loads((folder / FILE).read_text(encoding="utf-8")))
        if row.pop("schema") > SCHEMA:
            raise AppError.newer(folder)
        for name, near in dict(row.pop("near", {})).items():
            path = Path(os.path.normpath(folder / near))
            if path.exists():
                row[name] = str(path)
        return Merge(**row)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AppError(f"{folder} holds no merge.", "Merge again.", details=repr(error)) from error


def _choose(training: Path, iteration: int | None) -> int:
    there = numbers(training, "lora")
    if not there:
        raise AppError(
            "This training has not saved a LoRA yet.",
            "Let it train until its first checkpoint, then merge.",
            code="no-lora",
        )
    if iteration is None:
        return last_good_lora(training) or there[-1]  # of a bad one, the check says what is wrong with it
    if iteration not in there:
        listed = ", ".join(str(number) for number in there)
        raise AppError(f"There is no LoRA of iteration {iteration}.", f"Choose one of {listed}.", code="no-lora")
    return iteration


def plan(merge: Merge, folder: Path, engine: Engine) -> Plan:
    """Check the LoRA, merge in F32, quantize, check the result and let the engine load it. ``folder`` runs it."""
    given = start.relative(Path(merge.base_model), folder)
    lora = start.relative(Path(merge.lora), folder)
    wide = _is_wide(merge)
    facts = asdict(replace(merge, base_model=given, lora=lora))  # the jobs work in the folder, which may be moved
    steps = [Step(id="check", title="Checking the LoRA", command=job_command("merge-check", facts))]
    if not wide:
        argv = classic.quantize_argv(engine, given, BASE_F32, "F32")
        steps.append(_engine_step("widen", "Unpacking the base model to full precision", argv, engine, "quantize"))
    argv = classic.export_lora_argv(
        engine, base_model=given if wide else BASE_F32, lora=lora, output=MERGED_F32, scale=merge.strength
    )
    steps.append(_engine_step("merge", "Merging the LoRA into the base model", argv, engine, "export-lora"))
    if merge.output_type != "F32":
        argv = classic.quantize_argv(engine, MERGED_F32, MERGED, merge.output_type)
        steps.append(_engine_step("quantize", f"Packing the model as {merge.output_type}", argv, engine, "quantize"))
    steps.append(Step(id="finish", title="Checking the merged model", command=job_command("merge-finish", facts)))
    pre = truename.engine_name(read(Path(merge.base_model)))
    argv = classic.generate_argv(engine, model=merge.output, prompt_file=HELLO, tokens=4, context=64, pre=pre)
    steps.append(_engine_step("load", "Loading the merged model once", argv, engine, "generate"))
    return Plan(kind=KIND, title="Merging", steps=tuple(steps), facts=facts)


def _engine_step(step: str, title: str, argv: tuple[str, ...], engine: Engine, reader: str) -> Step:
    command = Command(argv=argv, env=engine.environment, reader=reader)
    return Step(id=step, title=title, command=command)


def check_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``merge-check``: the LoRA is one, of this base, changes something, and holds only numbers."""
    path = Path(args["lora"])
    lora, base = read_lora(path), read(Path(args["base_model"]))
    problem = mismatch(lora, base)
    if problem:
        raise AppError(
            f"{path.name} was not trained on this base model: {problem}.",
            "Merge it into the base model that it was trained on.",
            code="other-base",
        )
    lost = absent(lora, base)
    if lost:
        raise damaged_lora(path, f"without {lost}")
    if not lora_is_finite(lora):
        raise AppError(
            f"{path.name} is damaged: it holds values that are not numbers.",
            "Choose the LoRA of an earlier checkpoint, and train with a lower learning rate.",
            code="nan",
        )
    if lora_is_empty(lora):
        raise AppError(
            f"{path.name} has not learned anything yet: all its changes are zero.",
            "Train for some iterations, then merge.",
            code="lora-empty",
        )
    emit(Note(text=f"The LoRA fits the base model (rank {lora.rank}, strength {lora.alpha}/{lora.rank})."))


def mismatch(lora: Lora, base: GgufFile) -> str:
    """Why the LoRA is not one of this base model, or an empty text. A pair A[r, in], B[r, out] changes W[in, out]."""
    shapes = {tensor.name: tensor.shape for tensor in base.tensors}
    for tensor in lora.tensors:
        wanted = shapes.get(tensor.base)
        if wanted is None:
            return f"the base model has no {tensor.base}"
        width = wanted[0] if tensor.side == "A" else (wanted[1] if len(wanted) > 1 else 1)
        found = tensor.shape[1] if len(tensor.shape) > 1 else 1
        if found != width:
            return f"{tensor.base} has another size"
    return ""


def absent(lora: Lora, base: GgufFile) -> str:
    """A tensor that a LoRA of this base model lacks, or an empty text. The engine trains the same parts of each block.

    A file cut off between two tensors is seen only by this: it says nowhere how many there are.
    """
    have = {tensor.base for tensor in lora.tensors}
    parts = {name.split(".", 2)[2] for name in have if name.startswith("blk.")}
    blocks = {".".join(tensor.name.split(".", 2)[:2]) for tensor in base.tensors if tensor.name.startswith("blk.")}
    if blocks and not parts:
        return "any block"
    return next((f"{block}.{part}" for block in sorted(blocks) for part in parts if f"{block}.{part}" not in have), "")


def finish_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``merge-finish``: the merged file is whole and has the base's tensors; it gets its names."""
    merge = Merge(**args)
    made = Path(MERGED_F32 if merge.output_type == "F32" else MERGED)
    target = Path(merge.output)
    if made.exists():
        file, base = read(made), read(Path(merge.base_model))
        problems = file.problems()
        if problems:
            raise AppError.of(problems[0])
        if {t.name for t in file.tensors} != {t.name for t in base.tensors}:
            raise AppError(
                "The merged model does not have the same parts as its base model.",
                "Merge again; if it happens twice, rebuild the engine.",
                code="merge-damaged",
            )
        pre = truename.restore(file)
        if pre:
            emit(Note(text=f"The model names its pre-tokenizer {pre} again, as other programs know it."))
        made.replace(target)
    for leftover in (BASE_F32,) if merge.keep_f32 else (MERGED_F32, BASE_F32):
        Path(leftover).unlink(missing_ok=True)
    Path(HELLO).write_text("Hello\n", encoding="utf-8")
    emit(Result(values={"model": str(target), "bytes": target.stat().st_size, "iteration": merge.iteration}))


def output_path(folder: Path) -> Path:
    """The merged model of a finished merge. AppError when it is not there."""
    path = folder / load(folder).output
    if not path.is_file():
        raise AppError("The merge has not produced a model yet.", "Run the merge to its end.", code="no-model")
    return path


def output_bytes(parameters: int, output_type: str) -> int:
    """About the size of the merged file."""
    return round(parameters * BITS[output_type] / 8)


def free_space_needed(parameters: int, *, packed: bool) -> int:
    """Bytes that a merge writes at most: the merged model in F32, before it the base if it is packed, and the result.

    The result is no larger than F16, half of F32; in F32 it is the merged model itself.
    """
    f32 = 4 * parameters
    return f32 + f32 // 2 + (f32 if packed else 0)
