"""One window per workspace: a second start hands its project to the first window and ends."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from loragui.paths import Workspace

TIMEOUT_MS = 2000


class Single(QObject):
    """Claims the workspace. ``first`` tells whether it was free; ``asked`` comes when another start wants in."""

    asked = Signal(object)
    """The project's folder that the other start was given, or None."""

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        digest = hashlib.sha256(str(workspace.root.absolute()).encode()).hexdigest()[:16]
        self._name = f"loragui-{digest}"
        self._sockets: list[QLocalSocket] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._connected)
        self.first = not self.tell(None, ask=False) and self._claim()

    def _claim(self) -> bool:
        if self._server.listen(self._name):
            return True
        if self.tell(None, ask=False):  # another start was quicker by a moment
            return False
        QLocalServer.removeServer(self._name)  # left by a window that was killed: nobody answers it
        return self._server.listen(self._name)

    def tell(self, project: Path | None, *, ask: bool = True) -> bool:
        """Whether a window of this workspace answers; with ``ask`` it comes to the front and opens ``project``."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(TIMEOUT_MS):
            return False
        if ask:
            socket.write(f"open {project or ''}\n".encode())
            socket.waitForBytesWritten(TIMEOUT_MS)
        socket.disconnectFromServer()
        return True

    def release(self) -> None:
        """Give the workspace up."""
        self._server.close()
        self._sockets.clear()

    def _connected(self) -> None:
        while self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            self._sockets.append(socket)
            socket.readyRead.connect(self._read)
            socket.disconnected.connect(self._read)
        self._read()

    def _read(self) -> None:
        for socket in tuple(self._sockets):
            while socket.canReadLine():
                self._heard(bytes(socket.readLine().data()).decode("utf-8", "replace").strip())
            if not socket.isValid():  # the other side has gone
                self._sockets.remove(socket)
                socket.deleteLater()

    def _heard(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "open":
            self.asked.emit(Path(rest) if rest else None)
