"""Packages through the real pip, from a folder of our own instead of a registry."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from loragui.errors import AppError
from loragui.jobs import packages
from loragui.jobs.events import Event
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


def test_another_file_under_the_same_name_is_refused(wheel: Path, tmp_path: Path) -> None:
    wrong = package(wheel, sha256=["0" * 64])
    into = tmp_path / "tools" / "lamps"
    with pytest.raises(AppError, match="checksum differs") as caught:
        packages.install_job({"packages": [wrong.to_json()], "into": str(into)}, emit)
    assert caught.value.problem.code == "checksum"
    assert list(into.parent.iterdir()) == []


def test_a_package_that_is_not_offered_is_named(wheel: Path, tmp_path: Path) -> None:
    missing = package(wheel, version="2.0")
    with pytest.raises(AppError, match=r"does not offer lamp 2\.0"):
        packages.download_job({"package": missing.to_json(), "into": str(tmp_path / "cache")}, emit)


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk-full"),
        ("WARNING: Retrying after connection broken by 'NewConnectionError'\nERROR: x", "download"),
    ],
)
def test_what_pip_says_is_explained(output: str, code: str) -> None:
    assert packages._failure("lamp 1.0", output).problem.code == code
