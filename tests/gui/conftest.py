"""The window's tests run offscreen, on real widgets, with a real session over a workspace of their own."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from loragui.gui import theme
from loragui.gui.session import Session
from loragui.paths import Workspace
from tests import paper


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """As in the program, garbage is collected in the window's thread only; see ``loragui/gui/collector.py``."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture
def styled(qapp: QApplication) -> QApplication:
    """The application as a person sees it."""
    if not qapp.styleSheet():
        theme.apply(qapp, theme.LIGHT)
    return qapp


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(tmp_path / "w")


@pytest.fixture
def session(workspace: Workspace, styled: QApplication, settle: Callable[[Session], None]) -> Iterator[Session]:
    """A session without a project that knows its PC."""
    made = Session(workspace)
    made.look_at_machine()
    settle(made)
    yield made
    made.finish()
    made.deleteLater()


@pytest.fixture
def opened(session: Session, settle: Callable[[Session], None]) -> Session:
    """The session with a project that is ready to train (``tests/paper.py``; its engine is only on paper)."""
    folder = paper.project(session.workspace.root).folder
    session.store.open(folder)
    settle(session)
    return session


@pytest.fixture
def settle(qtbot: QtBot) -> Callable[[Session], None]:
    """Wait until nothing is on its way from the background any more."""

    def wait(session: Session) -> None:
        for _ in range(2):  # an answer may lead to another question
            qtbot.waitUntil(lambda: not session.busy, timeout=20_000)
            QApplication.processEvents()  # widgets that were just added become visible only now

    return wait
