"""The fastest settings: which are tried, which wins, what is kept, and the measuring itself."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.cli.jobs import JOBS
from loragui.engine import timing, tiny, tuning
from loragui.engine.installed import Engine
from loragui.engine.timing import check_quiet, tune, tune_job, tune_plan
from loragui.engine.tuning import BLAS, MARGIN, Measured, Setting, Tuning, candidates, choose
from loragui.errors import AppError
from loragui.jobs.events import Event, Metric, Progress, Result
from loragui.machine import Machine, cpu_name, look, recommended_threads
from loragui.paths import Workspace
from loragui.project import Hyperparameters
from tests.engine.conftest import program

EngineIn = Callable[..., Engine]
GOLDEN = Path(__file__).parent / "golden"
SMALL = tiny.Shape(context=128)


@pytest.fixture(scope="module")
def pc() -> Machine:
    """This PC with one core, so that the real engine gets one thread."""
    return replace(look(Path.cwd()), physical_cores=1)


@pytest.fixture
def eight(pc: Machine) -> Machine:
    return replace(pc, physical_cores=8)


# -- what is tried ----------------------------------------------------------------------------------------------------


@given(cores=st.integers(1, 200), blas=st.booleans())
def test_what_is_tried(cores: int, blas: bool) -> None:
    machine, engine = machine_of(cores), engine_of({BLAS: "1"} if blas else {})
    found = candidates(engine, machine)
    assert found[0] == Setting(threads=recommended_threads(machine), blas_threads=1 if blas else None)
    assert 1 <= len(found) == len(set(found)) <= 9
    assert min(setting.threads for setting in found) == 1
    for setting in found:
        assert 1 <= setting.threads <= recommended_threads(machine)
        assert (setting.blas_threads is not None) is blas
        assert setting.threads == 1 or (setting.blas_threads or 1) == 1


def test_what_is_tried_on_common_pcs() -> None:
    def threads(cores: int, environment: dict[str, str]) -> list[tuple[int, int | None]]:
        return [(s.threads, s.blas_threads) for s in candidates(engine_of(environment), machine_of(cores))]

    assert threads(1, {}) == [(1, None)]
    assert threads(2, {BLAS: "1"}) == [(2, 1), (1, 1), (1, 2)]
    assert threads(4, {BLAS: "1"}) == [(3, 1), (2, 1), (1, 1), (1, 3)]
    assert threads(8, {}) == [(7, None), (6, None), (5, None), (4, None), (2, None), (1, None)]
    assert threads(14, {BLAS: "1"})[-2:] == [(1, 13), (1, 6)]


def machine_of(cores: int) -> Machine:
    return Machine(
        system="Windows 11", system_version="", architecture="amd64", cpu_name="One", physical_cores=cores,
        logical_cores=2 * cores, instruction_sets=(), ram_total_bytes=8 << 30, ram_available_bytes=4 << 30,
    )  # fmt: skip


def engine_of(environment: dict[str, str], folder: Path = Path()) -> Engine:
    return Engine(
        name="e", folder=folder, pin="b2896", commit="", recipe="wheels", built="", size=0, programs={}, flags={},
        environment=environment,
    )  # fmt: skip


# -- which wins -------------------------------------------------------------------------------------------------------

DEFAULT = Setting(threads=4, blas_threads=1)
settings = st.builds(Setting, threads=st.integers(1, 4), blas_threads=st.integers(1, 2))
times = st.lists(st.floats(0.001, 100), max_size=5).map(tuple)
measurements = st.lists(st.builds(Measured, setting=settings, seconds=times), max_size=12)


@given(measurements, st.lists(times.filter(bool), min_size=1, max_size=3))
def test_never_slower_than_the_default(others: list[Measured], default: list[tuple[float, ...]]) -> None:
    own = [Measured(setting=DEFAULT, seconds=seconds) for seconds in default]
    others = [each for each in others if each.setting != DEFAULT]
    found = choose([own[0], *others, *own[1:]], DEFAULT)
    assert found.seconds <= found.seconds_default == min(each.median for each in own)
    if found.setting != DEFAULT:
        chosen = [each.median for each in others if each.setting == found.setting]
        assert max(chosen) == found.seconds
        assert all(mine < each.median * (1 - MARGIN) for mine in chosen for each in own)
    else:
        beaten = {each.setting for each in others}
        slowest = (max(each.median for each in others if each.setting == setting) for setting in beaten)
        assert all(seconds >= found.seconds_default * (1 - MARGIN) for seconds in slowest)


def of(threads: int, *seconds: float) -> Measured:
    return Measured(setting=Setting(threads=threads, blas_threads=1), seconds=seconds)


@pytest.mark.parametrize(
    ("measured", "threads"),
    [
        ([of(4, 1.0), of(2, 0.9)], 2),
        ([of(4, 1.0), of(2, 0.98)], 4),
        ([of(4, 1.0), of(2, 0.9), of(1, 0.8)], 1),
        ([of(4, 1.0), of(2)], 4),
        ([of(4, 1.0), of(2, 0.9), of(4, 0.8)], 4),  # the PC was busy at first
        ([of(4, 1.0), of(2, 0.9), of(2, 1.1), of(4, 1.0)], 4),  # the winner was lucky
        ([of(4, 1.0), of(2, 0.9), of(2, 0.95), of(4)], 2),
        ([of(4, 1.0, 1.0, 9.0), of(2, 0.5, 1.2, 1.2)], 4),
    ],
)
def test_which_wins(measured: list[Measured], threads: int) -> None:
    assert choose(measured, DEFAULT).setting.threads == threads


def test_without_the_default_nothing_wins() -> None:
    for measured in ([], [of(2, 1.0)], [of(4), of(2, 1.0)]):
        with pytest.raises(ValueError, match=r"default|empty"):
            choose(measured, DEFAULT)


def test_a_busy_pc_is_noticed() -> None:
    assert not tuning.unsteady([of(4, 1.0), of(2, 5.0), of(4, 1.1)], DEFAULT)
    assert tuning.unsteady([of(4, 1.0), of(4, 1.2)], DEFAULT)
    assert tuning.unsteady([of(4, 1.0), of(4)], DEFAULT)


# -- what is kept and used --------------------------------------------------------------------------------------------

TUNING = Tuning(
    date="2026-11-25T14:00:00+00:00",
    cpu="One",
    cores=8,
    threads=1,
    blas_threads=7,
    seconds_default=0.3,
    seconds_best=0.2,
    seconds_without_checkpointing=0.15,
    measured=(
        Measured(setting=Setting(threads=7, blas_threads=1), seconds=(0.3, 0.31, 0.29)),
        Measured(setting=Setting(threads=1, blas_threads=1)),
        Measured(setting=Setting(threads=1, blas_threads=7), seconds=(0.2,)),
        Measured(setting=Setting(threads=1, blas_threads=7), checkpointing=False, seconds=(0.15,)),
    ),
)


def test_the_file_stays_readable() -> None:
    """Written by schema 1 in November 2026."""
    assert tuning.load(GOLDEN, "One") == TUNING
    assert TUNING.ratio == pytest.approx(1.5)


any_measured = st.builds(
    Measured, setting=st.builds(Setting, threads=st.integers(1, 64), blas_threads=st.none() | st.integers(1, 64)),
    checkpointing=st.booleans(), seconds=times,
)  # fmt: skip
any_tuning = st.builds(
    Tuning, date=st.text(max_size=30), cpu=st.text(max_size=30), cores=st.integers(1, 99), threads=st.integers(1, 99),
    blas_threads=st.none() | st.integers(1, 99), seconds_default=st.floats(2, 9), seconds_best=st.floats(0.1, 2),
    seconds_without_checkpointing=st.none() | st.floats(0, 99),
    measured=st.lists(any_measured, max_size=4).map(tuple),
)  # fmt: skip


@given(any_tuning)
def test_what_is_saved_is_loaded(tmp_path_factory: pytest.TempPathFactory, value: Tuning) -> None:
    folder = tmp_path_factory.mktemp("engine")
    tuning.save(folder, value)
    assert tuning.load(folder, value.cpu) == value
    assert tuning.load(folder, f"{value.cpu}x") is None


@pytest.mark.parametrize(
    "change", [{"schema": 0}, {"threads": 0}, {"threads": None}, {"seconds_best": 0.4}, {"measured": 1}, {"cpu": "Two"}]
)
def test_what_is_not_for_this_pc_or_damaged_is_as_if_it_were_not_there(tmp_path: Path, change: dict[str, int]) -> None:
    row = json.loads((GOLDEN / tuning.FILE).read_text())
    (tmp_path / tuning.FILE).write_text(json.dumps(row | change))
    assert tuning.load(tmp_path, "One") is None
    (tmp_path / tuning.FILE).write_text("{")
    assert tuning.load(tmp_path, "One") is None
    (tmp_path / tuning.FILE).unlink()
    assert tuning.load(tmp_path, "One") is None


def test_a_newer_file_is_refused_and_never_used(tmp_path: Path) -> None:
    row = json.loads((GOLDEN / tuning.FILE).read_text())
    (tmp_path / tuning.FILE).write_text(json.dumps(row | {"schema": tuning.SCHEMA + 1, "cpu": cpu_name()}))
    with pytest.raises(AppError, match="newer version"):
        tuning.load(tmp_path, cpu_name())
    assert tuning.suggested_threads(tmp_path, machine_of(8)) == 7
    assert tuning.environment(engine_of({BLAS: "1"}, tmp_path), 1) == {BLAS: "1"}


def test_what_is_suggested(tmp_path: Path) -> None:
    machine = machine_of(8)
    assert tuning.suggested_threads(None, machine) == 7
    assert tuning.suggested_threads(tmp_path, machine) == 7
    tuning.save(tmp_path, replace(TUNING, threads=5))
    assert tuning.suggested_threads(tmp_path, machine) == 5
    assert tuning.suggested_threads(tmp_path, replace(machine, cpu_name="Two")) == 7
    assert tuning.suggested_threads(tmp_path, replace(machine, physical_cores=4)) == 3


def test_threads_that_a_person_chose_stay(tmp_path: Path) -> None:
    tuning.save(tmp_path, replace(TUNING, threads=5))
    for before, after in ((7, 5), (Hyperparameters().threads, 5), (3, 3), (5, 5)):
        settings = Hyperparameters(threads=before, rank=3)
        assert tuning.adopted(settings, tmp_path, machine_of(8)) == replace(settings, threads=after)


def test_both_kinds_of_threads_are_never_many(tmp_path: Path) -> None:
    engine = engine_of({BLAS: "1", "OTHER": "x"}, tmp_path)
    assert tuning.environment(engine, 1) == engine.environment
    tuning.save(tmp_path, replace(TUNING, cpu=cpu_name()))
    assert tuning.environment(engine, 1) == {BLAS: "7", "OTHER": "x"}
    assert tuning.environment(engine, 4) == engine.environment
    tuning.save(tmp_path, replace(TUNING, cpu=cpu_name(), threads=4, blas_threads=None))
    assert tuning.environment(engine, 4) == engine.environment


# -- the measuring ----------------------------------------------------------------------------------------------------

FINETUNE = """
import os, sys, time
threads = int(sys.argv[sys.argv.index("--threads") + 1])
blas = int(os.environ.get("OPENBLAS_NUM_THREADS", "1"))
checkpointing = "--use-checkpointing" in sys.argv
def say(number, loss, ms):
    after = f" dt={ms:.1f}ms eta=00:00:00" if ms else ""
    print(f"train_opt_callback: iter={number:6d} sample=1/4 sched=1.0 loss={loss}{after} |->", flush=True)
