"""llama.cpp's source from a package, by git and out of a folder: the same files, or none."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.engine import catalogue, recipes, sources
from loragui.engine.catalogue import Pin
from loragui.engine.sources import FOLDER, GIT, PACKAGE, Source
from loragui.engine.tools import Found
from loragui.errors import AppError
from loragui.jobs import client
from loragui.jobs.events import Event, Progress
from loragui.jobs.folder import DONE, RunFolder
from loragui.jobs.packages import download_job
from loragui.jobs.plan import Plan
from loragui.paths import Workspace

FILES = {
    "CMakeLists.txt": b"project(x)\n",
    "Makefile": b"all:\r\n\techo\r\n",  # git with core.autocrlf makes other line ends of these
    "a.c": b"int a;\nint b;\n",
    "picture.bin": bytes(range(256)),
    "common/empty.h": b"",
    "scripts/run.sh": b"#!/bin/sh\n",
}
SKIPPED = {"media/logo.png": b"png", "models/vocab.gguf": b"GGUF", "build-info.h": b"#define X\n"}
SKIP = list(catalogue.catalogue().repository.skip)


def put(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if name.endswith(".sh"):
            path.chmod(0o755)
    return folder


def package(path: Path, files: Mapping[str, bytes] = FILES, *, folder: str = "vendor/x") -> str:
    """A source package with these files and others around them; returns its sha256."""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in {**{f"{folder}/{name}": data for name, data in files.items()}, "setup.py": b"x"}.items():
            entry = tarfile.TarInfo(f"top-1.0/{name}")
            entry.size, entry.mode = len(data), 0o755 if name.endswith(".sh") else 0o644
            archive.addfile(entry, io.BytesIO(data))
        link = tarfile.TarInfo(f"top-1.0/{folder}/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest(files: Mapping[str, bytes]) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        return sources.tree_digest(put(Path(scratch), files))


TREE = digest(FILES)


def wanted(into: Path, **changes: object) -> dict[str, Any]:
    """What every job is told."""
    return {
        "into": str(into),
        "skip": SKIP,
        "tree": TREE,
        "bytes": sum(map(len, FILES.values())),
        "pin": "x (today)",
        "trees": {TREE: "x (today)"},
        **changes,
    }


def unpack(tmp_path: Path, sha256: str, **changes: object) -> list[Event]:
    found: list[Event] = []
    args = wanted(tmp_path / "work" / "source", archive=str(tmp_path / "p.tar.gz"), sha256=[sha256], folder="vendor/x")
    sources.unpack_job({**args, **changes}, found.append)
    return found


def copy(folder: Path, tmp_path: Path, **changes: object) -> None:
    args = wanted(tmp_path / "work" / "source", folder=str(folder), **changes)
    sources.copy_job(args, lambda event: None)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below the folder but git's."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


# -- The digest --------------------------------------------------------------------------------------------------------

TREES = st.dictionaries(
    st.sampled_from(["a", "b", "a-b", "sub/a", "sub/b", "ä.c"]), st.binary(max_size=9), min_size=1, max_size=5
)


@given(TREES, TREES)
def test_the_digest_tells_any_two_trees_apart(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (digest(one) == digest(other)) == (one == other)


@given(TREES, st.randoms(use_true_random=False), st.integers(0, 2_000_000_000))
def test_the_digest_knows_no_order_and_no_time(files: dict[str, bytes], chance: Any, when: int) -> None:
    names = list(files)
    chance.shuffle(names)
    with tempfile.TemporaryDirectory() as scratch:
        folder = put(Path(scratch), {name: files[name] for name in names})
        for path in folder.rglob("*"):
            os.utime(path, (when, when))
        (folder / "empty folder").mkdir()
        assert sources.tree_digest(folder) == digest(files)


def test_names_are_a_part_of_the_digest() -> None:
    assert digest({"a": b"x", "b": b"y"}) != digest({"a": b"y", "b": b"x"})
    assert digest({"a": b"x"}) != digest({"b": b"x"})


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_no_text_is_another_file(tmp_path: Path) -> None:
    put(tmp_path / "x", FILES)
    Path(os.fsdecode(bytes(tmp_path / "x") + b"/\xff.c")).write_bytes(b"")
    with pytest.raises(AppError) as caught:
        copy(tmp_path / "x", tmp_path)
    assert caught.value.problem.code == "other-source"


@pytest.mark.parametrize(
    ("name", "skipped"),
    [
        ("kompute/README.md", True), ("kompute", False), ("kompute-shaders/a.comp", False), ("ggml-kompute.h", False),
        (".git", True), ("kompute/.git", True), ("sub/.git/config", True), (".gitignore", False), ("a.git/x", False),
        ("build-info.h", True), ("common/build-info.h", False), ("common/build-info.cpp", True),
        ("examples/llama.swiftui/x", True), ("examples/finetune/finetune.cpp", False),
    ],
)  # fmt: skip
def test_what_is_left_out(name: str, skipped: bool) -> None:
    assert sources.is_skipped(name, SKIP) is skipped


# -- The source package ------------------------------------------------------------------------------------------------


def test_only_the_wanted_folder_is_unpacked(tmp_path: Path) -> None:
    said = unpack(tmp_path, package(tmp_path / "p.tar.gz", {**FILES, **SKIPPED}))
    source = tmp_path / "work" / "source"
    assert files_of(source) == FILES
    assert (source / "scripts/run.sh").stat().st_mode & 0o100
    assert not (source / "a.c").stat().st_mode & 0o100
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["source"]
    assert [event.done for event in said if isinstance(event, Progress)][-1] == sum(map(len, FILES.values()))


def test_what_is_unpacked_already_is_kept(tmp_path: Path) -> None:
    sha256 = package(tmp_path / "p.tar.gz")
    unpack(tmp_path, sha256)
    (tmp_path / "work/source/a.c").write_text("mine")
    (tmp_path / "p.tar.gz").unlink()
    unpack(tmp_path, sha256)
    assert (tmp_path / "work/source/a.c").read_text() == "mine"


def test_a_path_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    out = {"../../../../evil.c": b"1", "sub/../../../evil.c": b"2", ".git": b"3"}
    unpack(tmp_path, package(tmp_path / "p.tar.gz", {**out, **FILES}))
    assert files_of(tmp_path / "work" / "source") == FILES
    assert not list(tmp_path.rglob("evil.c"))


def test_another_file_than_expected_is_refused_and_removed(tmp_path: Path) -> None:
    package(tmp_path / "p.tar.gz")
    with pytest.raises(AppError) as caught:
        unpack(tmp_path, "0" * 64)
    assert caught.value.problem.code == "checksum"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["cut", "junk", "no folder"])
def test_a_broken_package_leaves_nothing(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "p.tar.gz"
    package(path)
    if kind != "no folder":
        path.write_bytes(path.read_bytes()[:-60] if kind == "cut" else b"junk" * 500)
    with pytest.raises(AppError) as caught:
        unpack(tmp_path, hashlib.sha256(path.read_bytes()).hexdigest(), folder="elsewhere")
    assert caught.value.problem.code == "checksum"
    assert list((tmp_path / "work").iterdir()) == []


WRONG: dict[str, dict[str, bytes]] = {
    "changed": {**FILES, "a.c": b"int a;\nint c;\n"},
    "missing": {name: data for name, data in FILES.items() if name != "common/empty.h"},
    "extra": {**FILES, "common/more.h": b""},
    "renamed": {**{name: data for name, data in FILES.items() if name != "a.c"}, "A.c": FILES["a.c"]},
    "line ends": {**FILES, "a.c": FILES["a.c"].replace(b"\n", b"\r\n")},
}


@pytest.mark.parametrize("way", [PACKAGE, FOLDER])
@pytest.mark.parametrize("kind", WRONG)
def test_other_files_are_refused(way: str, kind: str, tmp_path: Path) -> None:
    def take() -> None:
        if way == PACKAGE:
            unpack(tmp_path, package(tmp_path / "p.tar.gz", WRONG[kind]))
        else:
            copy(put(tmp_path / "x", WRONG[kind]), tmp_path)

    with pytest.raises(AppError, match=r"not the source of x \(today\): some of its files are others") as caught:
        take()
    assert caught.value.problem.code == "other-source"
    assert TREE in caught.value.problem.details
    assert list((tmp_path / "work").iterdir()) == []


def test_another_revision_is_named(tmp_path: Path) -> None:
    put(tmp_path / "x", WRONG["changed"])
    known = {TREE: "x (today)", digest(WRONG["changed"]): "x (of old)"}
    with pytest.raises(AppError, match=r"not the source of x \(today\), but of x \(of old\)"):
        copy(tmp_path / "x", tmp_path, trees=known)


# -- A person's folder -------------------------------------------------------------------------------------------------


def state_of(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Everything below the folder, with its times and rights."""
    return {
        str(path): (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns, path.stat().st_mode)
        for path in (folder, *folder.rglob("*"))
    }


