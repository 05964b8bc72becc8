from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from loragui import acquire
from loragui.engine import catalogue, installed, timing, tuning
from loragui.engine import recipes as recipe_names
from loragui.engine.catalogue import recipes
from loragui.engine.sources import Source
from loragui.engine.tools import Found, facts, get
from loragui.engine.tuning import Tuning
from loragui.gui.page import Page
from loragui.gui.pages.engine import EnginePage
from loragui.gui.session import Session
from loragui.jobs import client
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan
from loragui.jobs.plan import Step as RunStep
from loragui.machine import recommended_threads
from loragui.project import FileRef
from loragui.steps import Step
from loragui.workshop import ToolRow
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
    page.ways.others.toggle.setChecked(True)
    page.ways.radios["gcc"].setChecked(True)
    assert "(your choice)" in texts(page)
    assert page.ways.recipe is not None
    assert page.ways.recipe.id == "gcc"
    assert page.ways.pin is not None
    assert page.ways.pin.id == "b2896"
    page.ways.revision.setCurrentIndex(1)
    assert page.ways.pin.id == "b2321"
    assert "b2321" in texts(page)


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
    name = recipe_names.engine_name(catalogue.pins()[0], recipes()[0])
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


def act_of(page: EnginePage, row: str, text: str) -> QAction:
    """An entry of the menu "More" of an engine."""
    more = next(b for b in page.findChildren(QPushButton) if b.accessibleName() == f"More about {row}")
    menu = more.menu()
    return next(action for action in menu.actions() if action.text().replace("&", "") == text)


def test_removing_asks_first_and_names_who_uses_it(opened: Session, page_of: PageOf, settle: Settle) -> None:
    page = page_of(opened)
    said: list[str] = []
    for text, left in (("Cancel", 1), ("Remove", 0)):
        answer(press(text), said)
        act_of(page, "paper", "Remove").trigger()
        settle(opened)
        assert len(installed.survey(opened.workspace)) == left
    assert any(opened.store.project.name in text for text in said)


def test_what_cannot_be_removed_is_told(opened: Session, page_of: PageOf, settle: Settle, tmp_path: Path) -> None:
    there = opened.workspace.engines / "paper"
    there.rename(tmp_path / "elsewhere")
    there.symlink_to(tmp_path / "elsewhere")
    page = page_of(opened)
    answer(press("Remove"))
    act_of(page, "paper", "Remove").trigger()
    settle(opened)
    assert page.problem.isVisible()
    assert (tmp_path / "elsewhere" / "finetune").is_file()


@pytest.mark.parametrize("text", ["Remove", "Find the fastest settings for this PC", "Build it again"])
def test_an_engine_at_work_is_left_alone(opened: Session, page_of: PageOf, qtbot: QtBot, text: str) -> None:
    page = page_of(opened)
    watcher = opened.watch(RunFolder(opened.workspace.jobs / "train"))
    watcher.start(plan_of("import time; print('x', flush=True); time.sleep(600)"))
    qtbot.waitUntil(lambda: bool(watcher.log), timeout=20_000)
    act_of(page, "paper", text).trigger()
    assert page.problem.isVisible()
    assert len(installed.survey(opened.workspace)) == 1
    with qtbot.waitSignal(opened.run_ended, timeout=20_000):
        watcher.stop()


def test_an_engine_of_an_older_list_can_be_updated(opened: Session, page_of: PageOf, settle: Settle) -> None:
    place = opened.workspace.engines / "paper"
    old = installed.load(place)
    installed.save(replace(old, pin="b2321", recipe="wheels"))
    page = page_of(opened)
    settle(opened)
    assert act_of(page, "paper", "Update to llama.cpp b2896 (May 2024)").isEnabled()
    assert opened.gates[Step.ENGINE].done, "the project goes on using the old one"


def test_tools_are_listed_with_what_is_wrong_and_how_to_get_them(
    opened: Session, page_of: PageOf, settle: Settle
) -> None:
    page = page_of(opened)
    assert page.seen is not None
    good = Found(path="/usr/bin/gcc", version="12.2.0")
    bad = Found(path="/opt/cuda", version="13.0", good=False, why="CUDA 13.0 is too new.")
    rows = tuple(replace(row, found={"gcc": good, "cuda": bad}.get(row.tool.id)) for row in page.seen.tools)
    page.tools.show_rows(rows, None)
    assert "needs none of them" in texts(page.tools)
    page.tools.show_rows(rows, catalogue.recipe("gcc"))
    assert "The recommended way needs gcc, g++, GNU make." in texts(page.tools)
    page.tools.details.toggle.setChecked(True)
    settle(opened)
    shown = texts(page.tools)
    assert "12.2.0 /usr/bin/gcc" in shown
    assert "CUDA 13.0 is too new." in shown
    assert "Does not fit" in shown
    assert "Not here" in shown
    buttons = [b for b in page.tools.findChildren(QPushButton) if b.text() == "Cop&y the command" and b.isVisible()]
    assert buttons[0].accessibleName() == "Copy the command: g++"
    buttons[0].click()
    assert QGuiApplication.clipboard().text().startswith("sudo apt install ")


