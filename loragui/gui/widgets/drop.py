"""Files dropped anywhere on a page."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from loragui.gui.widgets.basic import restyle


class Drops(QObject):
    """Takes local files that are dropped on ``page``; ``target`` lights up while they hang over it."""

    dropped = Signal(object)
    """A tuple of ``Path``."""

    def __init__(self, page: QWidget, target: QWidget) -> None:
        super().__init__(page)
        self._target = target
        page.setAcceptDrops(True)
        page.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Accept what brings local files."""
        match event.type():
            case QEvent.Type.DragEnter if isinstance(event, QDragEnterEvent) and local_files(event.mimeData()):
                event.acceptProposedAction()
                self._light(on=True)
                return True
            case QEvent.Type.DragLeave:
                self._light(on=False)
            case QEvent.Type.Drop if isinstance(event, QDropEvent):
                self._light(on=False)
                files = local_files(event.mimeData())
                if files:
                    event.acceptProposedAction()
                    self.dropped.emit(files)
                    return True
            case _:
                pass
        return super().eventFilter(watched, event)

    def _light(self, *, on: bool) -> None:
        self._target.setProperty("drop", on)
        restyle(self._target)


def local_files(data: QMimeData) -> tuple[Path, ...]:
    """The files and folders on this PC among what is dragged."""
    return tuple(Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile())
