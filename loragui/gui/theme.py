"""How everything looks: the colours of light and dark, the distances, and the style sheet that is filled with them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from functools import cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from loragui.paths import resource_path

GAP = 8
"""Logical pixels between things that belong together."""
SPACE = 16
"""Logical pixels between things that do not."""
MARGIN = 28
"""Logical pixels around a page."""

SYSTEM, LIGHT, DARK = "system", "light", "dark"
SCHEMES = {SYSTEM: Qt.ColorScheme.Unknown, LIGHT: Qt.ColorScheme.Light, DARK: Qt.ColorScheme.Dark}


@dataclass(frozen=True, kw_only=True)
class Colors:
    """The colours of one scheme, as ``#rrggbb``. Text on ``window`` and ``card`` keeps a contrast of at least 4.5."""

    window: str
    sidebar: str
    card: str
    field: str
    line: str
    text: str
    quiet: str
    accent: str
    on_accent: str
    accent_hover: str
    selected: str
    good: str
    good_back: str
    warn: str
    warn_back: str
    bad: str
    bad_back: str
    overlays: tuple[str, ...]


LIGHT_COLORS = Colors(
    window="#f6f7f9", sidebar="#eceef2", card="#ffffff", field="#ffffff", line="#d5d9e0", text="#1b2230",
    quiet="#5a6375", accent="#3557c9", on_accent="#ffffff", accent_hover="#2a47a8", selected="#dde4fa",
    good="#1d6f42", good_back="#e2f3e8", warn="#8a5300", warn_back="#fdf0d9", bad="#b3261e", bad_back="#fbe5e3",
    overlays=("#8d6fb0", "#3f8f8a", "#b0703f", "#7a8a3a"),
)  # fmt: skip
DARK_COLORS = Colors(
    window="#16191f", sidebar="#1c2027", card="#21262f", field="#191d24", line="#384050", text="#e7eaf0",
    quiet="#a3acbd", accent="#7f9cff", on_accent="#10131a", accent_hover="#9bb2ff", selected="#2c3754",
    good="#7ed3a1", good_back="#1d3328", warn="#f0b95c", warn_back="#3a2f1a", bad="#ff9a92", bad_back="#402422",
    overlays=("#b79ad8", "#6fc2bc", "#d99a68", "#aebd68"),
)  # fmt: skip


def is_dark() -> bool:
    """Whether the dark colours are shown now."""
    return QApplication.palette().window().color().lightness() < 128


def colors() -> Colors:
    """The colours that are shown now."""
    return DARK_COLORS if is_dark() else LIGHT_COLORS


def apply(app: QApplication, scheme: str) -> None:
    """Dress the application in ``scheme``; ``system`` follows the system, now and whenever it changes."""
    app.setStyle(QStyleFactory.create("Fusion"))
    font = app.font()
    font.setPointSizeF(max(10.0, font.pointSizeF()))
    app.setFont(font)
    choose(app, scheme)
    app.styleHints().colorSchemeChanged.connect(lambda now: _system_changed(app, now))


def _system_changed(app: QApplication, now: Qt.ColorScheme) -> None:
    if app.property("scheme") == SYSTEM:  # some platforms cannot be told what was chosen here
        paint(app, dark=now == Qt.ColorScheme.Dark)


def choose(app: QApplication, scheme: str) -> None:
    """Follow the system, or force light or dark; also where the platform itself knows no schemes."""
    app.setProperty("scheme", scheme if scheme in SCHEMES else SYSTEM)
    hints = app.styleHints()
    hints.setColorScheme(SCHEMES.get(scheme, Qt.ColorScheme.Unknown))
    system_is_dark = hints.colorScheme() == Qt.ColorScheme.Dark
    paint(app, dark=scheme == DARK or (scheme != LIGHT and system_is_dark))


def paint(app: QApplication, *, dark: bool) -> None:
    """Put the colours into the palette and the style sheet; widgets learn of it by ``QEvent.PaletteChange``."""
    now = DARK_COLORS if dark else LIGHT_COLORS
    app.setPalette(palette(now))
    app.setStyleSheet(style_sheet(now))


def palette(now: Colors) -> QPalette:
    """The colours as a palette, for everything that the style sheet does not paint."""
    role = QPalette.ColorRole
    found = QPalette()
    for names, color in (
        ((role.Window,), now.window),
        ((role.Base, role.AlternateBase), now.field),
        ((role.Button, role.ToolTipBase), now.card),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText, role.BrightText), now.text),
        ((role.PlaceholderText,), now.quiet),
        ((role.Highlight, role.Link, role.Accent), now.accent),
        ((role.HighlightedText,), now.on_accent),
        ((role.Mid, role.Midlight, role.Dark), now.line),
    ):
        for name in names:
            found.setColor(name, QColor(color))
    for name in (role.WindowText, role.Text, role.ButtonText):
        found.setColor(QPalette.ColorGroup.Disabled, name, QColor(now.quiet))
    return found


def style_sheet(now: Colors) -> str:
    """``resources/style.qss`` with its ``@names`` filled in: colours, and ``icons`` and ``scheme`` for pictures.

    KeyError for any other name.
    """
    values = {name: value for name, value in asdict(now).items() if isinstance(value, str)}
    values |= {"icons": resource_path("icons").as_posix(), "scheme": DARK if now is DARK_COLORS else LIGHT}
    return re.sub(r"@([a-z_]+)", lambda match: values[match[1]], _template())


@cache
def _template() -> str:
    return resource_path("style.qss").read_text(encoding="utf-8")
