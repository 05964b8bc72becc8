from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from loragui.gui import theme
from loragui.gui.widgets.sidebar import ATTENTION, DONE, LOCKED, OPEN, RUNNING, Entry, Mark, Sidebar

STATES = (OPEN, DONE, RUNNING, ATTENTION, LOCKED)
NOTE = "Its training text was made for another context"
ENTRIES = tuple(Entry(title=f"Place {n}", state=state, note=NOTE, reason=f"Why {n}") for n, state in enumerate(STATES))


@pytest.fixture
def sidebar(qtbot: QtBot, styled: QApplication) -> Sidebar:
    made = Sidebar(len(ENTRIES))
    qtbot.addWidget(made)
    made.resize(made.width(), 640)
    made.show_entries(ENTRIES, 1)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def test_each_place_says_how_it_is_called_and_why(sidebar: Sidebar) -> None:
    for made, entry in zip(sidebar.buttons, ENTRIES, strict=True):
        assert [part.text() for part in made.findChildren(QLabel)] == [entry.title, NOTE]
        assert (made.accessibleName(), made.accessibleDescription()) == (entry.title, entry.reason)
        assert made.toolTip() == entry.reason
        assert made.isEnabled() is (entry.state != LOCKED)
    assert [made.isChecked() for made in sidebar.buttons] == [False, True, False, False, False]


def test_pressing_tells_the_number_but_not_of_a_locked_one(sidebar: Sidebar, qtbot: QtBot) -> None:
    for number in (3, 0):
        with qtbot.waitSignal(sidebar.chosen) as chosen:
            qtbot.mouseClick(sidebar.buttons[number], Qt.MouseButton.LeftButton)
        assert chosen.args == [number]
    with qtbot.assertNotEmitted(sidebar.chosen):
        qtbot.mouseClick(sidebar.buttons[4], Qt.MouseButton.LeftButton)
        qtbot.keyClick(sidebar, Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)


def test_it_goes_by_keys_alone(sidebar: Sidebar, qtbot: QtBot) -> None:
    sidebar.buttons[1].setFocus()
    with qtbot.waitSignal(sidebar.chosen) as chosen:
        qtbot.keyClick(sidebar.buttons[1], Qt.Key.Key_Down)
    assert chosen.args == [2]
    with qtbot.waitSignal(sidebar.chosen) as chosen:
        qtbot.keyClick(sidebar, Qt.Key.Key_0, Qt.KeyboardModifier.AltModifier)
    assert chosen.args == [0]


def test_notes_wrap_and_are_never_cut(sidebar: Sidebar, qtbot: QtBot) -> None:
    def fits() -> bool:
        labels = [part for made in sidebar.buttons for part in made.findChildren(QLabel)]
        return all(not part.wordWrap() or part.heightForWidth(part.width()) <= part.height() for part in labels)

    qtbot.waitUntil(fits)
    tall = sidebar.buttons[2].height()
    sidebar.show_entries(tuple(Entry(title=entry.title) for entry in ENTRIES), 1)
    qtbot.waitUntil(lambda: sidebar.buttons[2].height() < tall)


def test_every_state_has_a_mark_of_its_own_in_both_schemes(styled: QApplication, qtbot: QtBot) -> None:
    seen = []
    for scheme in (theme.LIGHT, theme.DARK):
        theme.choose(styled, scheme)
        for number, state in [(0, OPEN), *((2, state) for state in STATES)]:
            mark = Mark(number)
            qtbot.addWidget(mark)
            mark.show_state(state)
            seen.append(bytes(mark.grab().toImage().constBits()))
    theme.choose(styled, theme.LIGHT)
    assert len(set(seen)) == len(seen)
