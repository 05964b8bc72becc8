from __future__ import annotations

import re
from itertools import product

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from loragui.gui import theme
from loragui.gui.theme import DARK_COLORS, LIGHT_COLORS, Colors

SCHEMES = pytest.mark.parametrize("now", [LIGHT_COLORS, DARK_COLORS], ids=["light", "dark"])


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = (value / 255 for value in bytes.fromhex(color[1:]))
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@SCHEMES
def test_text_can_be_read_on_every_ground(now: Colors) -> None:
    pairs = [
        *product((now.text, now.quiet, now.accent), (now.window, now.sidebar, now.card, now.field)),
        (now.text, now.selected), (now.on_accent, now.accent), (now.good, now.good_back), (now.warn, now.warn_back),
        (now.bad, now.bad_back), (now.text, now.bad_back), (now.text, now.warn_back), (now.accent, now.selected),
        *((color, now.card) for color in (now.good, now.bad, now.warn)),
    ]  # fmt: skip
    assert {pair: round(contrast(*pair), 2) for pair in pairs if contrast(*pair) < 4.5} == {}


@SCHEMES
def test_every_name_of_the_style_sheet_is_filled_in(now: Colors) -> None:
    sheet = theme.style_sheet(now)
    assert "@" not in sheet
    assert set(re.findall(r"#[0-9a-fA-F]+\b", re.sub(r"Q\w+#\w+", "", sheet))) <= {
        value for value in vars(now).values() if isinstance(value, str)
    }


def test_light_and_dark_can_be_forced(styled: QApplication) -> None:
    theme.choose(styled, theme.DARK)
    assert theme.is_dark()
    assert theme.colors() is DARK_COLORS
    assert styled.palette().text().color() == QColor(DARK_COLORS.text)
    theme.choose(styled, theme.LIGHT)
    assert not theme.is_dark()
    assert LIGHT_COLORS.accent in styled.styleSheet()


def test_a_forced_scheme_stays_when_the_system_changes(styled: QApplication) -> None:
    changed = styled.styleHints().colorSchemeChanged
    theme.choose(styled, theme.LIGHT)
    changed.emit(Qt.ColorScheme.Dark)
    assert not theme.is_dark()
    theme.choose(styled, theme.SYSTEM)
    changed.emit(Qt.ColorScheme.Dark)
    assert theme.is_dark()
    changed.emit(Qt.ColorScheme.Light)
    assert not theme.is_dark()
    theme.choose(styled, theme.LIGHT)
