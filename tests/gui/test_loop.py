"""Nothing blocks the window over 50 ms: while a 200 MB chat is read, an engine is built, and a long curve is loaded."""

from __future__ import annotations

import gc
import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from loragui import acquire
from loragui.engine import catalogue
from loragui.engine.installed import Engine
from loragui.gui import app
from loragui.gui.collector import Collector
from loragui.gui.memory import Memory
from loragui.gui.pages.train import TrainPage
from loragui.gui.session import Session
from loragui.gui.window import PLACES, Window
from loragui.jobs import client, events
from loragui.jobs.events import Metric, RunEnded, RunStarted
from loragui.jobs.folder import RunFolder
from loragui.paths import Workspace
from loragui.project import DataChoice, FileRef
from loragui.steps import Step
from tests.gui.pulse import Gap, Pulse
from tests.result import finished

MOST = 0.050
TRIES = 6
REFERENCE = 0.008
"""Seconds of ``work`` on a quiet machine of the kind for which the limit was set (two cores, November 2026)."""
"""Seconds (issue 3)."""
SIZE = 200_000_000
TURN = {"is_user": False, "send_date": "2026-1-1", "extra": {"api": "x", "model": "y"}}


@pytest.fixture(autouse=True)
def as_in_the_program() -> Iterator[None]:
    """``app.main`` makes threads give way sooner."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(app.SWITCH_SECONDS)
    collector = Collector()
    yield
    collector.release()
    sys.setswitchinterval(before)


@pytest.fixture(autouse=True)
def heap_of_its_own() -> Iterator[None]:
    """What thousands of other tests left in memory is not what the program's garbage collection has to look through."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def window(opened: Session, styled: QApplication, qtbot: QtBot) -> Iterator[Window]:
    made = Window(opened, Memory(opened.workspace))
    made.show()
    for place in PLACES:  # loading pages and pyqtgraph for the first time is a matter of the start, not of this
        made.show_place(place)
        qtbot.waitUntil(lambda: not opened.busy, timeout=20_000)
    yield made
    for run in opened.running():
        client.request_stop(run.folder)
        list(client.follow(run.folder))
    made.hide()
    made.deleteLater()


def large_chat(path: Path) -> Path:
    """A SillyTavern chat of 200 MB."""
    text = "The lamp is lit and the tide is low. " * 15
    with path.open("w", encoding="utf-8") as out:
        out.write(json.dumps({"user_name": "Mia", "character_name": "Orla", "chat_metadata": {}}) + "\n")
        number = 0
        while number * (len(text) + 120) < SIZE:
            number += 1
            mine = number % 2 == 0
            row = {**TURN, "name": ("Orla", "Mia")[mine], "is_user": mine, "mes": f"{number} {text}"}
            out.write(json.dumps(row) + "\n")
    return path


def test_while_a_large_file_is_read_and_an_engine_is_built(
    window: Window, shared_workspace: Workspace, gcc_engine: Engine, qtbot: QtBot, tmp_path: Path
) -> None:
    session, workspace = window.session, window.session.workspace
    assert session.store.opened is not None
    chat = large_chat(tmp_path / "large.jsonl")
    shutil.copytree(shared_workspace.cache / "packages", workspace.cache / "packages")
    work = acquire.engine_work(catalogue.recipe("gcc"), workspace)
    build = session.watch(work.folder)
    pulse = Pulse()
    pulse.start()
    build.start(work.plan)
    QApplication.processEvents()  # nobody does two things in one turn of the loop
    window.show_place(Step.DATA)
    QApplication.processEvents()
    session.store.edit(data=DataChoice(files=(FileRef.of(chat, session.store.opened.folder),)))
    qtbot.waitUntil(lambda: session.running_step(Step.DATA) is not None, timeout=30_000)
    data = session.running_step(Step.DATA)
    assert data is not None
    qtbot.waitUntil(lambda: data.progress.unit == "messages" and data.progress.done > 0, timeout=240_000)
    for place in PLACES:
        window.show_place(place)
        QApplication.processEvents()
    qtbot.waitUntil(lambda: build.progress.done > 2, timeout=120_000)
    gap = pulse.stop()
    assert share(gap) < 1, gap


def test_while_a_curve_of_200_000_iterations_is_loaded(window: Window, qtbot: QtBot) -> None:
    """What the program does to the loop it does each time; what the machine does comes and goes."""
    session = window.session
    assert session.store.opened is not None
    folder = finished.training(session.store.opened)
    long_run(folder, 200_000)
    shares = [share(loading(window, qtbot))]
    while len(shares) < TRIES and shares[-1] >= 1:
        shares.append(share(loading(window, qtbot)))
    assert min(shares) < 1, shares


def share(gap: Gap) -> float:
    """The gap as a part of the most that is allowed on a machine as fast as this one is just now."""
    return gap.ours / (MOST * max(1.0, work() / REFERENCE))


def work() -> float:
    """Seconds of some plain work, the best of three."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        sum(number * number for number in range(200_000))
        taken.append(time.perf_counter() - began)
    return min(taken)


def loading(window: Window, qtbot: QtBot) -> Gap:
    """The longest gap while a new page reads the curve from the beginning."""
    session = window.session
    assert session.store.opened is not None
    session.store.open(session.store.opened.folder)  # new pages
    QApplication.processEvents()
    window.show_place(Step.TRAIN)
    pulse = Pulse()
    pulse.start()
    page = window.pages[Step.TRAIN]
    assert isinstance(page, TrainPage)
    qtbot.waitUntil(lambda: page.curve.series is not None and len(page.curve.series) == 200_000, timeout=60_000)
    qtbot.waitUntil(lambda: not session.busy, timeout=60_000)
    return pulse.stop()


def long_run(folder: RunFolder, iterations: int) -> None:
    total = iterations
    with folder.events_file.open("w", encoding="utf-8") as out:
        out.write(events.to_line(RunStarted(title="Training"), 0.0) + "\n")
        for number in range(1, total + 1):
            metric = Metric(iteration=number, total=total, loss=2.0 + (number % 7) / 10, seconds=1.0, eta=1.0)
            out.write(events.to_line(metric, float(number)) + "\n")
        out.write(events.to_line(RunEnded(state="stopped"), float(total)) + "\n")


def test_the_pulse_notices_a_block(qtbot: QtBot, qapp: object) -> None:
    pulse = Pulse()
    pulse.start()
    total = 0
    for number in range(3_000_000):
        total += number
    qtbot.waitUntil(lambda: len(pulse.gaps) > 3)
    assert pulse.stop().ours > MOST
    assert total
