from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loragui.engine import build, installed
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.jobs.events import Event, Result
from tests.engine.conftest import program


def package(path: Path, *, names: tuple[str, ...] = ("vendor/x/a.c", "vendor/x/sub/run.sh", "other/b.c")) -> str:
    """A source package with these files; returns its sha256."""
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            entry = tarfile.TarInfo(f"top-1.0/{name}")
            entry.size = 4
            entry.mode = 0o755 if name.endswith(".sh") else 0o644
            archive.addfile(entry, io.BytesIO(b"text"))
        link = tarfile.TarInfo("top-1.0/vendor/x/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def unpack(tmp_path: Path, digest: str, folder: str = "vendor/x") -> list[Event]:
    found: list[Event] = []
    args = {
        "archive": str(tmp_path / "p.tar.gz"),
        "sha256": [digest],
        "folder": folder,
        "into": str(tmp_path / "work" / "source"),
        "bytes": 8,
    }
    build.unpack_job(args, found.append)
    return found


def test_only_the_wanted_folder_is_unpacked(tmp_path: Path) -> None:
    digest = package(tmp_path / "p.tar.gz")
    unpack(tmp_path, digest)
    source = tmp_path / "work" / "source"
    files = sorted(file.relative_to(source).as_posix() for file in source.rglob("*") if not file.is_dir())
    assert files == ["a.c", "sub/run.sh"]
    assert (source / "sub/run.sh").stat().st_mode & 0o100
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["source"]


def test_what_is_unpacked_already_is_kept(tmp_path: Path) -> None:
    digest = package(tmp_path / "p.tar.gz")
    unpack(tmp_path, digest)
    (tmp_path / "work/source/a.c").write_text("mine")
    (tmp_path / "p.tar.gz").unlink()
    unpack(tmp_path, digest)
    assert (tmp_path / "work/source/a.c").read_text() == "mine"


def test_a_path_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    digest = package(tmp_path / "p.tar.gz", names=("vendor/x/../../../../evil.c", "vendor/x/.git", "vendor/x/a.c"))
    unpack(tmp_path, digest)
    assert [path.name for path in (tmp_path / "work/source").iterdir()] == ["a.c"]
    assert not list(tmp_path.rglob("evil.c"))


def test_another_file_than_expected_is_refused_and_removed(tmp_path: Path) -> None:
    package(tmp_path / "p.tar.gz")
    with pytest.raises(AppError) as caught:
        unpack(tmp_path, "0" * 64)
    assert caught.value.problem.code == "checksum"
    assert not (tmp_path / "p.tar.gz").exists()
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("kind", ["cut", "junk", "no folder"])
def test_a_broken_package_leaves_nothing(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "p.tar.gz"
    package(path)
    if kind != "no folder":
        path.write_bytes(path.read_bytes()[:-60] if kind == "cut" else b"junk" * 500)
    with pytest.raises(AppError):
        unpack(tmp_path, hashlib.sha256(path.read_bytes()).hexdigest(), folder="elsewhere")
    assert not (tmp_path / "work" / "source").exists()


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Any]:
    """Arguments of the install job, and the small programs that it installs."""
    work = tmp_path / "cache" / "work"
    program(work / "bin" / "finetune", "print('usage:\\n  -s N, --seed N\\n  --rank-ffn_up N (default --x)')")
    program(work / "bin" / "main", "import os; print('--model', os.environ['OPENBLAS_NUM_THREADS'])")
    (work / "lib.so").write_bytes(b"x" * 10)
    return {
        "name": "b1-test",
        "engines": str(tmp_path / "engines"),
        "built": str(work / "bin"),
        "programs": {"finetune": "finetune", "main": "main"},
        "libraries": [str(work / "lib.so")],
        "flags": {"finetune": ["--seed", "--rank-ffn_up"], "main": ["--model"]},
        "environment": {"OPENBLAS_NUM_THREADS": "1"},
        "pin": "b1",
        "commit": "c",
        "recipe": "test",
        "work": str(work),
    }


def test_an_engine_is_installed(made: dict[str, Any]) -> None:
    found: list[Event] = []
    build.install_job(made, found.append)
    folder = Path(made["engines"]) / "b1-test"
    engine = installed.load(folder)
    assert engine.pin == "b1"
    assert set(engine.flags["finetune"]) == {"-s", "--seed", "--rank-ffn_up", "--x"}
    assert engine.environment == {"OPENBLAS_NUM_THREADS": "1"}
    assert engine.size > 100
    assert sorted(path.name for path in folder.iterdir()) == ["engine.json", "finetune", "lib.so", "main"]
    assert [path.name for path in folder.parent.iterdir()] == ["b1-test"]
    assert not Path(made["work"]).exists()
    (result,) = (event for event in found if isinstance(event, Result))
    assert result.values["engine"] == str(folder)


def fails(made: dict[str, Any]) -> str:
    with pytest.raises((AppError, FileNotFoundError)) as caught:
        build.install_job(made, lambda event: None)
    engines = Path(made["engines"])
    assert not engines.exists() or list(engines.iterdir()) == []
    assert Path(made["work"]).is_dir()
    return caught.value.problem.code if isinstance(caught.value, AppError) else "missing"


def test_missing_flags_are_named(made: dict[str, Any]) -> None:
    made["flags"]["finetune"] += ["--no-such", "--ran"]
    with pytest.raises(AppError, match="does not know --no-such, --ran"):
        build.install_job(made, lambda event: None)
    assert fails(made) == "flags-missing"


@pytest.mark.parametrize("text", ["import os, signal; os.kill(os.getpid(), signal.SIGILL)", "", "raise SystemExit(3)"])
def test_a_program_that_does_not_start(text: str, made: dict[str, Any]) -> None:
    program(Path(made["built"]) / "main", text)
    assert fails(made) == "engine-does-not-start"


def test_a_file_that_is_no_program(made: dict[str, Any]) -> None:
    (Path(made["built"]) / "main").write_bytes(b"\x7fELF")
    assert fails(made) == "engine-does-not-start"


def test_a_program_that_was_not_built(made: dict[str, Any]) -> None:
    (Path(made["built"]) / "main").unlink()
    assert fails(made) == "missing"


def test_a_good_engine_is_kept_and_a_damaged_one_replaced(
    made: dict[str, Any], engine_in: Callable[..., Engine]
) -> None:
    folder = Path(made["engines"]) / "b1-test"
    engine = engine_in(folder, built="before")
    build.install_job(made, lambda event: None)
    assert installed.load(folder).built == "before"
    engine.program("quantize").unlink()
    program(Path(made["built"]) / "finetune", "print('--seed --rank-ffn_up')")
    program(Path(made["built"]) / "main", "print('--model')")
    (Path(made["work"]) / "lib.so").write_bytes(b"y")
    build.install_job(made, lambda event: None)
    assert installed.load(folder).built != "before"
    assert [path.name for path in folder.parent.iterdir()] == ["b1-test"]
