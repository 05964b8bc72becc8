"""What the window remembers for next time: where it stood, what was open, how it looks. Nothing of value."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import platformdirs
from PySide6.QtCore import QByteArray, QObject, QSettings

from loragui.paths import APP, Workspace
from loragui.steps import Step

MOST_RECENT = 12


class Memory(QObject):
    """One small file in the person's configuration folder; a part of its own for each workspace."""

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        file = platformdirs.user_config_path(APP) / "window.ini"
        self._settings = QSettings(str(file), QSettings.Format.IniFormat, self)
        self._part = hashlib.sha256(str(workspace.root.absolute()).encode()).hexdigest()[:12]

    @property
    def scheme(self) -> str:
        """``system``, ``light`` or ``dark``."""
        return str(self._settings.value("scheme", "system"))

    @scheme.setter
    def scheme(self, scheme: str) -> None:
        self._put("scheme", scheme)

    @property
    def geometry(self) -> QByteArray:
        """Where the window stood; empty when nothing is known."""
        value = self._settings.value("geometry", QByteArray())
        return value if isinstance(value, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self._put("geometry", geometry)

    @property
    def project(self) -> Path | None:
        """The project that was open."""
        value = str(self._settings.value(f"{self._part}/project", ""))
        return Path(value) if value else None

    @property
    def place(self) -> Step | None:
        """The step that was open; None is the start."""
        value = str(self._settings.value(f"{self._part}/place", ""))
        return Step[value] if value in Step.__members__ else None

    @property
    def recent(self) -> tuple[Path, ...]:
        """Projects that were open before, the last first."""
        value = self._settings.value(f"{self._part}/recent", [])
        texts: Iterable[object] = value if isinstance(value, list) else [value]
        return tuple(Path(str(text)) for text in texts if text)

    @property
    def tour(self) -> Path | None:
        """The project in which the demonstration is on its way."""
        value = str(self._settings.value(f"{self._part}/tour", ""))
        return Path(value) if value else None

    @tour.setter
    def tour(self, project: Path | None) -> None:
        self._put(f"{self._part}/tour", str(project or ""))

    def stand(self, project: Path | None, place: Step | None) -> None:
        """Remember what is open now."""
        if project is not None:
            recent = dict.fromkeys((project, *self.recent))
            self._settings.setValue(f"{self._part}/recent", [str(path) for path in recent][:MOST_RECENT])
        self._settings.setValue(f"{self._part}/project", str(project or ""))
        self._put(f"{self._part}/place", place.name if place else "")

    def _put(self, key: str, value: object) -> None:
        self._settings.setValue(key, value)
        self._settings.sync()  # the window may be killed at any time
