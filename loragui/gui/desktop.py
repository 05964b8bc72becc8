"""The person's desktop: its file manager, its browser, its clipboard."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication


def open_folder(folder: Path) -> None:
    """Show a folder in the system's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def open_page(address: str) -> None:
    """Show a page in the person's browser."""
    QDesktopServices.openUrl(QUrl(address))


def copy(text: str) -> None:
    """Put a text into the clipboard."""
    QGuiApplication.clipboard().setText(text)