def test_a_persons_folder_is_only_read(tmp_path: Path) -> None:
    mine = put(tmp_path / "mine", {**FILES, **SKIPPED, "kompute/.git": b"gitdir: x", "kompute/src/a.cpp": b"x"})
    (mine / "a.c").chmod(0o444)
    before = state_of(mine)
    copy(mine, tmp_path)
    source = tmp_path / "work" / "source"
    assert files_of(source) == FILES
    assert (source / "a.c").stat().st_mode & 0o200, "Windows would not delete it"
    (source / "Makefile").write_bytes(b"")
    assert state_of(mine) == before


def test_a_folder_without_source_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(AppError) as caught:
        copy(tmp_path / "x", tmp_path)
    assert caught.value.problem.code == "no-source"
    assert not (tmp_path / "work").exists()


def test_a_folder_full_of_other_things_is_not_copied_first(tmp_path: Path) -> None:
    mine = put(tmp_path / "x", {**FILES, "model.gguf": bytes(2000)})
    with pytest.raises(AppError) as caught:
        copy(mine, tmp_path)
    assert caught.value.problem.code == "other-source"
    assert not (tmp_path / "work").exists()


def test_which_way_a_persons_copy_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, clone, worktree, bare = (tmp_path / name for name in ("plain", "clone", "worktree", "bare"))
    put(plain, FILES)
    (clone / ".git").mkdir(parents=True)
    put(worktree, {".git": b"gitdir: elsewhere"})
    put(bare, {"HEAD": b"ref: refs/heads/x"})
    assert [Source.of_folder(folder).kind for folder in (plain, clone, worktree, bare)] == [FOLDER, GIT, GIT, GIT]
    monkeypatch.chdir(tmp_path)
    assert Source.of_folder(Path("plain")) == Source(kind=FOLDER, place=str(plain))


