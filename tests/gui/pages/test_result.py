from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QGuiApplication
from pytestqt.qtbot import QtBot

from loragui import acts
from loragui.gui.page import Page
from loragui.gui.pages.result import ResultPage
from loragui.gui.session import Session
from loragui.jobs.events import Result, RunEnded, RunStarted, StepEnded, StepStarted
from loragui.jobs.folder import RunFolder
from tests.gui.pages.reading import texts
from tests.result import finished

PageOf = Callable[[Session], ResultPage]
Settle = Callable[[Session], None]


@pytest.fixture
def page_of(show: Callable[[Page], None]) -> Callable[[Session], ResultPage]:
    def make(session: Session) -> ResultPage:
        session.refresh_gates()
        made = ResultPage(session)
        show(made)
        return made

    return make


def project(session: Session) -> acts.Open:
    assert session.store.opened is not None
    return session.store.opened


def asked(opened: acts.Open, prompt: str = "The lamp") -> RunFolder:
    """A comparison that is done on paper."""
    folder = acts.ask(opened, acts.candidates(opened, with_lora=False), prompt, tokens=8, seed=1)
    finished.tell(folder, RunStarted(title="Trying"))
    for name, text in (("base", "a boat"), ("merged", "by the lamp and the tide")):
        finished.tell(
            folder,
            StepStarted(id=name, title=name, index=0, count=2),
            Result(values={"text": text}),
            StepEnded(id=name, ok=True, seconds=1.0),
        )
    finished.tell(folder, RunEnded(state="done"))
    return folder


def test_before_a_training_it_is_locked_and_says_why(opened: Session, page_of: PageOf) -> None:
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert not act.enabled
    assert "no training" in act.why
    assert not page.merge.isVisible()


def test_what_is_merged_can_be_chosen(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    finished.training(project(opened))
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert (act.text, act.enabled) == ("Merge", True)
    assert "free disk" in act.why
    assert page.merge.checkpoint.currentText() == "Iteration 12 (the last)"
    page.merge.strength.setValue(0.5)
    page.merge.type.setCurrentIndex(page.merge.type.findData("Q4_K_M"))
    assert "smallest" in texts(page)
    request = page.merge.request()
    assert (request.iteration, request.strength, request.output_type) == (12, 0.5, "Q4_K_M")


def test_a_merge_that_cannot_begin_is_told(opened: Session, page_of: PageOf, settle: Settle) -> None:
    training = finished.training(project(opened))
    page = page_of(opened)
    for lora in training.path.glob("lora-*"):
        lora.unlink()
    act = page.act()
    assert act is not None
    assert act.run is not None
    act.run()
    settle(opened)
    assert page.problem.isVisible()


def test_a_failing_merge_is_shown_with_a_way_out(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    finished.training(project(opened))
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert act.run is not None
    act.run()  # the LoRA is not one of this base model
    qtbot.waitUntil(lambda: page.panel.problem.isVisible(), timeout=30_000)
    assert page.panel.problem.remedy.isVisible()
    assert page.panel.problem.problem is not None
    assert page.panel.problem.problem.code == "other-base"


def test_the_merged_model_its_card_and_its_use(
    opened: Session, page_of: PageOf, qtbot: QtBot, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged = finished.merge(project(opened), finished.training(project(opened)))
    page = page_of(opened)
    name = finished.model(merged).name
    shown = texts(page)
    assert name in shown
    assert str(finished.model(merged)) in shown, "the steps name the file"
    page.use.program.setCurrentIndex(page.use.program.findText("SillyTavern", Qt.MatchFlag.MatchContains))
    assert "SillyTavern" in page.use.program.currentText()
    assert "base.gguf" in page.card.text.toPlainText()
    page.card.save.click()
    settle(opened)
    card = merged.path / "LoRA-card.md"
    assert card.read_text(encoding="utf-8") == page.card.text.toPlainText()
    assert "LoRA-card.md" in texts(page)
    page.model.path.click()
    assert QGuiApplication.clipboard().text() == str(finished.model(merged))
    opened_folders: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened_folders.append(url.toLocalFile()))
    page.model.folder.click()
    assert [Path(folder) for folder in opened_folders] == [merged.path]


def test_answers_stand_side_by_side_and_stay(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    finished.merge(project(opened), finished.training(project(opened)))
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert act.text == "Compare base and result"
    assert page.compare.prompt.toPlainText(), "a sample's prompt is there to begin with"
    asked(project(opened), "Who is there?")
    asked(project(opened), "The lamp")
    page.enter()
    qtbot.waitUntil(lambda: page.compare.earlier.count() == 2)
    shown = texts(page)
    assert "a boat" in shown
    assert "by the lamp and the tide" in shown
    assert "Of every three words in a row, 0%" in shown
    act = page.act()
    assert act is not None
    assert act.text == "Open folder"
    qtbot.keyClick(page.compare.earlier, Qt.Key.Key_Down)
    assert page.compare.earlier.currentText() == "Who is there?"


def test_an_empty_prompt_is_refused(opened: Session, page_of: PageOf) -> None:
    finished.merge(project(opened), finished.training(project(opened)))
    page = page_of(opened)
    page.compare.prompt.setPlainText("  ")
    page.compare.ask.click()
    assert page.problem.isVisible()


def test_a_newer_merge_asks_for_a_new_comparison(opened: Session, page_of: PageOf) -> None:
    training = finished.training(project(opened))
    finished.merge(project(opened), training)
    asked(project(opened))
    finished.merge(project(opened), training)
    page = page_of(opened)
    assert page.model.combo.count() == 2
    act = page.act()
    assert act is not None
    assert act.text == "Compare base and result"
