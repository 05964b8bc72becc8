"""Finished programs that a person brings: real ones that claim to be of some revision, as a zip and as a folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from loragui.engine import catalogue, installed, ready
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.jobs.events import Event
from loragui.paths import Workspace
from tests.engine.conftest import program

RELEASE = "llama-b2896-bin-x64"


def bring(place: Path, root: Path) -> list[Event]:
    """Take what is in ``place`` into ``root/engines``, as the runner would."""
    said: list[Event] = []
    args = {"place": str(place), "engines": str(root / "engines"), "name": "ready-mine", "cmake": ""}
    ready.ready_job(args, said.append)
    return said


def release(folder: Path, engine: Engine, version: str = "version: 2896 (13ad16a)") -> Path:
    """A folder of programs as a release has them: the real ones, but ``main`` knows its number."""
    for name in engine.programs:
        real = str(engine.program(name))
        told = f"if '--version' in sys.argv: print({version!r}); raise SystemExit(0)\n" if name == "main" else ""
        program(folder / name, f"import os, sys\n{told}os.execv({real!r}, [{real!r}, *sys.argv[1:]])")
    return folder


def saying(folder: Path, version: str) -> Path:
    """Programs that only tell their version."""
    for name in ("finetune", "main"):
        program(folder / name, f"print({version!r})")
    return folder


@pytest.mark.real
def test_a_release_zip_becomes_an_engine(tmp_path: Path, engine: Engine) -> None:
    folder = release(tmp_path / RELEASE, engine)
    (folder / "openblas.dll").write_text("a library")
    archive = tmp_path / f"{RELEASE}.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in folder.iterdir():
            packed.writestr(f"{RELEASE}/{path.name}", path.read_text())  # without the right to be run
    before = archive.read_bytes()
    bring(archive, tmp_path)
    made = installed.load(tmp_path / "engines" / "ready-mine")
    assert (made.pin, made.commit, made.recipe, made.live) == ("b2896", "13ad16a", ready.READY, False)
    assert made.library == "openblas"
    assert (made.folder / "openblas.dll").is_file()
    assert made.losses == pytest.approx(engine.losses)
    assert made.accepts == catalogue.pin("b2896").accepts
    assert archive.read_bytes() == before
    assert [path.name for path in (tmp_path / "engines").iterdir()] == ["ready-mine"]


@pytest.mark.real
def test_a_revision_between_the_pins_is_taken_for_the_older_one(tmp_path: Path, engine: Engine) -> None:
    folder = release(tmp_path / "x", engine, "version: 2700 (abcdef1)")
    bring(folder, tmp_path)
    made = installed.load(tmp_path / "engines" / "ready-mine")
    assert made.pin == "b2700"
    assert made.accepts == catalogue.pin("b2321").accepts
    assert sorted(path.name for path in folder.iterdir()) == sorted(engine.programs), "the person's folder is only read"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (1291, "older than"),
        (1292, "crashes right after it has loaded"),
        (1296, "crashes"),
        (1462, "goes wrong from the second iteration"),
        (1495, "NaN"),
        (1634, "aborts"),
        (3184, "twice the memory"),
        (3465, "taken out of llama.cpp"),
    ],
)
def test_a_revision_that_cannot_train_is_refused_with_the_reason(tmp_path: Path, number: int, reason: str) -> None:
    with pytest.raises(AppError, match=f"b{number} cannot be used.*{reason}") as caught:
        bring(saying(tmp_path / "x", f"version: {number} (abc)"), tmp_path)
    assert caught.value.problem.code == "revision-bad"
    assert list((tmp_path / "engines").iterdir()) == []


@pytest.mark.parametrize("number", [1297, 1298, 1461, 2037, 2321, 2453, 2454, 2896])
def test_a_revision_that_trains_is_known(number: int) -> None:
    assert catalogue.revisions(number).like in {pin.id for pin in catalogue.pins()}


@pytest.mark.parametrize("version", ["", "hello", "version: 0 (unknown)"])
def test_programs_that_do_not_say_what_they_are(tmp_path: Path, version: str) -> None:
    with pytest.raises(AppError) as caught:
        bring(saying(tmp_path / "x", version), tmp_path)
    assert caught.value.problem.code == "revision-unknown"


def test_what_one_that_was_ended_left_is_cleared_away(tmp_path: Path) -> None:
    left = tmp_path / "engines" / ".ready-mine.1" / "files"
    left.mkdir(parents=True)
    with pytest.raises(AppError):
        bring(saying(tmp_path / "x", "no"), tmp_path)
    assert list((tmp_path / "engines").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("print('main: error while loading shared libraries: libcudart.so.12: no'); raise SystemExit(127)",
         "library-missing", "cudart"),
        ("import os; os.kill(os.getpid(), 4)", "illegal-instruction", "avx2"),
    ],
)  # fmt: skip
def test_programs_that_end_before_they_say_anything(tmp_path: Path, text: str, code: str, word: str) -> None:
    folder = saying(tmp_path / "x", "version: 2321 (abc)")
    program(folder / "main", text)
    with pytest.raises(AppError) as caught:
        bring(folder, tmp_path)
    assert caught.value.problem.code == code
    assert word in caught.value.problem.hint


def test_programs_for_another_kind_of_computer(tmp_path: Path) -> None:
    folder = saying(tmp_path / "x", "version: 2321 (abc)")
    (folder / "main").write_bytes(b"MZ\x90\x00 no program of this system")
    with pytest.raises(AppError) as caught:
        bring(folder, tmp_path)
    assert caught.value.problem.code == "engine-does-not-start"


def test_programs_that_only_claim_to_train(tmp_path: Path) -> None:
    """The flags and the self-test decide, not the number."""
    folder = saying(tmp_path / "x", "version: 2896 (abc)")
    for name in ("export-lora", "quantize"):
        program(folder / name, "print('--help')")
    with pytest.raises(AppError) as caught:
        bring(folder, tmp_path)
    assert caught.value.problem.code in {"engine-does-not-start", "flags-missing"}
    assert list((tmp_path / "engines").iterdir()) == []


def test_an_archive_without_finetune(tmp_path: Path) -> None:
    archive = tmp_path / "llama-b4000.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("build/bin/llama-cli", "x")
    with pytest.raises(AppError, match="July 2024") as caught:
        bring(archive, tmp_path)
    assert caught.value.problem.code == "no-finetune"


def test_only_a_7z_needs_an_unpacker(tmp_path: Path) -> None:
    (tmp_path / "llama.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    with zipfile.ZipFile(tmp_path / "llama.zip", "w") as packed:
        packed.writestr("finetune", b"x")
    steps = {
        place.name: [step.id for step in ready.ready_plan(place, Workspace(tmp_path / "w")).steps]
        for place in (tmp_path / "llama.7z", tmp_path / "llama.zip", tmp_path)
    }
    assert steps == {"llama.7z": ["unpacker", "ready"], "llama.zip": ["ready"], tmp_path.name: ["ready"]}
    with pytest.raises(AppError, match="only zip files"):
        bring(tmp_path / "llama.7z", tmp_path)
