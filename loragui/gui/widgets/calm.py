"""Number fields that the wheel changes only while they have the focus, so that scrolling a page changes nothing."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractSpinBox

EDITOR_WIDTH = 150
"""Logical pixels of every number field."""

_MARGIN = 6
"""Logical pixels before the number, as in the other fields."""

Box = TypeVar("Box", bound=QAbstractSpinBox)


def calm(box: Box) -> Box:
    """Give ``box`` the common width, and let the wheel scroll the page in passing."""
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setFixedWidth(EDITOR_WIDTH)
    box.lineEdit().setTextMargins(_MARGIN, 0, 0, 0)  # the style sheet's padding does not reach the text
    box.installEventFilter(_Wheel(box))
    return box


class _Wheel(QObject):
    def __init__(self, box: QAbstractSpinBox) -> None:
        super().__init__(box)
        self._box = box

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Keep the wheel away from a field that is not being edited."""
        if event.type() == QEvent.Type.Wheel and not self._box.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)