# -- Git, for real -----------------------------------------------------------------------------------------------------


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def careless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's settings of git that would make other files."""
    home = tmp_path / "home"
    attributes = put(home, {"attributes": b"* text=auto\n"}) / "attributes"
    core = f"[core]\n autocrlf = true\n eol = crlf\n attributesFile = {attributes}\n"
    put(home, {".gitconfig": f"{core}[user]\n name = x\n email = x@example.org\n".encode()})
    for name, value in {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}.items():
        monkeypatch.setenv(name, value)
    return home


@pytest.fixture
def repository(tmp_path: Path, careless: Path) -> Path:
    """A repository of these files; the wanted commit is neither the first nor the last, and no branch points at it."""
    folder = put(tmp_path / "a clone", {"a.c": b"old"})
    git(folder, "init", "--quiet")
    for name, setting in {"core.autocrlf": "false", "core.attributesFile": "none"}.items():
        git(folder, "config", name, setting)
    for files in ({}, {**FILES, **SKIPPED}, {"a.c": b"new"}):
        put(folder, files)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "-m", "x")
    return folder


def carried_out(tmp_path: Path, source: Source, commit: str) -> tuple[RunFolder, Path]:
    """The steps of a build that get the source, through the real runner; and where the source lies then."""
    pin = replace(catalogue.pins()[0], commit=commit, tree=TREE, unpacked_bytes=sum(map(len, FILES.values())))
    found = {name: Found(path=name) for name in ("git", "gcc", "gxx", "make")}
    workspace = Workspace(tmp_path / "work space")
    plan = recipes.build_plan(
        catalogue.recipe("gcc"), pin, workspace, found=found, source=source, system="linux-x86_64"
    )
    steps = tuple(step for step in plan.steps if step.id.startswith(("git-", "copy")))
    assert [step.id for step in steps] == ["git-begin", "git-fetch", "git-checkout", "copy"]
    folder = RunFolder(tmp_path / "run")
    folder.save_plan(Plan(kind="test", title="x", steps=steps))
    place = Path(plan.steps[-2].command.cwd)
    place.mkdir(parents=True, exist_ok=True)  # as the runner does for the first step that works there
    return folder, place / "source"


