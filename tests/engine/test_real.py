"""The real engine: what only a build can prove. The first run builds it (see ``tests/conftest.py``)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from loragui.engine import catalogue, classic, installed, recipes
from loragui.engine.build import check_flags, flags_of
from loragui.engine.installed import Engine
from loragui.engine.logs import FinetuneReader, NinjaReader
from loragui.jobs import runner
from loragui.jobs.events import Event, Metric, Progress, Trouble
from loragui.jobs.folder import DONE, STOPPED, RunFolder
from loragui.paths import Workspace
from loragui.project import Hyperparameters
from tests import tiny
from tests.engine import capture
from tests.engine.conftest import Case
from tests.engine.test_replay import replay

pytestmark = pytest.mark.real

SETTINGS = Hyperparameters(
    context_size=32, batch_size=2, iterations=12, rank=4, alpha=4, learning_rate=1e-3, threads=1, save_every=4
)


def run(engine: Engine, argv: tuple[str, ...], folder: Path) -> subprocess.CompletedProcess[str]:
    changed = {name: value for name, value in engine.environment.items() if value is not None}
    return subprocess.run(
        argv, cwd=folder, env={"PATH": "/nonexistent", **changed}, capture_output=True, encoding="utf-8",
        errors="backslashreplace", stdin=subprocess.DEVNULL, timeout=300, check=False,
    )  # fmt: skip


def train(
    engine: Engine, folder: Path, base: tiny.Tiny, *, checkpoint: str | None = None, left: int = 12
) -> list[Event]:
    folder.mkdir(exist_ok=True)
    tiny.write(folder / "base.gguf", base)
    (folder / "train.txt").write_text(tiny.samples(), encoding="utf-8")
    argv = classic.finetune_argv(
        engine, SETTINGS, base_model="base.gguf", data="train.txt", marker="<SAMPLE>",
        checkpoint_in=checkpoint, iterations=left,
    )  # fmt: skip
    done = run(engine, argv, folder)
    reader = FinetuneReader(folder, {"target": 12, "resumed_at": 12 - left, "samples": 20})
    events = [event for text in done.stdout.splitlines() for event in reader.line(text, "stdout")]
    events += reader.end(done.returncode)
    assert not [event for event in events if isinstance(event, Trouble)]
    return events


def losses(events: list[Event]) -> list[float]:
    return [event.loss for event in events if isinstance(event, Metric)]


@pytest.mark.parametrize("base", [tiny.Tiny(), tiny.Tiny(half=True), tiny.Tiny(embedding=128, feed_forward=256)])
def test_both_builds_compute_the_same(engine: Engine, gcc_engine: Engine, tmp_path: Path, base: tiny.Tiny) -> None:
    ours = losses(train(engine, tmp_path / "wheels", base))
    theirs = losses(train(gcc_engine, tmp_path / "gcc", base))
    assert len(ours) == 12
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_a_resumed_training_computes_what_an_uninterrupted_one_does(engine: Engine, tmp_path: Path) -> None:
    whole = losses(train(engine, tmp_path, tiny.Tiny()))
    for kind in ("checkpoint", "lora"):
        (tmp_path / f"{kind}-12.gguf").unlink()
    rest = losses(train(engine, tmp_path, tiny.Tiny(), checkpoint="checkpoint-8.gguf", left=4))
    assert rest == pytest.approx(whole[8:], rel=1e-4)


def test_merge_quantize_and_generate(engine: Engine, tmp_path: Path) -> None:
    train(engine, tmp_path, tiny.Tiny())
    (tmp_path / "prompt.txt").write_text("The lamp is\n")
    steps = (
        classic.export_lora_argv(engine, base_model="base.gguf", lora="lora-12.gguf", output="merged.gguf"),
        classic.quantize_argv(engine, "merged.gguf", "q8.gguf", "Q8_0"),
        classic.generate_argv(engine, model="merged.gguf", prompt_file="prompt.txt", tokens=8),
        classic.generate_argv(engine, model="base.gguf", lora="lora-12.gguf", prompt_file="prompt.txt", tokens=8),
    )
    said = [run(engine, argv, tmp_path) for argv in steps]
    assert [done.returncode for done in said] == [0, 0, 0, 0]
    assert (tmp_path / "q8.gguf").stat().st_size < (tmp_path / "merged.gguf").stat().st_size / 3
    assert said[2].stdout == said[3].stdout
    assert said[2].stdout.strip()


def test_the_folder_can_be_moved(engine: Engine, tmp_path: Path) -> None:
    shutil.copytree(engine.folder, tmp_path / "elsewhere")
    moved = installed.load(tmp_path / "elsewhere")
    pin = catalogue.pin(engine.pin)
    for program in moved.programs:
        check_flags(program, pin.flags[program], flags_of(moved.program(program), moved.environment))
    libraries = run(moved, (str(moved.program("finetune")), "--help"), tmp_path)
    assert libraries.returncode == 0


def test_nothing_of_the_output_is_lost_in_a_crash(engine: Engine, tmp_path: Path) -> None:
    tiny.write(tmp_path / "base.gguf")
    argv = classic.finetune_argv(
        engine,
        SETTINGS,
        base_model="base.gguf",
        data="missing.txt",
        marker="x",
        checkpoint_in=None,
        iterations=1,
    )
    done = run(engine, argv, tmp_path)
    assert done.returncode == -6
    assert "main: begin training" in done.stdout


def test_every_way_to_fail_is_understood_in_this_build(engine: Engine, tmp_path: Path) -> None:
    """The C++ library of the zig build words some errors differently from gcc's."""
    (tmp_path / "small").mkdir()
    rows = capture.everything(engine.pin, engine.folder, tmp_path, tmp_path)
    del rows["disk-full"]  # needs a small disk
    rows = {name: row for name, row in rows.items() if not name.startswith("help-")}
    wrong = {}
    for name, row in rows.items():
        case = Case(name=name, logs=tmp_path, **row)  # type: ignore[arg-type]
        there = tmp_path / "as" / name
        there.mkdir(parents=True)
        codes = [event.problem.code for event in replay(case, there) if isinstance(event, Trouble)]
        if codes != case.code.split():
            wrong[name] = codes
    assert wrong == {}


