"""The self-test: every way to be no engine, with small programs, and the real one."""

from __future__ import annotations

import dataclasses
import struct
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from loragui.engine import tiny
from loragui.engine.installed import Engine
from loragui.engine.selftest import SelfTest, compare, selftest
from loragui.errors import AppError
from loragui.gguf.read import read
from loragui.gguf.types import GgmlType, ValueType
from loragui.gguf.write import NewEntry, TensorSpec, Writer
from loragui.jobs.events import Event, Note
from tests.engine.conftest import program

EngineIn = Callable[..., Engine]
LOSSES = [5.8, 5.7, 5.6, 5.4, 5.2, 5.0, 4.8, 4.5]
LINE = "print('train_opt_callback: iter=%6d sample=1/2 sched=1.0 loss=%s dt=1.0ms eta=00:00:01 |->' % ({}, {}))"


def prints(losses: list[float | str]) -> str:
    lines = [LINE.format(number, repr(loss)) for number, loss in enumerate([0.0, *losses])]
    return "\n".join((*lines, "print('main: total training time: 00:00:01')"))


def copies(**files: Path) -> str:
    """A program that puts prepared files beside it, as the real one would make them."""
    lines = (f"shutil.copyfile({str(path)!r}, {name!r})" for name, path in files.items())
    return "\n".join(("import shutil", *lines))


def checkpoint(path: Path, iteration: int = 8, value: float = 1.0) -> Path:
    entry = NewEntry(key="training.iteration_count", kind=ValueType.UINT64, value=iteration)
    with path.open("wb") as out:
        writer = Writer(out, [entry], [TensorSpec(name="a", shape=(1,), type=GgmlType.F32)])
        writer.write(struct.pack("<f", value))
        writer.end("a")
    return path


def changed(path: Path) -> Path:
    """The model with every value a little larger."""
    start = read(path).data_offset
    data = path.read_bytes()
    path.write_bytes(data[:start] + (np.frombuffer(data[start:], np.float32) + np.float32(0.01)).tobytes())
    return path


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Path]:
    """What an engine would make: whole files."""
    lora = tmp_path / "a.lora"
    lora.write_bytes(b"algg" + bytes(12))
    return {
        "checkpoint": checkpoint(tmp_path / "a.checkpoint"),
        "lora": lora,
        "merged": changed(tiny.write_tiny(tmp_path / "a.merged", tiny.Shape())),
    }


@pytest.fixture
def stand_in(tmp_path: Path, engine_in: EngineIn, made: dict[str, Path]) -> Callable[..., Engine]:
    """An engine of programs that do as a good one does, but for those that are given."""

    def make(*, losses: list[float | str] | None = None, files: dict[str, Path] | None = None, **other: str) -> Engine:
        files = {**made, **(files or {})}
        trained = copies(**{"checkpoint-8.gguf": files["checkpoint"], "lora-8.gguf": files["lora"]})
        texts = {
            "finetune": f"{trained}\n{prints(losses or [*LOSSES])}",
            "export-lora": copies(**{"merged.gguf": files["merged"]}),
            "quantize": copies(**{"packed.gguf": files["merged"]}),
            "main": "print(' sea is calm')",
            **{name.replace("_", "-"): text for name, text in other.items()},
        }
        engine = engine_in(tmp_path / "engine")
        for name, text in texts.items():
            program(engine.program(name), text)
        return engine

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scratch"
    made.mkdir()
    return made


def ignored(event: Event) -> None:
    """Who does not want to know."""


def test_an_engine_that_does_as_it_should(stand_in: Callable[..., Engine], folder: Path) -> None:
    said: list[Event] = []
    found = selftest(stand_in(), folder, said.append)
    assert found.losses == tuple(LOSSES)
    assert 0 < found.seconds < 60
    assert len(said) == 3
    assert all(isinstance(event, Note) for event in said)


def test_relative_names_and_the_engines_environment(stand_in: Callable[..., Engine], folder: Path) -> None:
    """The programs get no absolute path (Windows cannot open every one) and what the engine needs to run."""
    check = (
        "import os, sys\n"
        "assert not any(os.path.isabs(word) for word in sys.argv[1:]), sys.argv\n"
        "assert os.environ['OPENBLAS_NUM_THREADS'] == '1'\n"
        "assert '--threads' not in sys.argv or sys.argv[sys.argv.index('--threads') + 1] == '1'\n"
    )
    engine = stand_in()
    for name in engine.programs:
        path = engine.program(name)
        program(path, check + path.read_text().partition("\n")[2])
    assert selftest(engine, folder, ignored).losses == tuple(LOSSES)


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"finetune": "import os; os.abort()"}, "selftest-train", "cannot train"),
        ({"finetune": "raise SystemExit('error: no room')"}, "selftest-train", "no room"),
        ({"finetune": "print('hello')"}, "selftest-train", "ended before"),
        ({"finetune": prints([*LOSSES])}, "selftest-train", "not saved"),
        ({"losses": [5.8, "nan", *LOSSES[2:]]}, "selftest-train", "not a number"),
        ({"losses": [5.8] * 8}, "selftest-loss", "does not learn"),
        ({"losses": LOSSES[:5]}, "selftest-train", "ended"),
        ({"losses": LOSSES[::-1]}, "selftest-loss", "does not learn"),
        ({"export_lora": "print('no'); raise SystemExit(1)"}, "selftest-merge", "cannot merge"),
        ({"export_lora": "pass"}, "selftest-merge", "merges cannot be used"),
        ({"quantize": "raise SystemExit(3)"}, "selftest-pack", "cannot pack"),
        ({"quantize": "pass"}, "selftest-pack", "packs cannot be used"),
        ({"main": "import os; os.abort()"}, "selftest-use", "cannot use"),
        ({"main": "pass"}, "selftest-use", "writes nothing"),
    ],
)
def test_programs_that_fail(
    stand_in: Callable[..., Engine], folder: Path, changes: dict[str, object], code: str, words: str
) -> None:
    with pytest.raises(AppError) as caught:
        selftest(stand_in(**changes), folder, ignored)
    assert caught.value.problem.code == code
    assert words in caught.value.problem.message
    assert "Build the engine again" in caught.value.problem.hint