def test_winget_runs_only_after_the_person_agreed(opened: Session, page_of: PageOf, settle: Settle) -> None:
    page = page_of(opened)
    tool = facts.tool("cmake")
    way = next(way for way in get.ways(tool, "win32") if way.kind == get.WINGET)
    row = ToolRow(tool=tool, found=None, ways=(way,), needed_by=())
    said: list[str] = []
    answer(press("Cancel"), said)
    page.tools.wanted.emit(row, way)
    settle(opened)
    assert any("winget install --id Kitware.CMake --exact" in text for text in said)
    assert page.panel.watcher is None
    answer(press("Install"))
    page.tools.wanted.emit(row, way)
    settle(opened)
    assert page.panel.watcher is not None
    assert page.panel.watcher.plan is not None
    assert page.panel.watcher.plan.steps[0].command.argv[:2] == ("winget", "install")


def test_a_folder_of_the_person_becomes_the_source(opened: Session, page_of: PageOf, tmp_path: Path) -> None:
    page = page_of(opened)
    page.ways.take_folder(tmp_path)
    assert page.ways.from_where == Source(kind="folder", place=str(tmp_path))
    assert str(tmp_path) in texts(page)
    page.ways.source.setCurrentIndex(1)
    assert page.ways.from_where.kind == "git"


def test_finished_programs_that_cannot_train_are_refused_with_the_reason(
    opened: Session, page_of: PageOf, qtbot: QtBot, tmp_path: Path
) -> None:
    page = page_of(opened)
    folder = tmp_path / "llama-b4000"
    folder.mkdir()
    (folder / "llama-cli").write_text("")
    with qtbot.waitSignal(opened.run_ended, timeout=20_000):
        page.ways.ready_wanted.emit(folder)
    assert "no program “finetune”" in texts(page.panel)
    assert "July 2024" in texts(page.panel)


def test_another_engine_can_be_built_beside_the_one_in_use(opened: Session, page_of: PageOf) -> None:
    page = page_of(opened)
    assert opened.gates[Step.ENGINE].done
    build = button(page, "Build this engine")
    assert build.isEnabled()
    assert "beside the engines" in texts(page.ways)


def test_an_engine_that_is_there_is_not_built_once_more_by_mistake(
    opened: Session, page_of: PageOf, settle: Settle
) -> None:
    (opened.workspace.engines / "paper").rename(opened.workspace.engines / "b2896-wheels")
    place = opened.workspace.engines / "b2896-wheels"
    installed.save(replace(installed.load(place), name="b2896-wheels"))
    page = page_of(opened)
    settle(opened)
    assert not button(page, "Build this engine").isEnabled()
    assert "there already" in texts(page.ways)


def test_trying_again_is_offered_for_the_way_that_failed_only(opened: Session, page_of: PageOf, settle: Settle) -> None:
    without_engine(opened, settle)
    folder = acquire.engine_folder("b2896-wheels", opened.workspace)
    folder.save_plan(plan_of("raise SystemExit(1)"))
    client.run_to_end(folder)
    page = page_of(opened)
    settle(opened)
    act = page.act()
    assert act is not None
    assert act.text == "Try again"
    page.ways.radios["gcc"].setChecked(True)
    act = page.act()
    assert act is not None
    assert act.text != "Try again"


def test_other_work_that_failed_is_done_again_and_nothing_else(
    opened: Session, page_of: PageOf, settle: Settle, qtbot: QtBot, tmp_path: Path
) -> None:
    """A tool that another window failed to get is fetched again; no engine is built."""
    page = page_of(opened)
    times = tmp_path / "times"
    watcher = opened.watch(RunFolder(opened.workspace.jobs / "tool-git"))
    with qtbot.waitSignal(opened.run_ended, timeout=20_000):
        watcher.start(replace(plan_of(f"open({str(times)!r}, 'a').write('x'); raise SystemExit(1)"), kind=get.KIND))
        page.panel.show_run(watcher)
    settle(opened)
    with qtbot.waitSignal(opened.run_ended, timeout=20_000):
        page.panel.problem.remedy.click()
    assert page.panel.watcher is watcher
    assert times.read_text() == "xx"


