from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from loragui.gui.page import Page
from loragui.gui.pages.model import ModelPage
from loragui.gui.session import Session
from loragui.gui.widgets.model_offer import ModelOffer
from loragui.model import catalogue, fetch
from loragui.steps import Step
from tests import tiny
from tests.gui.drops import drop
from tests.gui.pages.reading import texts

PageOf = Callable[[Session], ModelPage]
Settle = Callable[[Session], None]


@pytest.fixture
def page_of(show: Callable[[Page], None]) -> Callable[[Session], ModelPage]:
    def make(session: Session) -> ModelPage:
        made = ModelPage(session)
        show(made)
        return made

    return make


def chosen(session: Session) -> str:
    ref = session.store.project.base_model
    return Path(ref.absolute).name if ref is not None else ""


def test_nothing_chosen_offers_the_first_model(opened: Session, page_of: PageOf, settle: Settle) -> None:
    opened.store.edit(base_model=None)
    settle(opened)
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert act.text == "Download SmolLM2 135M Instruct"
    assert "88.6 MB" in act.why
    shown = texts(page)
    for entry in catalogue.known():
        assert entry.name in shown
    assert "Needs about" in shown
    assert "this PC has" in shown
    assert {label.text() for label in page.findChildren(QLabel)} & {"Fits", "Tight", "Too large for this PC"}


def test_a_model_on_this_pc_is_used_by_the_keyboard(
    opened: Session, page_of: PageOf, qtbot: QtBot, settle: Settle
) -> None:
    opened.store.edit(base_model=None)
    path = fetch.model_path(catalogue.recommended()[0], opened.workspace)
    path.parent.mkdir(parents=True, exist_ok=True)
    tiny.write(path, tiny.Tiny())
    tiny.write(path.with_name("other.gguf"), tiny.Tiny())
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert act.text == "Use SmolLM2 135M Instruct"
    offer = next(found for found in page.findChildren(ModelOffer) if found.offer.name == "other.gguf")
    button = next(b for b in offer.children() if getattr(b, "text", lambda: "")().replace("&", "") == "Use it")
    button.setFocus()  # type: ignore[attr-defined]
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert chosen(opened) == "other.gguf"
    settle(opened)
    assert "Chosen" in texts(page)


def test_what_can_be_trained_leads_on(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    page = page_of(opened)
    shown = texts(page)
    assert "can be trained as it is" in shown
    assert "512 tokens" in "\n".join(label.text() for label in page.findChildren(QLabel))
    act = page.act()
    assert act is not None
    assert act.run is not None
    with qtbot.waitSignal(page.go) as gone:
        act.run()
    assert gone.args == [Step.DATA]


def test_a_copy_is_explained_made_and_used(
    opened: Session, page_of: PageOf, qtbot: QtBot, settle: Settle, tmp_path: Path
) -> None:
    source = tiny.write(tmp_path / "tied.gguf", tiny.Tiny(tied=True, kv_heads=2))
    before = source.read_bytes()
    page = page_of(opened)
    drop(page, source)
    settle(opened)
    shown = texts(page)
    assert "through a converted copy" in shown
    assert "shared with its token embedding" in shown
    assert "key/value" in shown
    assert "The original file stays as it is." in shown
    act = page.act()
    assert act is not None
    assert act.text == "Make a converted copy"
    assert act.run is not None
    act.run()
    qtbot.waitUntil(lambda: chosen(opened).endswith("trainable.F32.gguf"), timeout=30_000)
    settle(opened)
    assert source.read_bytes() == before
    qtbot.waitUntil(lambda: opened.gates_are_current and opened.gates[Step.MODEL].done, timeout=20_000)
    drop(page, source)
    settle(opened)
    act = page.act()
    assert act is not None
    assert act.text == "Use the converted copy"


def test_what_cannot_be_trained_says_why(opened: Session, page_of: PageOf, settle: Settle, tmp_path: Path) -> None:
    page = page_of(opened)
    drop(page, tiny.write(tmp_path / "falcon.gguf", tiny.Tiny(architecture="falcon")))
    settle(opened)
    assert "Its architecture is falcon" in texts(page)
    act = page.act()
    assert act is not None
    assert not act.enabled


@pytest.mark.parametrize("content", [b"no model at all", b""])
def test_what_is_no_model_is_told(
    opened: Session, page_of: PageOf, settle: Settle, tmp_path: Path, content: bytes
) -> None:
    page = page_of(opened)
    (tmp_path / "x.gguf").write_bytes(content)
    drop(page, tmp_path / "x.gguf")
    settle(opened)
    assert page.problem.isVisible()
    assert "x.gguf" in texts(page)


def test_more_than_one_file_is_refused(opened: Session, page_of: PageOf, tmp_path: Path) -> None:
    page = page_of(opened)
    before = chosen(opened)
    drop(page, tmp_path, tmp_path)
    assert page.problem.isVisible()
    assert chosen(opened) == before


def test_a_model_that_is_gone_is_told(opened: Session, page_of: PageOf, settle: Settle) -> None:
    assert opened.store.opened is not None
    opened.store.opened.base_model().unlink()
    opened.refresh_gates()
    page = page_of(opened)
    settle(opened)
    assert page.problem.isVisible()
    assert "not there any more" in texts(page)
