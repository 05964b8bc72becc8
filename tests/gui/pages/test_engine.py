from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from loragui import acquire
from loragui.engine import catalogue, installed
from loragui.engine import recipes as recipe_names
from loragui.engine.catalogue import recipes
from loragui.gui.page import Page
from loragui.gui.pages.engine import EnginePage
from loragui.gui.session import Session
from loragui.jobs import client
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan
from loragui.jobs.plan import Step as RunStep
from loragui.steps import Step
from tests.gui.asking import answer, press
from tests.gui.pages.reading import texts

PageOf = Callable[[Session], EnginePage]
Settle = Callable[[Session], None]


@pytest.fixture
def page_of(show: Callable[[Page], None]) -> Callable[[Session], EnginePage]:
    def make(session: Session) -> EnginePage:
        made = EnginePage(session)
        show(made)
        return made

    return make


def button(page: EnginePage, text: str) -> QPushButton:
    return next(b for b in page.findChildren(QPushButton) if b.text().replace("&", "") == text and b.isVisible())


def without_engine(session: Session, settle: Settle) -> None:
    session.store.edit(engine=None)
    shutil.rmtree(session.workspace.engines)
    settle(session)


def test_this_pc_and_the_recommended_way_are_told(opened: Session, page_of: PageOf, settle: Settle) -> None:
    without_engine(opened, settle)
    page = page_of(opened)
    shown = texts(page)
    assert "CPU" in shown
    assert "RAM" in shown
    assert recipes()[0].why in shown
    act = page.act()
    assert act is not None
    assert act.text == "Build engine"
    assert "Downloads up to 160 MB" in act.why


def test_another_way_can_be_chosen(opened: Session, page_of: PageOf, settle: Settle) -> None:
    without_engine(opened, settle)
    page = page_of(opened)
    page._ways["gcc"].setChecked(True)
    assert "(your choice)" in texts(page)
    assert page.recipe is not None
    assert page.recipe.id == "gcc"


def test_an_engine_that_is_there_is_used(opened: Session, page_of: PageOf, settle: Settle, qtbot: QtBot) -> None:
    opened.store.edit(engine=None)
    settle(opened)
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert (act.text, act.why) == ("Use this engine", "paper")
    assert act.run is not None
    act.run()
    settle(opened)
    assert opened.gates[Step.ENGINE].done
    assert "Used here" in texts(page)
    act = page.act()
    assert act is not None
    assert act.run is not None
    with qtbot.waitSignal(page.go) as gone:
        act.run()
    assert gone.args == [Step.MODEL]


def test_a_damaged_engine_is_told(opened: Session, page_of: PageOf, settle: Settle) -> None:
    (opened.workspace.engines / "paper" / "finetune").unlink()
    opened.refresh_gates()
    page = page_of(opened)
    settle(opened)
    assert page.problem.isVisible()
    assert "Damaged" in texts(page)
    act = page.act()
    assert act is not None
    assert act.text == "Build engine"


def plan_of(program: str) -> Plan:
    command = Command(argv=("python3", "-c", program))
    step = RunStep(id="compile", title="Compiling llama.cpp", command=command)
    return Plan(kind="engine-build", title="Building the engine", steps=(step,), facts={})


def test_a_build_that_failed_meanwhile_is_explained(opened: Session, page_of: PageOf, settle: Settle) -> None:
    """Also when the window was closed while it failed."""
    without_engine(opened, settle)
    name = recipe_names.engine_name(catalogue.pins()[0], acquire.recommended_recipe())
    folder = acquire.engine_folder(name, opened.workspace)
    folder.save_plan(plan_of("print('clang: error: no space left on device'); raise SystemExit(1)"))
    client.run_to_end(folder)
    page = page_of(opened)
    assert page.panel.problem.isVisible()
    assert page.panel.problem.remedy.isVisible()
    page.panel.details.toggle.setChecked(True)
    assert "no space left" in page.panel.details.view.toPlainText()
    act = page.act()
    assert act is not None
    assert act.text == "Try again"


def test_a_build_that_goes_on_is_shown_and_stopped(
    opened: Session, page_of: PageOf, settle: Settle, qtbot: QtBot
) -> None:
    without_engine(opened, settle)
    watcher = opened.watch(acquire.engine_folder("b2896-wheels", opened.workspace))
    watcher.start(plan_of("import time; print('[1/27] a.cpp', flush=True); time.sleep(600)"))
    qtbot.waitUntil(
        lambda: opened.running_step(Step.ENGINE) is not None and watcher.progress.count == 1, timeout=20_000
    )
    page = page_of(opened)
    assert page.panel.isVisible()
    assert "Compiling llama.cpp" in texts(page)
    assert "finished files are kept" in texts(page)
    act = page.act()
    assert act is not None
    assert not act.enabled
    with qtbot.waitSignal(opened.run_ended, timeout=20_000):
        qtbot.mouseClick(page.panel.stop, Qt.MouseButton.LeftButton)
    assert "Stopped." in texts(page)


def test_removing_asks_first(opened: Session, page_of: PageOf, settle: Settle, qtbot: QtBot) -> None:
    page = page_of(opened)
    for text, left in (("Cancel", 1), ("Remove", 0)):
        answer(press(text))
        qtbot.mouseClick(button(page, "Remove paper"), Qt.MouseButton.LeftButton)
        settle(opened)
        assert len(installed.survey(opened.workspace)) == left


def test_what_cannot_be_removed_is_told(opened: Session, page_of: PageOf, settle: Settle, tmp_path: Path) -> None:
    there = opened.workspace.engines / "paper"
    there.rename(tmp_path / "elsewhere")
    there.symlink_to(tmp_path / "elsewhere")
    page = page_of(opened)
    answer(press("Remove"))
    button(page, "Remove paper").click()
    settle(opened)
    assert page.problem.isVisible()
    assert (tmp_path / "elsewhere" / "finetune").is_file()


def test_an_engine_at_work_is_not_removed(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    page = page_of(opened)
    watcher = opened.watch(RunFolder(opened.workspace.jobs / "train"))
    watcher.start(plan_of("import time; print('x', flush=True); time.sleep(600)"))
    qtbot.waitUntil(lambda: bool(watcher.log), timeout=20_000)
    button(page, "Remove paper").click()
    assert page.problem.isVisible()
    assert len(installed.survey(opened.workspace)) == 1
    with qtbot.waitSignal(opened.run_ended, timeout=20_000):
        watcher.stop()
