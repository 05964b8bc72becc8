from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from loragui.errors import AppError, Problem
from loragui.gui.background import Background


def test_every_result_arrives_in_the_windows_thread(qtbot: QtBot) -> None:
    background, owner = Background(), QObject()
    seen: list[tuple[int, bool]] = []
    for number in range(200):
        background.run(
            owner,
            lambda number=number: (number, threading.current_thread() is threading.main_thread()),  # type: ignore[misc]
            lambda found: seen.append(
                (found[0], found[1] or threading.current_thread() is not threading.main_thread())
            ),
        )
    qtbot.waitUntil(lambda: not background.busy)
    assert sorted(number for number, _ in seen) == list(range(200))
    assert not any(wrong for _, wrong in seen)
    background.close()


def test_nothing_is_delivered_to_an_owner_that_is_gone(qtbot: QtBot) -> None:
    background, owner = Background(), QObject()
    held, seen = threading.Event(), list[int]()
    background.run(owner, held.wait, lambda _: seen.append(1))
    owner.deleteLater()
    qtbot.waitUntil(lambda: not _alive(owner))
    held.set()
    qtbot.waitUntil(lambda: not background.busy)
    assert seen == []
    background.close()


def _alive(thing: QObject) -> bool:
    import shiboken6

    return shiboken6.isValid(thing)


def test_an_expected_failure_is_told(qtbot: QtBot) -> None:
    background, owner = Background(), QObject()
    told: list[Problem] = []

    def fail() -> None:
        raise AppError("It is broken.", "Mend it.", code="broken")

    def no_file() -> None:
        raise FileNotFoundError(2, "No such file", "/x")

    background.run(owner, fail, None, told.append)
    qtbot.waitUntil(lambda: len(told) == 1)
    assert told[0].code == "broken"
    with qtbot.waitSignal(background.trouble) as sent:
        background.run(owner, no_file)
    assert "/x" in str(sent.args[0])
    background.close()


def test_a_mistake_of_ours_is_not_swallowed(qtbot: QtBot) -> None:
    background, owner = Background(), QObject()
    with capture_exceptions() as caught:
        background.run(owner, lambda: 1 // 0)
        qtbot.waitUntil(lambda: bool(caught))
    assert caught[0][0] is ZeroDivisionError
    background.close()


def test_the_order_is_kept(qtbot: QtBot) -> None:
    background, owner = Background(), QObject()
    seen: list[int] = []
    for number in range(100):
        background.run(owner, lambda number=number: seen.append(number))  # type: ignore[misc]
    background.close()
    assert seen == list(range(100))


@pytest.mark.parametrize("wait", [True, False])
def test_after_closing_nothing_is_taken(qtbot: QtBot, *, wait: bool) -> None:
    background, owner = Background(), QObject()
    background.close(wait=wait)
    background.run(owner, lambda: 1, lambda _: pytest.fail("delivered"))
    assert not background.busy


def test_results_that_come_after_closing_are_dropped(qtbot: QtBot) -> None:
    background, owner = Background(), QObject()
    seen: list[int] = []
    background.run(owner, lambda: 1, seen.append)
    background.close()
    assert not background.busy
    QApplication.processEvents()
    assert seen == []