def run(ms, loss="5.5"):
    for number in range(8):
        say(number, loss if number else "0.0", ms * (3 if number == 1 else 1) if number else 0)
"""


def stand_in(engine_in: EngineIn, folder: Path, text: str) -> Engine:
    engine = engine_in(folder)
    program(engine.program("finetune"), f"{FINETUNE}{text}")
    return engine


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    made = tmp_path / "scratch"
    made.mkdir()
    return made


def test_the_fastest_is_found(engine_in: EngineIn, scratch: Path, eight: Machine) -> None:
    """Five threads are best here, with 7 as the default; iteration times come from the engine's own words."""
    text = "run((30 + 10 * abs(threads - 5) + 100 * (blas > 1)) * (1 if checkpointing else 0.5))"
    said: list[Event] = []
    found = tune(stand_in(engine_in, scratch.parent / "e", text), eight, scratch, said.append, shape=SMALL)
    assert (found.threads, found.blas_threads) == (5, 1)
    assert (found.seconds_default, found.seconds_best) == (0.05, 0.03)
    assert found.seconds_without_checkpointing == 0.015
    assert (found.cpu, found.cores) == (eight.cpu_name, 8)
    counts = [event.done for event in said if isinstance(event, Progress)]
    assert counts == sorted(counts)
    default = [each for each in found.measured if each.setting == Setting(threads=7, blas_threads=1)]
    assert len(default) == 2
    assert all(len(each.seconds) == 6 for each in default)


