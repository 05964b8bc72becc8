"""Every page in the real window: names for screen readers, keys for everything, no cut text in the smallest window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import combinations

import pytest
from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QWidget,
)
from pytestqt.exceptions import TimeoutError as NotInTime
from pytestqt.qtbot import QtBot

from loragui.gui import theme
from loragui.gui.memory import Memory
from loragui.gui.session import Session
from loragui.gui.widgets.basic import Details, WrappedLabel
from loragui.gui.window import PLACES, SMALLEST, Window
from loragui.steps import Step
from tests.result import finished

PLACE = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name.lower() if place else "start")


@pytest.fixture(params=["empty", "full"])
def window(request: pytest.FixtureRequest, opened: Session, settle: Callable[[Session], None]) -> Iterator[Window]:
    """The window with a project that is ready to train, and with one that is trained, merged and unfolded."""
    project = opened.store.opened
    assert project is not None
    if request.param == "full":
        finished.merge(project, finished.training(project))
    made = Window(opened, Memory(opened.workspace))
    made.resize(*SMALLEST)
    made.show()
    opened.refresh_gates()
    settle(opened)
    yield made
    made.hide()
    made.deleteLater()


def shown(window: Window, place: Step | None, qtbot: QtBot) -> QWidget:
    """The page, with everything in it unfolded."""
    window.show_place(place)
    qtbot.waitUntil(lambda: not window.session.busy, timeout=20_000)
    page = window.stack.currentWidget()
    assert page is not None
    for details in page.findChildren(Details):
        details.toggle.setChecked(True)
    qtbot.waitUntil(lambda: not window.session.busy, timeout=20_000)
    QApplication.processEvents()
    return page


def parts(page: QWidget, kind: type[QWidget] = QWidget) -> list[QWidget]:
    return [part for part in page.findChildren(kind) if part.isVisible()]


def focusable(page: QWidget) -> list[QWidget]:
    found = (part for part in parts(page) if part.focusPolicy() & Qt.FocusPolicy.TabFocus and part.isEnabled())
    return [part for part in found if not (isinstance(part, QLineEdit) and isinstance(part.parent(), QAbstractSpinBox))]


@PLACE
def test_everything_has_a_name(window: Window, place: Step | None, qtbot: QtBot) -> None:
    page = shown(window, place, qtbot)
    buddies = {label.buddy() for label in page.findChildren(QLabel) if label.buddy() is not None}
    nameless = [
        part
        for part in focusable(window)
        if not (part.accessibleName() or part in buddies or (isinstance(part, QAbstractButton) and part.text()))
    ]
    assert nameless == []


@PLACE
def test_every_button_has_a_key(window: Window, place: Step | None, qtbot: QtBot) -> None:
    page = shown(window, place, qtbot)
    without = [
        button.text()
        for button in [*parts(page, QPushButton), window.back, window.options]
        if isinstance(button, QPushButton) and "&" not in button.text() and button.shortcut().isEmpty()
    ]
    reachable = {"Reset"}  # one beside each changed setting, the next stop of the Tab key after it
    names = {row.name for row in getattr(page, "rows", ())}  # projects are called as the person calls them
    assert set(without) - reachable - names == set()


@PLACE
def test_the_tab_key_goes_everywhere_once(window: Window, place: Step | None, qtbot: QtBot) -> None:
    page = shown(window, place, qtbot)
    seen: list[QWidget] = []
    first = window.sidebar.buttons[0]
    at: QWidget = first.nextInFocusChain()
    while at is not first:
        seen.append(at)
        at = at.nextInFocusChain()
    assert len(set(map(id, seen))) == len(seen)
    assert {id(part) for part in focusable(page)} <= set(map(id, seen))


@PLACE
@pytest.mark.parametrize("scheme", [theme.LIGHT, theme.DARK])
def test_nothing_is_cut_or_overlaps_in_the_smallest_window(
    window: Window, place: Step | None, scheme: str, qtbot: QtBot, styled: QApplication
) -> None:
    theme.choose(styled, scheme)
    page = shown(window, place, qtbot)
    area = page.findChild(QScrollArea)
    assert area is not None
    assert not area.horizontalScrollBar().isVisible()

    def cut() -> list[str]:
        return [describe(part) for part in parts(window) if is_cut(part)]

    with suppress(NotInTime):  # layouts settle within a few rounds of the event loop
        qtbot.waitUntil(lambda: not cut(), timeout=2000)
    assert cut() == []
    assert list(overlapping(page)) == []
    theme.choose(styled, theme.LIGHT)


def is_cut(part: QWidget) -> bool:
    """Whether a text has less room than it needs."""
    if isinstance(part, WrappedLabel):
        return part.heightForWidth(part.width()) > part.height() + 1
    if isinstance(part, QLabel) and part.text() and part.textFormat() == Qt.TextFormat.PlainText:
        return part.fontMetrics().horizontalAdvance(part.text().replace("&", "")) > part.width() + 1
    if isinstance(part, QPushButton) and part.objectName() != "step":
        return part.sizeHint().width() > part.width() + 1 or part.sizeHint().height() > part.height() + 1
    return False


def overlapping(page: QWidget) -> Iterator[tuple[str, str]]:
    """Texts and controls that lie on each other."""
    leaves = [part for part in parts(page) if isinstance(part, QLabel | QPushButton | QAbstractSpinBox)]
    placed = [(part, QRect(part.mapTo(page, part.rect().topLeft()), part.size())) for part in leaves]
    for (one, where), (other, there) in combinations(placed, 2):
        if where.intersects(there) and not one.isAncestorOf(other) and not other.isAncestorOf(one):
            yield describe(one), describe(other)


def describe(part: QWidget) -> str:
    text = part.text() if isinstance(part, QLabel | QAbstractButton) else ""
    return f"{type(part).__name__} {text[:60]!r} {part.width()}x{part.height()}"


class Flashes(QObject):
    """Notes every window that shows itself besides those it is told of."""

    def __init__(self, known: QWidget) -> None:
        super().__init__()
        self.known, self.found = known, list[str]()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        shows = event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow()
        if shows and watched is not self.known:
            self.found.append(describe(watched))
        return False


def test_no_part_of_a_page_flashes_up_as_a_window(window: Window, qtbot: QtBot, styled: QApplication) -> None:
    flashes = Flashes(window)
    styled.installEventFilter(flashes)
    try:
        for place in PLACES:
            shown(window, place, qtbot)
    finally:
        styled.removeEventFilter(flashes)
    assert flashes.found == []
