"""The whole way in the real window, with the real engine and a tiny model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from loragui import acts
from loragui.engine.installed import Engine
from loragui.gguf.read import read
from loragui.gui.app import Program
from loragui.gui.window import Window
from loragui.jobs.folder import DONE
from loragui.paths import Workspace, resource_path
from loragui.training.runs import run_folders
from tests import tiny
from tests.gui.way import TestHands, Way

pytestmark = pytest.mark.real


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A tiny base model."""
    return tiny.write(tmp_path / "larger.gguf", tiny.Tiny(embedding=128, feed_forward=256, context=512))


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    """One chat of the demonstration."""
    return Path(shutil.copy(resource_path("demo", "chats", "1-tom.jsonl"), tmp_path))


@pytest.fixture
def prepared(workspace: Workspace, engine: Engine) -> Workspace:
    """A workspace in which an engine is ready."""
    shutil.copytree(engine.folder, workspace.engines / engine.name)
    return workspace


@pytest.fixture
def window(prepared: Workspace, styled: QApplication) -> Iterator[Window]:
    styled.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    program = Program(prepared)
    made = program.open(prepared, None)
    yield made
    program.finish()
    made.hide()
    made.deleteLater()
    program.deleteLater()


def arrived(workspace: Workspace, chats: Path, before: bytes) -> None:
    """What must be on the disk at the end of the way."""
    opened = acts.open_project(workspace.projects / "my-lamp-keeper")
    assert opened.project.name == "My lamp keeper"
    assert opened.project.hyperparameters.iterations == 12
    assert [folder.look().state for folder in run_folders(opened.folder)] == [DONE, DONE, DONE]
    (merged,) = acts.merges(opened)
    assert merged.path.name == "my-lamp-keeper-0001-12.Q8_0.gguf"
    assert read(merged.path).problems() == ()
    assert chats.read_bytes() == before


def test_from_start_to_result(window: Window, prepared: Workspace, model: Path, chats: Path, qtbot: QtBot) -> None:
    before = chats.read_bytes()
    qtbot.waitUntil(window.isActiveWindow)
    Way(window, TestHands()).go(model, chats)
    arrived(prepared, chats, before)


@pytest.mark.skipif(not all(map(shutil.which, ("Xvfb", "openbox", "xdotool"))), reason="needs Xvfb, openbox, xdotool")
def test_with_real_mouse_and_keys(prepared: Workspace, model: Path, chats: Path, display: str) -> None:
    before = chats.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "tests.gui.way", str(prepared.root), str(model), str(chats)],
        env={**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"},
        capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "arrived", done.stderr[-4000:]
    arrived(prepared, chats, before)


@pytest.fixture
def display() -> Iterator[str]:
    """A virtual X server of its own, with a window manager, which gives the focus to what comes to the front."""
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
        pass_fds=(write_end,), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write_end)
    with os.fdopen(read_end) as source:
        number = source.readline().strip()
    manager = subprocess.Popen(
        ["openbox", "--sm-disable"], env={**os.environ, "DISPLAY": f":{number}"}, stderr=subprocess.DEVNULL
    )
    yield f":{number}"
    for process in (manager, server):
        process.terminate()
        process.wait()
