"""What a person reads on a page."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QWidget


def texts(page: QWidget) -> str:
    """Every visible text, a line each."""
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())