def test_git_gives_the_same_files_whatever_the_persons_settings(repository: Path, tmp_path: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD~1")
    put(repository, {"a.c": b"dirty", "new.c": b"lies about", "CMakeLists.txt": b""})
    git(repository, "add", "new.c")
    before = state_of(repository)
    source = Source.of_folder(repository)
    folder, place = carried_out(tmp_path, source, commit)
    ended = client.run_to_end(folder)
    assert ended.state == DONE, f"{ended.problem}\n{folder.output_file.read_text()}"
    assert files_of(place) == FILES
    assert state_of(repository) == before
    unpack(tmp_path, package(tmp_path / "p.tar.gz"))
    assert sources.tree_digest(place) == sources.tree_digest(tmp_path / "work" / "source")


def test_git_that_was_ended_in_the_middle_is_begun_anew(repository: Path, tmp_path: Path) -> None:
    """It leaves locks behind; what it had fetched is not used."""
    source, commit = Source.of_folder(repository), git(repository, "rev-parse", "HEAD~1")
    folder, place = carried_out(tmp_path, source, commit)
    assert client.run_to_end(folder).state == DONE
    for path in place.parent.glob("clone-*/.git"):
        put(path, {"index.lock": b"", "shallow.lock": b""})
    shutil.rmtree(place)
    folder, place = carried_out(tmp_path, source, commit)
    ended = client.run_to_end(folder)
    assert ended.state == DONE, f"{ended.problem}\n{folder.output_file.read_text()}"
    assert files_of(place) == FILES


def test_a_source_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    plans = []
    for _ in range(2):
        plan = recipes.build_plan(
            catalogue.recipe("wheels"), catalogue.pins()[0], Workspace(tmp_path), system="linux-x86_64"
        )
        plans.append({step.id for step in plan.steps})
        (Path(plan.steps[-2].command.cwd) / "source").mkdir(parents=True, exist_ok=True)
    assert plans[0] - plans[1] == {"download", "unpack"}


def test_the_persons_settings_would_make_other_files(repository: Path, tmp_path: Path) -> None:
    """So that the test above can fail."""
    git(tmp_path, "clone", "--quiet", str(repository), "plain")
    git(tmp_path / "plain", "checkout", "--quiet", "HEAD~1")
    assert (tmp_path / "plain" / "a.c").read_bytes() == b"int a;\r\nint b;\r\n"


def test_a_commit_that_is_not_there(repository: Path, tmp_path: Path) -> None:
    folder, place = carried_out(tmp_path, Source.of_folder(repository), "0" * 40)
    ended = client.run_to_end(folder)
    assert ended.problem is not None
    assert not place.exists()


# -- The real packages -------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("pin", catalogue.pins(), ids=lambda pin: pin.id)
def test_the_real_packages_are_the_trees_of_the_list(pin: Pin, shared_workspace: Workspace, tmp_path: Path) -> None:
    packages = shared_workspace.cache / "packages"
    archive = packages / pin.archive
    if not archive.is_file():
        download_job({"package": pin.package.to_json(), "into": str(packages)}, lambda event: None)
    assert archive.stat().st_size == pin.download_bytes
    plan_args = wanted(
        tmp_path / "source", tree=pin.tree, bytes=pin.unpacked_bytes, archive=str(archive),
        sha256=list(pin.package.sha256), folder=pin.folder,
    )  # fmt: skip
    sources.unpack_job(plan_args, lambda event: None)
    assert sources.tree_digest(tmp_path / "source") == pin.tree
    assert sum(map(len, files_of(tmp_path / "source").values())) == pin.unpacked_bytes
