"""Packages through the real pip, from a folder of our own instead of a registry."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from loragui.errors import AppError
from loragui.jobs import packages
from loragui.jobs.events import Event, Note
from loragui.jobs.packages import Package


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny wheel in the only place where pip may look."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    path = shelf / "lamp-1.0-py3-none-any.whl"
    files = {
        "lamp/__init__.py": b"LIGHT = True\n",
        "lamp-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: lamp\nVersion: 1.0\n",
        "lamp-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}\n")
    files["lamp-1.0.dist-info/RECORD"] = "".join([*rows, "lamp-1.0.dist-info/RECORD,,\n"]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return path


def package(wheel: Path, **changes: object) -> Package:
    row = {"name": "lamp", "version": "1.0", "sha256": [hashlib.sha256(wheel.read_bytes()).hexdigest()], **changes}
    return Package.from_json(row)


def emit(_event: Event) -> None:
    """Nobody listens."""


def test_a_package_is_downloaded_as_it_is(wheel: Path, tmp_path: Path) -> None:
    into = tmp_path / "cache"
    packages.download_job({"package": package(wheel).to_json(), "into": str(into)}, emit)
    assert [path.name for path in into.iterdir()] == [wheel.name]
    assert (into / wheel.name).read_bytes() == wheel.read_bytes()


def test_packages_are_unpacked_into_a_folder_that_appears_at_once(wheel: Path, tmp_path: Path) -> None:
    into = tmp_path / "tools" / "lamps"
    args = {"packages": [package(wheel).to_json()], "into": str(into)}
    packages.install_job(args, emit)
    assert (into / "lamp" / "__init__.py").is_file()
    packages.install_job(args, emit)
    assert [path.name for path in into.parent.iterdir()] == ["lamps"]


def test_packages_of_which_a_file_was_taken_away_are_unpacked_anew(wheel: Path, tmp_path: Path) -> None:
    into = tmp_path / "tools" / "lamps"
    args = {"packages": [package(wheel).to_json()], "into": str(into), "proof": ["lamp/__init__.py"]}
    packages.install_job(args, emit)
    (into / "lamp" / "__init__.py").unlink()
    (into / "lamp" / "left.py").touch()
    packages.install_job(args, emit)
    assert [path.name for path in (into / "lamp").iterdir()] == ["__init__.py"]
    assert [path.name for path in into.parent.iterdir()] == ["lamps"]


def test_what_an_ended_job_left_is_cleared_away_when_it_is_old(wheel: Path, tmp_path: Path) -> None:
    into = tmp_path / "tools" / "lamps"
    old, young = into.with_name(".part-old"), into.with_name(".part-young")
    for part in (old, young):
        (part / "files").mkdir(parents=True)
    os.utime(old, (1, 1))
    packages.install_job({"packages": [package(wheel).to_json()], "into": str(into)}, emit)
    assert {path.name for path in into.parent.iterdir()} == {"lamps", ".part-young"}


def test_two_builds_may_bring_the_same_packages_at_once(wheel: Path, tmp_path: Path) -> None:
    into = tmp_path / "tools" / "lamps"

    def other_is_first(event: Event) -> None:
        if isinstance(event, Note) and event.text.startswith("Downloading"):
            (into / "lamp").mkdir(parents=True)
            (into / "lamp" / "__init__.py").write_text("of the other")

    packages.install_job({"packages": [package(wheel).to_json()], "into": str(into)}, other_is_first)
    assert (into / "lamp" / "__init__.py").read_text() == "of the other"
    assert [path.name for path in into.parent.iterdir()] == ["lamps"]


def test_another_file_under_the_same_name_is_refused(wheel: Path, tmp_path: Path) -> None:
    wrong = package(wheel, sha256=["0" * 64])
    into = tmp_path / "tools" / "lamps"
    with pytest.raises(AppError, match="checksum differs") as caught:
        packages.install_job({"packages": [wrong.to_json()], "into": str(into)}, emit)
    assert caught.value.problem.code == "checksum"
    assert list(into.parent.iterdir()) == []


def test_a_package_that_is_not_offered_is_named(wheel: Path, tmp_path: Path) -> None:
    missing = package(wheel, version="2.0")
    with pytest.raises(AppError, match=r"lamp 2\.0 failed\. The package server offers"):
        packages.download_job({"package": missing.to_json(), "into": str(tmp_path / "cache")}, emit)


def test_how_far_it_is_is_told(wheel: Path, tmp_path: Path) -> None:
    found: list[Event] = []
    packages.download_job({"package": package(wheel).to_json(), "into": str(tmp_path / "cache")}, found.append)
    assert Note(text="Downloading lamp 1.0") in found


def test_a_damaged_download_leaves_nothing(wheel: Path, tmp_path: Path) -> None:
    wrong = package(wheel, sha256=["0" * 64])
    into = tmp_path / "cache"
    with pytest.raises(AppError, match="checksum differs") as caught:
        packages.download_job({"package": wrong.to_json(), "into": str(into)}, emit)
    assert caught.value.problem.hint
    assert "lamp" in caught.value.problem.details
    assert list(into.iterdir()) == []


def test_one_of_several_known_files_is_enough(wheel: Path, tmp_path: Path) -> None:
    known = package(wheel, sha256=["0" * 64, hashlib.sha256(wheel.read_bytes()).hexdigest()])
    packages.download_job({"package": known.to_json(), "into": str(tmp_path / "cache")}, emit)
    assert (tmp_path / "cache" / wheel.name).is_file()


BACKEND = """
import os
def _metadata(folder):
    os.makedirs(os.path.join(folder, "lamp-1.0.dist-info"))
    with open(os.path.join(folder, "lamp-1.0.dist-info", "METADATA"), "w") as out:
        out.write("Metadata-Version: 2.1\\nName: lamp\\nVersion: 1.0\\n")
    return "lamp-1.0.dist-info"
