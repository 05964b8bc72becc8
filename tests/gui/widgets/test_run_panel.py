from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from loragui.gui.session import Session
from loragui.gui.widgets.run_log import RunLog
from loragui.gui.widgets.run_panel import RunPanel, amount, clock, time_left
from loragui.jobs.folder import DONE, RunFolder
from loragui.jobs.plan import Command, Plan, Step
from loragui.jobs.progress import State
from tests.gui.pages.reading import texts


def plan(program: str) -> Plan:
    command = Command(argv=(sys.executable, "-c", program))
    return Plan(kind="t", title="Getting it", steps=(Step(id="s", title="Unpacking it", command=command),))


def test_a_failure_is_shown_and_tried_again(session: Session, qtbot: QtBot) -> None:
    run = session.watch(RunFolder(session.workspace.jobs / "x"))
    panel = RunPanel(stop_cost="Costs a minute.", again=lambda: run.start())
    qtbot.addWidget(panel)
    panel.show_run(run)
    assert not panel.isVisible()
    run.start(plan("import pathlib; raise SystemExit(0 if pathlib.Path('ready').exists() else 3)"))
    qtbot.waitUntil(lambda: panel.problem.isVisible(), timeout=20_000)
    assert "Getting it" in texts(panel)
    (run.folder.path / "ready").touch()
    with qtbot.waitSignal(run.ended, timeout=20_000):
        qtbot.mouseClick(panel.problem.remedy, Qt.MouseButton.LeftButton)
    assert run.state == DONE
    assert not panel.isVisible()


def test_the_whole_log_of_a_failure_is_saved(
    session: Session, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = session.watch(RunFolder(session.workspace.jobs / "x"))
    panel = RunPanel(stop_cost="Costs a minute.", again=lambda: None)
    qtbot.addWidget(panel)
    panel.show_run(run)
    run.start(plan(f"print({str(session.workspace.root / 'secret')!r}); raise SystemExit(3)"))
    qtbot.waitUntil(lambda: panel.save.isVisible(), timeout=20_000)
    target = tmp_path / "log.txt"
    answers = iter(["", str(target), str(tmp_path / "missing" / "log.txt")])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_words: (next(answers), ""))
    qtbot.mouseClick(panel.save, Qt.MouseButton.LeftButton)
    assert "Sav" not in texts(panel).replace("Save the whole", "")
    qtbot.mouseClick(panel.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Saved as log.txt." in texts(panel), timeout=20_000)
    text = target.read_text(encoding="utf-8")
    assert str(session.workspace.root) not in text
    assert "Getting it" in text
    qtbot.mouseClick(panel.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "missing does not exist." in texts(panel), timeout=20_000)
    assert panel.save.isEnabled()
    panel.show_run(None)
    panel.show_run(run)
    assert "does not exist" not in texts(panel)


def test_stopping_says_what_it_costs(session: Session, qtbot: QtBot) -> None:
    run = session.watch(RunFolder(session.workspace.jobs / "x"))
    panel = RunPanel(stop_cost="Costs a minute.", again=lambda: None)
    qtbot.addWidget(panel)
    panel.show_run(run)
    run.start(plan("import time; print('at work', flush=True); time.sleep(600)"))
    qtbot.waitUntil(lambda: list(run.log) == ["at work"], timeout=20_000)
    assert "Costs a minute." in texts(panel)
    assert "Unpacking it" in texts(panel)
    panel.details.toggle.click()
    assert panel.details.view.toPlainText() == "at work"
    with qtbot.waitSignal(run.ended, timeout=20_000):
        qtbot.mouseClick(panel.stop, Qt.MouseButton.LeftButton)
        assert not panel.stop.isEnabled()
        assert "Stopping …" in texts(panel)
    assert "Stopped." in texts(panel)


def test_amounts_and_times_in_words(qapp: object) -> None:
    assert amount(State(done=17, total=27, unit="files")) == "17 of 27 files"
    assert amount(State(done=3 << 20, total=5 << 20, unit="bytes")) == "3.0 MB of 5.0 MB"
    assert time_left(State()) == ""
    assert time_left(State(eta=90)).startswith("About 2 min left, until ")


def test_the_clock_names_the_day_when_it_is_another(qapp: object) -> None:
    evening = datetime(2026, 11, 25, 23, 30, tzinfo=timezone(timedelta(hours=1)))
    assert clock(600, evening) == "23:40"
    assert clock(3600, evening) == "Thu 26 Nov, 00:30"


def test_the_log_stays_where_one_reads_it(session: Session, qtbot: QtBot) -> None:
    run = session.watch(RunFolder(session.workspace.jobs / "x"))
    log = RunLog()
    qtbot.addWidget(log)
    log.show()
    log.toggle.click()
    bar = log.view.verticalScrollBar()
    run.log.extend(f"line {number}" for number in range(200))
    log.show_run(run)
    assert bar.value() == bar.maximum() > 0, "new lines are followed"
    bar.setValue(7)
    run.log.append("one more")
    log.show_run(run)
    assert bar.value() == 7, "unless one reads earlier ones"
    assert log.view.toPlainText().endswith("one more")