def bad_files(tmp_path: Path) -> dict[str, dict[str, Path]]:
    """Results that no good engine makes."""
    base = tiny.write_tiny(tmp_path / "b.base", tiny.Shape())
    cut = tmp_path / "b.cut"
    cut.write_bytes(base.read_bytes()[:-100])
    infinite = tmp_path / "b.infinite"
    infinite.write_bytes(base.read_bytes()[:-4] + struct.pack("<f", float("inf")))
    return {
        "checkpoint": {"of another iteration": checkpoint(tmp_path / "b.7", 7), "cut off": cut},
        "lora": {"is no LoRA": base},
        "merged": {
            "changed nothing": base,
            "cut off": cut,
            "no numbers": infinite,
            "other parts": tiny.write_tiny(tmp_path / "b.larger", tiny.Shape(layers=3)),
        },
    }


@pytest.mark.parametrize(
    ("kind", "words", "code"),
    [
        ("checkpoint", "of another iteration", "selftest-saved"),
        ("checkpoint", "cut off", "selftest-saved"),
        ("lora", "is no LoRA", "selftest-saved"),
        ("merged", "changed nothing", "selftest-merge"),
        ("merged", "cut off", "selftest-merge"),
        ("merged", "no numbers", "selftest-merge"),
        ("merged", "other parts", "selftest-merge"),
    ],
)
def test_results_that_cannot_be_used(
    stand_in: Callable[..., Engine], folder: Path, tmp_path: Path, kind: str, words: str, code: str
) -> None:
    with pytest.raises(AppError, match=words) as caught:
        selftest(stand_in(files={kind: bad_files(tmp_path)[kind][words]}), folder, ignored)
    assert caught.value.problem.code == code


def test_a_checkpoint_without_numbers(stand_in: Callable[..., Engine], folder: Path, tmp_path: Path) -> None:
    wrong = checkpoint(tmp_path / "nan", value=float("nan"))
    with pytest.raises(AppError, match="no numbers"):
        selftest(stand_in(files={"checkpoint": wrong}), folder, ignored)


def test_a_program_that_hangs_is_ended_with_its_children(stand_in: Callable[..., Engine], folder: Path) -> None:
    hangs = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "time.sleep(600)"
    )
    began = time.monotonic()
    with pytest.raises(AppError) as caught:
        selftest(stand_in(finetune=hangs), folder, ignored, limit=1)
    assert caught.value.problem.code == "selftest-slow"
    assert time.monotonic() - began < 60


def test_a_program_that_is_gone(stand_in: Callable[..., Engine], folder: Path) -> None:
    engine = stand_in()
    engine.program("finetune").unlink()
    with pytest.raises(AppError) as caught:
        selftest(engine, folder, ignored)
    assert caught.value.problem.code == "selftest-start"
    assert "antivirus" in caught.value.problem.hint


def test_other_numbers_are_found() -> None:
    found = SelfTest(losses=(5.7895, 5.6789, 5.5), seconds=0.1)
    assert compare(found, (5.78952, 5.67887)) is None
    assert compare(found, ()) is None
    assert compare(found, (5.7895, 5.6889), tolerance=0.01) is None
    problem = compare(found, (5.7895, 5.6889))
    assert problem is not None
    assert problem.code == "selftest-numbers"
    assert "5.688900" in problem.details


KNOWN = (5.7895, 5.6789)
"""First losses of b2896, whatever compiler built it (measured: wheels, gcc; b2321 has the same)."""


@pytest.mark.real
def test_the_real_engines(engine: Engine, gcc_engine: Engine, tmp_path: Path) -> None:
    found = []
    for made in (engine, gcc_engine):
        folder = tmp_path / made.name
        folder.mkdir()
        found.append(selftest(made, folder, ignored))
        assert compare(found[-1], KNOWN) is None
    assert found[0].losses == pytest.approx(found[1].losses, rel=3e-3)


@pytest.mark.real
def test_a_real_engine_that_copies_the_base(engine: Engine, folder: Path, tmp_path: Path) -> None:
    copying = program(tmp_path / "export", "import shutil; shutil.copyfile('base.gguf', 'merged.gguf')")
    broken = dataclasses.replace(engine, programs={**engine.programs, "export-lora": str(copying)})
    with pytest.raises(AppError, match="changed nothing"):
        selftest(broken, folder, ignored)