def prepare_metadata_for_build_wheel(folder, settings=None):
    return _metadata(folder)
def build_wheel(*words, **named):
    raise SystemExit("only its source is wanted")
"""


def test_the_source_package_is_taken_where_it_is_asked_for(wheel: Path, tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": BACKEND,
        "PKG-INFO": "Metadata-Version: 2.1\nName: lamp\nVersion: 1.0\n",
    }
    source = wheel.parent / "lamp-1.0.tar.gz"
    with tarfile.open(source, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"lamp-1.0/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    wanted = package(source, source=True)
    packages.download_job({"package": wanted.to_json(), "into": str(tmp_path / "cache")}, emit)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [source.name]


def test_a_package_survives_its_json(wheel: Path) -> None:
    for changes in ({}, {"source": True}, {"sha256": ["1" * 64, "2" * 64]}):
        wanted = package(wheel, **changes)
        assert Package.from_json(wanted.to_json()) == wanted
        assert wanted.requirement.count("--hash=sha256:") == len(wanted.sha256)


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk-full"),
        ("WARNING: Retrying after connection broken by 'NewConnectionError'\nERROR: x", "network"),
        ("WARNING: … 'NewConnectionError'\nERROR: Could not find a version x (from versions: none)", "network"),
        ("WARNING: … 'NewConnectionError'\nERROR: Could not find a version x (from versions: 1.0)", "package-missing"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "checksum"),
        ("ERROR: No matching distribution found for lamp==1.0", "package-missing"),
        ("ERROR: Could not find a version that satisfies the requirement lamp==1.0", "package-missing"),
        ("ERROR: something new", "download"),
        ("", "download"),
    ],
)  # fmt: skip
def test_what_pip_says_is_explained(output: str, code: str) -> None:
    problem = packages._failure("lamp 1.0", output).problem
    assert problem.code == code
    assert problem.hint
    assert problem.details == output
    assert "lamp 1.0" in problem.message
