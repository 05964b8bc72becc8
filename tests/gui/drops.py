"""Files dragged onto a page and dropped there, as Qt's own events."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

AT = QPointF(50, 50)


def drag(page: QWidget, *paths: Path) -> QMimeData:
    """Hold the files over the page; returns what is dragged."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDragEnterEvent(
        AT.toPoint(), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(page, event)
    return data


def drop(page: QWidget, *paths: Path) -> None:
    """Drag the files onto the page and let go."""
    data = drag(page, *paths)
    event = QDropEvent(AT, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(page, event)


def leave(page: QWidget) -> None:
    """Drag them away again."""
    QApplication.sendEvent(page, QDragLeaveEvent())