def interrupting(folder: RunFolder) -> type[NinjaReader]:
    """A reader that asks to stop in the middle of the compilation."""

    class Interrupting(NinjaReader):
        def line(self, text: str, stream: str) -> tuple[Event, ...]:
            found = tuple(super().line(text, stream))
            if any(isinstance(event, Progress) and event.done >= 8 for event in found):
                folder.cancel_file.write_text("now", encoding="utf-8")
            return found

    return Interrupting


def test_an_interrupted_build_leaves_no_engine_and_goes_on_without_a_compiler(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing on the PATH: no compiler, linker or make. Downloads are those of the first build."""
    from loragui.cli.readers import READERS

    monkeypatch.setenv("PATH", "/nonexistent")
    workspace = Workspace(tmp_path)
    workspace.cache.mkdir()
    for shared in ("packages", "tools"):
        (workspace.cache / shared).symlink_to(engine.folder.parents[1] / "cache" / shared)
    plan = recipes.build_plan(catalogue.recipe("wheels"), catalogue.pin("b2896"), workspace)
    folder = RunFolder(workspace.jobs / "build")
    folder.save_plan(plan)

    assert runner.run(folder, {**READERS, "ninja": interrupting(folder)}).state == STOPPED
    assert installed.survey(workspace) == ()
    objects = {path: path.stat().st_mtime_ns for path in workspace.cache.glob("builds/*/build/**/*.o")}
    assert len(objects) >= 6
    kept: set[Path] = set()

    class Watching(NinjaReader):
        """Notes which files were kept, before the build folder is cleared away."""

        def end(self, returncode: int) -> tuple[Event, ...]:
            kept.update(path for path, made in objects.items() if path.exists() and path.stat().st_mtime_ns == made)
            return tuple(super().end(returncode))

    assert runner.run(folder, {**READERS, "ninja": Watching}).state == DONE
    assert len(kept) >= len(objects) - 2  # the compilers that were ended may have left half a file
    (built,) = installed.engines(workspace)
    assert built.flags == engine.flags
    assert not list(workspace.cache.glob("builds/*"))
    assert [path.name for path in workspace.engines.iterdir()] == [built.name]