def test_settings_that_hang_or_crash_lose(engine_in: EngineIn, scratch: Path, eight: Machine) -> None:
    text = """
if threads == 5: os.abort()
if threads == 6: run(20, "nan")
if threads == 4: say(0, 0.0, 0); say(1, 5.5, 10); time.sleep(600)
run(20 if threads == 2 else 30)
"""
    found = tune(stand_in(engine_in, scratch.parent / "e", text), eight, scratch, ignored, shape=SMALL)
    assert found.threads == 2
    lost = {each.setting.threads: each.seconds for each in found.measured}
    assert lost[5] == lost[6] == lost[4] == ()


def ignored(event: Event) -> None:
    """Who does not want to know."""


@pytest.mark.parametrize("text", ["os.abort()", "run(20, 'nan')", "print('hello')"])
def test_an_engine_that_does_not_train(engine_in: EngineIn, scratch: Path, eight: Machine, text: str) -> None:
    with pytest.raises(AppError) as caught:
        tune(stand_in(engine_in, scratch.parent / "e", text), eight, scratch, ignored, shape=SMALL)
    assert caught.value.problem.code == "tune-failed"


def test_an_engine_that_comes_to_no_end(engine_in: EngineIn, scratch: Path, eight: Machine) -> None:
    engine = stand_in(engine_in, scratch.parent / "e", "time.sleep(600)")
    with pytest.raises(AppError) as caught:
        tune(engine, eight, scratch, ignored, shape=SMALL, limit=1)
    assert caught.value.problem.code == "tune-too-slow"