def test_a_damaged_engine_can_be_built_again(opened: Session, page_of: PageOf, settle: Settle) -> None:
    place = opened.workspace.engines / "b2321-gcc"
    shutil.copytree(opened.workspace.engines / "paper", place)
    (place / "finetune").unlink()
    project = opened.store.opened
    assert project is not None
    opened.store.edit(engine=FileRef.of(place, project.folder))
    page = page_of(opened)
    settle(opened)
    act = page.act()
    assert act is not None
    assert (act.text, act.why, act.enabled) == ("Build it again", "b2321-gcc", True)
    assert button(page, "Build it again").accessibleName() == "Build b2321-gcc again"


def test_the_list_keeps_the_focus_while_nothing_changes(opened: Session, page_of: PageOf, settle: Settle) -> None:
    page = page_of(opened)
    more = next(b for b in page.findChildren(QPushButton) if b.accessibleName() == "More about paper")
    opened.gates_changed.emit()
    page.refresh()
    settle(opened)
    assert more is next(b for b in page.findChildren(QPushButton) if b.accessibleName() == "More about paper")


def test_what_stopping_loses_is_told_of_each_kind_of_work(
    opened: Session, page_of: PageOf, qtbot: QtBot, settle: Settle
) -> None:
    """Nothing is compiled while it is measured."""
    watcher = opened.watch(RunFolder(opened.workspace.jobs / "tune-paper"))
    watcher.start(replace(plan_of("import time; time.sleep(600)"), kind="engine-tune"))
    qtbot.waitUntil(lambda: watcher.progress.count == 1, timeout=20_000)
    page = page_of(opened)
    assert "Nothing is kept." in texts(page.panel)
    assert "compiled" not in texts(page.panel)
    assert page.panel.stop.accessibleDescription() == "Nothing is kept."
    with qtbot.waitSignal(opened.run_ended, timeout=20_000):
        watcher.stop()
    assert "Stopped." in texts(page.panel)
    assert "kept" not in texts(page.panel)


def test_what_was_measured_is_told_in_words(opened: Session, page_of: PageOf, settle: Settle) -> None:
    page = page_of(opened)
    settle(opened)
    assert page.seen is not None
    (row,) = page.seen.engines
    found = Tuning(
        date="", cpu="", cores=2, threads=2, blas_threads=None, seconds_default=1.0, seconds_best=1.0
    )  # fmt: skip
    for best, said in ((1.0, "The usual settings are the fastest here (threads: 2)."), (0.5, "2.00 times as fast")):
        page.list.show_rows((replace(row, tuning=replace(found, seconds_best=best)),), "paper")
        settle(opened)
        assert said in texts(page.list)


def test_the_button_for_the_log_is_as_wide_as_its_text(opened: Session, page_of: PageOf, settle: Settle) -> None:
    without_engine(opened, settle)
    folder = acquire.engine_folder("b2896-wheels", opened.workspace)
    folder.save_plan(plan_of("raise SystemExit(1)"))
    client.run_to_end(folder)
    page = page_of(opened)
    settle(opened)
    assert page.panel.save.width() <= page.panel.save.sizeHint().width()


def test_measured_settings_are_taken_over(opened: Session, page_of: PageOf, settle: Settle, qtbot: QtBot) -> None:
    """The measuring itself is tested in tests/engine/test_tuning.py; here its plan is another program."""
    page = page_of(opened)
    pc = opened.machine
    assert pc is not None
    opened.store.edit(hyperparameters=replace(opened.store.project.hyperparameters, threads=recommended_threads(pc)))
    place = opened.workspace.engines / "paper"
    row = Tuning(
        date="2026-11-25", cpu=pc.cpu_name, cores=pc.physical_cores, threads=9, blas_threads=None, seconds_default=0.3,
        seconds_best=0.2,
    )  # fmt: skip
    tuning.save(place, row)
    step = RunStep(id="tune", title="Measuring", command=Command(argv=("python3", "-c", "print(1)")))
    plan = Plan(kind=timing.KIND, title="Measuring", steps=(step,), facts={"engine": str(place)})
    watcher = opened.watch(RunFolder(opened.workspace.jobs / "tune-paper"))
    page.panel.show_run(watcher)
    with qtbot.waitSignal(opened.run_ended, timeout=20_000):
        watcher.start(plan)
    settle(opened)
    assert opened.store.project.hyperparameters.threads == 9
    assert "1.50 times as fast" in texts(page)
