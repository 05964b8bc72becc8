from __future__ import annotations

import gc
import weakref

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from loragui.gui.widgets.basic import Badge, Card, Details, Facts, button, clear, label, literal, name_of, row, set_text
from tests.gui.widgets.cuts import cut

LONG = "The lamp is lit and the tide is low. " * 20


def texts(widget: QWidget) -> list[str]:
    return [part.text() for part in widget.findChildren(QLabel) if not part.isHidden()]


def test_a_wrapped_label_gets_the_height_that_it_needs(qtbot: QtBot, styled: QApplication) -> None:
    page, content = QScrollArea(), QWidget()
    qtbot.addWidget(page)
    page.setWidgetResizable(True)
    box = QVBoxLayout(content)
    made = label(LONG, wrap=True)
    box.addWidget(made)
    page.setWidget(content)
    page.show()
    for width in (700, 300):
        page.resize(width, 60)
        qtbot.waitUntil(lambda wide=width: made.width() < wide and not cut(page))  # type: ignore[misc]


def test_labels_show_what_they_are_given(qtbot: QtBot) -> None:
    made = label("<b>“Mia & Orla”</b>")
    qtbot.addWidget(made)
    assert made.textFormat() == Qt.TextFormat.PlainText


def test_the_key_of_a_name_leads_to_its_field(qtbot: QtBot) -> None:
    page, field = QWidget(), QLineEdit()
    qtbot.addWidget(page)
    box = QVBoxLayout(page)
    for part in (QLineEdit(), name_of(field, "&Name"), field):
        box.addWidget(part)
    page.show()
    qtbot.waitUntil(page.isActiveWindow)
    qtbot.keyClick(page, Qt.Key.Key_N, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(field.hasFocus)


def test_a_button_does_its_act_and_says_more_than_its_text(qtbot: QtBot) -> None:
    pressed: list[int] = []
    made = button("&Go", lambda: pressed.append(1), name="main", about="Goes there")
    qtbot.addWidget(made)
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton)
    assert pressed == [1]
    assert (made.objectName(), made.toolTip(), made.accessibleDescription()) == ("main", "Goes there", "Goes there")
    assert not made.autoDefault(), "Return in a field of a dialog presses the default one only"


def test_a_persons_own_text_marks_no_key(qtbot: QtBot) -> None:
    made = button(literal("Mia & Orla"), lambda: None)
    qtbot.addWidget(made)
    assert made.shortcut().isEmpty()
    assert made.text() == "Mia && Orla"


class Owner(QObject):
    def act(self) -> None:
        """Something to press for."""


def test_a_button_that_is_gone_keeps_nothing_alive(qtbot: QtBot) -> None:
    owner = Owner()
    page = QWidget()
    box = QVBoxLayout(page)
    box.addWidget(button("x", owner.act))
    seen = weakref.ref(owner)
    del owner
    page.deleteLater()
    del page, box

    def gone() -> bool:
        gc.collect()
        return seen() is None

    qtbot.waitUntil(gone)


def test_a_card_without_a_title_shows_none(qtbot: QtBot) -> None:
    card = Card()
    qtbot.addWidget(card)
    assert card.title.isHidden()
    card.set_title("Your files")
    assert texts(card) == ["Your files"]
    card.set_title("")
    assert card.title.isHidden()


def test_a_badge_is_repainted_when_its_level_changes(qtbot: QtBot, styled: QApplication) -> None:
    badge = Badge("Fits", "good")
    qtbot.addWidget(badge)
    badge.show()
    good = badge.grab().toImage()
    badge.show_word("Fits", "bad")
    assert badge.grab().toImage() != good
    badge.show_word("", "")
    assert badge.isHidden()


def test_facts_change_in_place_or_are_built_anew(qtbot: QtBot) -> None:
    facts = Facts([("Size", "1 GB"), ("Kind", "llama")])
    qtbot.addWidget(facts)
    before = facts.findChildren(QLabel)
    facts.show_rows([("Size", "2 GB"), ("Kind", "llama")])
    assert facts.findChildren(QLabel) == before
    assert texts(facts) == ["Size", "2 GB", "Kind", "llama"]
    facts.show_rows([("Context", "2,048")])
    assert texts(facts) == ["Context", "2,048"]
    value = next(part for part in facts.findChildren(QLabel) if part.text() == "2,048")
    assert value.accessibleName() == "Context"
    facts.show_rows([])
    assert texts(facts) == []


def test_details_unfold_and_are_called_by_their_name_only(qtbot: QtBot) -> None:
    details = Details("De&tails")
    qtbot.addWidget(details)
    details.box.addWidget(label("inside"))
    details.show()
    assert not details.content.isVisible()
    qtbot.mouseClick(details.toggle, Qt.MouseButton.LeftButton)
    assert details.content.isVisible()
    assert details.toggle.text() == "▾ De&tails"
    assert details.toggle.accessibleName() == "Details"
    details.rename("&More")
    assert (details.toggle.text(), details.toggle.accessibleName()) == ("▾ &More", "More")
    qtbot.mouseClick(details.toggle, Qt.MouseButton.LeftButton)
    assert not details.content.isVisible()


def test_a_layout_is_emptied_with_all_that_is_in_it(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    box = QVBoxLayout(page)
    box.addWidget(label("one"))
    box.addLayout(row(label("two"), 1, label("three")))
    page.show()
    clear(box)
    assert box.count() == 0
    assert texts(page) == [], "none of it is seen any more, not even for a moment"
    qtbot.waitUntil(lambda: page.findChildren(QLabel) == [])


def test_the_same_text_is_not_set_again(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    made = QLabel("same")
    qtbot.addWidget(made)
    told: list[str] = []
    monkeypatch.setattr(made, "setText", told.append)
    set_text(made, "same")
    set_text(made, "other")
    assert told == ["other"]