def test_when_the_time_is_over_no_further_setting_is_tried(engine_in: EngineIn, scratch: Path, eight: Machine) -> None:
    text = "if threads == 6: say(0, 0.0, 0); say(1, 5.5, 10); time.sleep(600)\nrun(50 if threads == 7 else 20)"
    found = tune(stand_in(engine_in, scratch.parent / "e", text), eight, scratch, ignored, shape=SMALL, limit=1.5)
    assert [each.setting.threads for each in found.measured] == [7, 6, 7, 7]
    assert (found.threads, found.ratio) == (7, 1)


@pytest.mark.parametrize(
    ("best", "seconds", "kept"),
    [
        (math.inf, 0.1, timing.SETTINGS.iterations - 1),
        (0.1, 0.1, timing.SETTINGS.iterations - 1),
        (0.1, 0.13, 2),  # left as soon as it cannot win
        (math.inf, 3.0, 2),  # a slow PC: all that there is time for
    ],
)
def test_how_many_iterations_are_waited_for(best: float, seconds: float, kept: int) -> None:
    clock = timing._Clock(best=best, deadline=math.inf)
    line = Metric(iteration=1, total=100, loss=1.0, seconds=seconds)
    for _ in range(kept):
        clock.write(line)
        clock.last = time.monotonic() - seconds
    with pytest.raises(timing._Enough):
        clock.write(line)
    assert len(clock.seconds) == kept + 1
    assert not clock.cut_off


