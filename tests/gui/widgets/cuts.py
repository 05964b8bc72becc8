"""Whether texts have the room that they need."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QWidget


def cut(widget: QWidget) -> list[str]:
    """The wrapped texts that are seen only in part."""
    labels = [part for part in widget.findChildren(QLabel) if part.isVisible() and part.wordWrap()]
    return [part.text() for part in labels if part.heightForWidth(part.width()) > part.height() + 1]
