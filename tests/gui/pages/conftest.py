"""Every page's tests show it as the window does, in the smallest window's size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from loragui.gui.page import Page
from loragui.gui.session import Session


@pytest.fixture
def show(qtbot: QtBot, settle: Callable[[Session], None]) -> Callable[[Page], None]:
    """Show a page and wait until it has read everything."""

    def run(page: Page) -> None:
        qtbot.addWidget(page)
        page.resize(744, 560)
        page.show()
        page.enter()
        settle(page.session)

    return run