@pytest.mark.parametrize(
    ("best", "done", "silent", "cut_off"),
    [
        (math.inf, 0, 25, False),
        (math.inf, 0, 31, True),
        (0.2, 0, 5, False),
        (0.2, 0, 9, True),
        (0.2, 1, 1.2, False),
        (0.2, 1, 2, True),
    ],
)
def test_how_long_silence_is_borne(best: float, done: int, silent: float, cut_off: bool) -> None:
    clock = timing._Clock(best=best, deadline=math.inf)
    for number in range(done):
        clock.write(Metric(iteration=number, total=100, loss=1.0, seconds=0.2))
    clock.last -= silent
    with pytest.raises(timing._Enough) if cut_off else nullcontext():
        clock.look_around()
    assert clock.cut_off is cut_off


@pytest.mark.parametrize(
    ("told", "arrived", "seconds"), [(0.25, 9.0, 0.25), (None, 0.5, 0.5), (2.0, 2.6, 2.6), (2.0, 0.0, 2.0), (2.0, 9, 3)]
)
def test_seconds_of_an_iteration(told: float | None, arrived: float, seconds: float) -> None:
    """From a second on the engine tells whole ones only, and what it keeps back arrives all at once."""
    assert timing.seconds_of(told, arrived) == seconds


def test_the_settings_in_words() -> None:
    assert timing.words(Setting(threads=1)) == "1 thread"
    assert timing.words(Setting(threads=4, blas_threads=1)) == "4 threads"
    assert timing.words(Setting(threads=1, blas_threads=3)) == "1 thread, 3 for the matrix library"


# -- the job ----------------------------------------------------------------------------------------------------------


def test_the_job_keeps_what_it_found(engine_in: EngineIn, tmp_path: Path) -> None:
    engine = stand_in(engine_in, tmp_path / "e", "run(20)")
    (step,) = tune_plan(engine, Workspace(tmp_path)).steps
    *_, name, args = step.command.argv
    assert JOBS[name] is tune_job
    said: list[Event] = []
    tune_job({**json.loads(args), "busy": 1.0}, said.append)
    here = look(tmp_path)
    found = tuning.tuned(engine.folder, here)
    assert found is not None
    assert found.threads == recommended_threads(here)
    assert isinstance(said[-1], Result)
    assert said[-1].values["seconds_best"] == found.seconds_best == 0.02
    assert not list((tmp_path / "cache" / "tune").iterdir())


def test_a_job_that_does_not_end_well_leaves_the_old_result(engine_in: EngineIn, tmp_path: Path) -> None:
    engine = stand_in(engine_in, tmp_path / "e", "os.abort()")
    tuning.save(engine.folder, TUNING)
    with pytest.raises(AppError):
        tune_job({"engine": str(engine.folder), "scratch": str(tmp_path / "scratch"), "busy": 1.0}, ignored)
    assert tuning.load(engine.folder, "One") == TUNING


def test_a_default_that_changes_meanwhile_tells_of_other_programs(engine_in: EngineIn, tmp_path: Path) -> None:
    engine = stand_in(engine_in, tmp_path / "e", "run(20 if os.path.exists('again') else 60)\nopen('again', 'w')")
    with pytest.raises(AppError) as caught:
        tune_job({"engine": str(engine.folder), "scratch": str(tmp_path / "scratch"), "busy": 1.0}, ignored)
    assert caught.value.problem.code == "pc-busy"
    assert not (engine.folder / tuning.FILE).exists()


@pytest.mark.parametrize(("used", "fine"), [(0.0, True), (0.2, True), (0.21, False), (1.0, False)])
def test_nothing_is_measured_while_others_work(used: float, fine: bool) -> None:
    with nullcontext() if fine else pytest.raises(AppError, match="Other programs use"):
        check_quiet(used, 0.2)


@pytest.mark.real
def test_the_real_engine(engine: Engine, scratch: Path, pc: Machine) -> None:
    said: list[Event] = []
    found = tune(engine, pc, scratch, said.append, shape=replace(SMALL, embedding=128, feed_forward=256))
    assert (found.threads, found.blas_threads) == (1, 1)
    assert 0 < found.seconds_best <= found.seconds_default < 5
    assert found.seconds_without_checkpointing is not None
    assert [each.setting for each in found.measured] == [Setting(threads=1, blas_threads=1)] * 3
    assert all(math.isfinite(each.median) for each in found.measured)
