"""The last step of a build: nothing is an engine before it has shown that it is one; the old one stays until then."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loragui.engine import build, installed, tiny
from loragui.engine.build import check_flags, flags_of
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.jobs import client
from loragui.jobs.events import Event, Note, Result
from loragui.jobs.folder import DONE, FAILED, RunFolder
from loragui.jobs.plan import Plan, Step
from loragui.jobs.pyjob import job_command
from loragui.paths import Workspace
from tests.engine.conftest import program
from tests.engine.test_selftest import LOSSES, changed, checkpoint, copies, prints

PROGRAMS = ("finetune", "export-lora", "main", "quantize")
FLAGS = {
    "finetune": ["--seed", "--rank-ffn_up"],
    "export-lora": ["--model-base"],
    "main": ["--model"],
    "quantize": ["--pure"],
}
HELP = "import os, sys\nif '--help' in sys.argv:\n    print({!r})\n    raise SystemExit(0)\n"
SAID = {name: "usage:\n  -s N, " + " N (default --x)\n  ".join(flags) for name, flags in FLAGS.items()}


def put_programs(folder: Path, files: Path, **other: str) -> None:
    """Small programs that do as those of a good engine; ``other`` does something else instead."""
    files.mkdir(exist_ok=True)
    (files / "lora").write_bytes(b"algg" + bytes(12))
    saved = checkpoint(files / "checkpoint")
    merged = changed(tiny.write_tiny(files / "merged", tiny.Shape()))
    trained = copies(**{"checkpoint-8.gguf": saved, "lora-8.gguf": files / "lora"})
    acts = {
        "finetune": f"{trained}\n{prints([*LOSSES])}",
        "export-lora": copies(**{"merged.gguf": merged}),
        "quantize": copies(**{"packed.gguf": merged}),
        "main": "assert os.environ['OPENBLAS_NUM_THREADS'] == '1'\nprint(' sea is calm')",
        **{name.replace("_", "-"): text for name, text in other.items()},
    }
    for name, text in acts.items():
        program(folder / name, HELP.format(SAID[name]) + text)


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Any]:
    """Arguments of the install job, and the small programs that it installs."""
    work = tmp_path / "cache" / "work"
    put_programs(work / "bin", tmp_path / "files")
    (work / "lib.so").write_bytes(b"x" * 10)
    return {
        "name": "b1-test",
        "engines": str(tmp_path / "engines"),
        "built": str(work / "bin"),
        "programs": {name: name for name in PROGRAMS},
        "libraries": [str(work / "lib.so")],
        "flags": FLAGS,
        "environment": {"OPENBLAS_NUM_THREADS": "1"},
        "options": ["CC=gcc"],
        "pin": "b1",
        "commit": "c",
        "recipe": "test",
        "library": "openblas",
        "accepts": {"architectures": ["llama"]},
        "losses": LOSSES[:3],
        "live": True,
        "work": str(work),
        "anew": False,
    }


def install(made: dict[str, Any]) -> list[Event]:
    found: list[Event] = []
    build.install_job(made, found.append)
    return found


def place(made: dict[str, Any]) -> Path:
    return Path(made["engines"], made["name"])


def test_an_engine_is_installed(made: dict[str, Any]) -> None:
    found = install(made)
    folder = place(made)
    engine = installed.load(folder)
    assert (engine.pin, engine.commit, engine.recipe, engine.library) == ("b1", "c", "test", "openblas")
    assert set(engine.flags["finetune"]) == {"-s", "--seed", "--rank-ffn_up", "--x"}
    assert engine.environment == {"OPENBLAS_NUM_THREADS": "1"}
    assert engine.options == ("CC=gcc",)
    assert engine.accepts == made["accepts"]
    assert engine.losses == tuple(LOSSES)
    assert engine.live
    assert engine.size == sum((folder / name).stat().st_size for name in (*PROGRAMS, "lib.so"))
    assert sorted(path.name for path in folder.iterdir()) == sorted((*PROGRAMS, "engine.json", "lib.so"))
    assert [path.name for path in folder.parent.iterdir()] == ["b1-test"]
    assert not Path(made["work"]).exists()
    (result,) = (event for event in found if isinstance(event, Result))
    assert result.values == {"engine": str(folder), "name": "b1-test", "bytes": engine.size}
    said = [event.text for event in found if isinstance(event, Note)]
    assert any("check" in text for text in said)
    assert any("training a tiny model" in text for text in said)


# -- What is no engine -------------------------------------------------------------------------------------------------


def fails(made: dict[str, Any]) -> AppError:
    """What was told. Nothing is there afterwards, and what was built is kept to try again."""
    with pytest.raises(AppError) as caught:
        install(made)
    engines = Path(made["engines"])
    assert not engines.exists() or list(engines.iterdir()) == []
    assert Path(made["work"]).is_dir()
    return caught.value


def test_missing_flags_are_named(made: dict[str, Any]) -> None:
    made["flags"] = {**FLAGS, "finetune": [*FLAGS["finetune"], "--no-such", "--ran"]}
    told = fails(made).problem
    assert told.code == "flags-missing"
    assert "does not know --no-such, --ran" in told.message


STARTS = {
    "crashes": "import os, signal; os.kill(os.getpid(), signal.SIGILL)",
    "says nothing": "",
    "ends with another code": "raise SystemExit(3)",
    "says no flag": "print('usage')",
}


@pytest.mark.skipif(os.name == "nt", reason="signals and #! lines")
@pytest.mark.parametrize("kind", STARTS)
@pytest.mark.parametrize("name", ["finetune", "quantize"])
def test_a_program_that_does_not_start(kind: str, name: str, made: dict[str, Any]) -> None:
    program(Path(made["built"]) / name, STARTS[kind])
    told = fails(made).problem
    assert told.code == "engine-does-not-start"
    assert name in told.message


def test_a_file_that_is_no_program(made: dict[str, Any]) -> None:
    (Path(made["built"]) / "main").write_bytes(b"\x7fELF")
    assert fails(made).problem.code == "engine-does-not-start"


@pytest.mark.parametrize("what", ["bin/main", "lib.so"])
def test_what_an_antivirus_took_away(what: str, made: dict[str, Any]) -> None:
    (Path(made["work"]) / what).unlink()
    told = fails(made).problem
    assert told.code == "antivirus"
    assert Path(what).name in told.message


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"finetune": "os.abort()"}, "selftest-train"),
        ({"finetune": prints([*LOSSES])}, "selftest-train"),
        ({"export_lora": "raise SystemExit(1)"}, "selftest-merge"),
        ({"main": "pass"}, "selftest-use"),
    ],
)
def test_an_engine_that_starts_and_cannot_train(changes: dict[str, str], code: str, made: dict[str, Any]) -> None:
    put_programs(Path(made["built"]), Path(made["work"]) / "files", **changes)
    assert fails(made).problem.code == code


@pytest.mark.parametrize(
    ("library", "off", "good"),
    [
        ("none", 1.0002, True),
        ("none", 1.002, False),
        ("openblas", 1.002, False),
        ("cublas", 1.002, True),
        ("clblast", 1.002, True),
        ("clblast", 1.05, False),
    ],
)
def test_other_numbers_than_those_of_the_revision(library: str, off: float, good: bool, made: dict[str, Any]) -> None:
    """A card rounds in its own way, a processor does not."""
    made |= {"library": library, "losses": [loss * off for loss in LOSSES[:3]]}
    if good:
        install(made)
        assert installed.load(place(made)).losses == tuple(LOSSES)
    else:
        assert fails(made).problem.code == "selftest-numbers"


def test_a_revision_without_known_numbers(made: dict[str, Any]) -> None:
    made["losses"] = []
    install(made)
    assert installed.load(place(made)).losses == tuple(LOSSES)


# -- The engine that was there before ----------------------------------------------------------------------------------


@pytest.fixture
def before(made: dict[str, Any], engine_in: Callable[..., Engine]) -> Engine:
    """A good engine of that name."""
    return engine_in(place(made), built="before")


def only(made: dict[str, Any]) -> Engine:
    """The one engine, beside which nothing lies about."""
    assert [path.name for path in Path(made["engines"]).iterdir()] == [made["name"]]
    return installed.load(place(made))


def test_a_good_engine_is_kept(made: dict[str, Any], before: Engine) -> None:
    found = install(made)
    assert only(made) == before
    assert not Path(made["work"]).exists()
    assert any(isinstance(event, Result) and event.values["engine"] == str(before.folder) for event in found)


def test_a_damaged_one_is_replaced(made: dict[str, Any], before: Engine) -> None:
    before.program("quantize").unlink()
    install(made)
    assert only(made).built != "before"


def test_built_anew_it_is_replaced_by_the_new_one(made: dict[str, Any], before: Engine) -> None:
    (before.folder / "old.so").touch()
    install({**made, "anew": True})
    assert only(made).built != "before"
    assert not (place(made) / "old.so").exists()


BROKEN: list[Callable[[dict[str, Any]], object]] = [
    lambda made: program(Path(made["built"]) / "main", "raise SystemExit(3)"),
    lambda made: (Path(made["work"]) / "lib.so").unlink(),
    lambda made: made.update(flags={**FLAGS, "main": ["--no-such"]}),
    lambda made: made.update(losses=[1.0]),
]


@pytest.mark.parametrize("spoil", BROKEN)
def test_it_stays_when_the_new_one_is_no_good(
    spoil: Callable[[dict[str, Any]], object], made: dict[str, Any], before: Engine
) -> None:
    spoil(made)
    with pytest.raises(AppError):
        install({**made, "anew": True})
    assert only(made) == before


@pytest.mark.parametrize("which", ["b1-test", ".building-b1-test"])
def test_it_stays_when_a_folder_cannot_be_renamed(
    which: str, made: dict[str, Any], before: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows renames no folder in which a program runs, or a scanner reads."""
    rename = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if path.name == which:
            raise PermissionError(13, "in use", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(AppError) as caught:
        install({**made, "anew": True})
    assert caught.value.problem.code == "engine-busy"
    monkeypatch.undo()
    assert only(made) == before
    install({**made, "anew": True})
    assert only(made).built != "before"


@pytest.mark.parametrize("left", [".building-b1-test", ".removed-b1-test"])
def test_what_an_interrupted_try_left_is_in_nobodys_way(left: str, made: dict[str, Any], before: Engine) -> None:
    rubbish = Path(made["engines"]) / left
    rubbish.mkdir()
    (rubbish / "finetune").write_bytes(b"half")
    install({**made, "anew": True})
    assert only(made).built != "before"


def test_an_engine_that_was_deleted_during_the_build(made: dict[str, Any], before: Engine) -> None:
    installed.remove(Workspace(Path(made["engines"]).parent), made["name"])
    install({**made, "anew": True})
    assert only(made).built != "before"


def test_gits_read_only_files_are_cleared_away(made: dict[str, Any]) -> None:
    pack = Path(made["work"]) / "clone-0" / ".git" / "objects" / "pack" / "pack-1.idx"
    pack.parent.mkdir(parents=True)
    pack.touch(mode=0o444)
    install(made)
    assert not Path(made["work"]).exists()


def test_build_folders_of_other_tools_go_too(made: dict[str, Any]) -> None:
    builds = Path(made["work"]).parent
    old, other = builds / "b2896-gcc-0123abcd", builds / "b2896-gcc-openblas-0123abcd"
    for folder in (old, other):
        folder.mkdir()
    work = Path(made["work"]).rename(builds / "b2896-gcc-ffffffff")
    at = {"work": str(work), "built": str(work / "bin"), "libraries": [str(work / "lib.so")]}
    install({**made, **at})
    assert [path.name for path in builds.iterdir()] == [other.name]


# -- Through the runner ------------------------------------------------------------------------------------------------


def test_a_build_that_failed_can_be_tried_again(made: dict[str, Any], before: Engine, tmp_path: Path) -> None:
    """As on a person's PC: the step in a process of its own, where it failed it goes on."""
    folder = RunFolder(tmp_path / "run")
    step = Step(id="install", title="x", command=job_command("engine-install", {**made, "anew": True}))
    folder.save_plan(Plan(kind="test", title="x", steps=(step,)))
    hidden = (Path(made["work"]) / "lib.so").rename(tmp_path / "quarantine")
    ended = client.run_to_end(folder)
    assert ended.state == FAILED
    assert ended.problem is not None
    assert ended.problem.code == "antivirus"
    assert only(made) == before
    hidden.rename(Path(made["work"]) / "lib.so")
    assert client.run_to_end(folder).state == DONE
    assert only(made).losses == tuple(LOSSES)


# -- Flags -------------------------------------------------------------------------------------------------------------


def test_flags_are_read_out_of_a_help(tmp_path: Path) -> None:
    said = "usage: x [options]\n  -h, --help  a non-flag, 1--2, <--not>\n  --rank-ffn_up N (default -1)\n  -tb N"
    path = program(tmp_path / "x", f"import sys\nsys.stderr.write({said!r})\nraise SystemExit(1)")
    assert flags_of(path, {}) == {"-h", "--help", "--not", "--rank-ffn_up", "-tb"}
    with pytest.raises(AppError, match="does not know --model"):
        check_flags("main", ["--help", "--model"], flags_of(path, {}))
