"""The demonstration's tour, with the real pages, runners and gates; the long steps are replaced by finished ones."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from loragui import acts, demo
from loragui import project as projects
from loragui.engine import installed
from loragui.gui import tour
from loragui.gui.memory import Memory
from loragui.gui.pages.start import StartPage
from loragui.gui.session import Session
from loragui.gui.window import Window
from loragui.jobs.events import RunEnded, RunStarted
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan
from loragui.jobs.plan import Step as RunStep
from loragui.model import catalogue, fetch
from loragui.paths import Workspace
from loragui.project import FileRef
from loragui.steps import Step
from tests import paper
from tests.result import finished

Settle = Callable[[Session], None]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tour that does not wait for a reader."""
    monkeypatch.setattr(tour, "PAUSE_MS", 10)
    monkeypatch.setattr(tour, "BEAT_MS", 100)


@pytest.fixture
def ready(workspace: Workspace) -> Workspace:
    """A workspace with an engine (on paper) and the demonstration's project with a tiny model."""
    opened = paper.project(workspace.root)
    model = fetch.model_path(catalogue.recommended()[0], workspace)  # as if it had been downloaded
    model.parent.mkdir()
    shutil.copy(opened.base_model(), model)
    shutil.rmtree(opened.folder)
    return workspace


@pytest.fixture
def window(ready: Workspace, session: Session, quick: None, qtbot: QtBot) -> Iterator[Window]:
    made = Window(session, Memory(ready))
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    yield made
    made.tour.stop()
    made.hide()
    made.deleteLater()


def begin(window: Window, qtbot: QtBot) -> None:
    page = window.pages[None]
    assert isinstance(page, StartPage)
    qtbot.waitUntil(page.demo.isEnabled)
    page.demo.click()
    qtbot.waitUntil(lambda: window.session.store.opened is not None)


def test_it_goes_from_page_to_page_by_itself(window: Window, qtbot: QtBot) -> None:
    begin(window, qtbot)
    assert window.tour.active
    qtbot.waitUntil(lambda: window.banner.isVisible())
    qtbot.waitUntil(lambda: window.session.gates_are_current and window.session.gates[Step.ENGINE].done)
    project = window.session.store.project
    assert project.name == demo.NAME
    assert project.engine is not None
    assert installed.load(window.session.workspace.engines / "paper").name in project.engine.absolute
    qtbot.waitUntil(lambda: window.place is Step.TRAIN, timeout=60_000)
    assert window.session.gates[Step.DATA].done, "the text was made on the way"
    assert window.session.store.project.base_model is not None


def test_it_ends_when_everything_is_done(window: Window, qtbot: QtBot) -> None:
    begin(window, qtbot)
    opened = whole(window)
    compare_on_paper(opened)
    window.session.refresh_gates()
    qtbot.waitUntil(lambda: not window.tour.active, timeout=20_000)
    assert "the whole way" in window.tour.sentence
    assert window.memory.tour is None
    window.banner.stopped.emit()
    assert not window.banner.isVisible()


def whole(window: Window) -> acts.Open:
    """Everything up to the comparison, on paper."""
    store = window.session.store
    assert store.opened is not None
    folder = store.opened.folder
    store.edit(
        engine=FileRef.of(window.session.workspace.engines / "paper", folder),
        base_model=FileRef.of(window.session.workspace.root / "base.gguf", folder),
    )
    paper.text(store.opened)
    finished.merge(store.opened, finished.training(store.opened))
    return store.opened


def compare_on_paper(opened: acts.Open) -> None:
    folder = acts.ask(opened, acts.candidates(opened, with_lora=False), "The lamp", tokens=4, seed=1)
    finished.tell(folder, RunStarted(title="Trying"), RunEnded(state="done"))


def test_a_failure_hands_over_to_the_person(window: Window, qtbot: QtBot) -> None:
    begin(window, qtbot)
    opened = whole(window)
    window.session.refresh_gates()
    qtbot.waitUntil(lambda: not window.tour.active, timeout=60_000)  # the engine on paper cannot answer
    assert "has stopped here" in window.tour.sentence
    assert window.place is Step.RESULT
    assert opened.folder == window.session.workspace.projects / demo.FOLDER


def test_it_can_be_left_and_goes_on_after_a_restart(window: Window, qtbot: QtBot, settle: Settle) -> None:
    begin(window, qtbot)
    assert window.memory.tour == window.session.workspace.projects / demo.FOLDER
    other = Session(window.session.workspace)
    other.look_at_machine()
    again = Window(other, Memory(other.workspace))
    again.restore(None)
    assert again.tour.active
    again.banner.stopped.emit()
    assert not again.tour.active
    assert again.memory.tour is None
    settle(other)
    other.finish()
    again.deleteLater()


def test_pressing_without_effect_ends_after_some_patience(window: Window, qtbot: QtBot) -> None:
    shutil.rmtree(window.session.workspace.engines)
    presses: list[int] = []
    window.tour._do = lambda: not presses.append(1)  # type: ignore[func-returns-value]
    begin(window, qtbot)
    qtbot.waitUntil(lambda: not window.tour.active, timeout=20_000)
    assert len(presses) == tour.PATIENCE


def test_work_in_another_project_does_not_hold_it_up(window: Window, qtbot: QtBot) -> None:
    session = window.session
    other = projects.create(session.workspace.projects, "Other")
    command = Command(argv=(sys.executable, "-c", "import time; time.sleep(600)"))
    run = session.watch(RunFolder(other / "runs" / "0001"))
    run.start(Plan(kind="train", title="T", steps=(RunStep(id="s", title="s", command=command),)))
    qtbot.waitUntil(run.folder.is_running, timeout=20_000)
    begin(window, qtbot)
    qtbot.waitUntil(lambda: window.session.store.project.engine is not None, timeout=20_000)
    with qtbot.waitSignal(run.ended, timeout=20_000):
        run.stop()
    assert window.tour.active, "what becomes of other work is not its business"


def test_a_button_that_cannot_be_pressed_ends_it_too(window: Window, qtbot: QtBot) -> None:
    shutil.rmtree(window.session.workspace.engines)
    window.tour._do = lambda: False
    begin(window, qtbot)
    qtbot.waitUntil(lambda: not window.tour.active, timeout=20_000)
    assert "has stopped here" in window.tour.sentence
