"""Readers for programs that need no understanding: our own jobs, and anything else line by line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from loragui.jobs import events
from loragui.jobs.events import Event, Log


class PlainLines:
    """Every line is kept as log; the exit code alone says whether it went well."""

    def __init__(self, folder: Path, args: Mapping[str, object]) -> None:
        del folder, args

    def line(self, text: str, stream: str) -> Iterable[Event]:
        """The line, unless it is blank."""
        del stream
        return (Log(text=text),) if text.strip() else ()

    def end(self, returncode: int) -> Iterable[Event]:
        """Nothing; the runner names an unexplained exit."""
        del returncode
        return ()


class EventLines(PlainLines):
    """Our own jobs print events (see ``pyjob``); what else they print is kept as log."""

    def line(self, text: str, stream: str) -> Iterable[Event]:
        """The event of the line, or the line itself."""
        stamped = events.from_line(text) if text.startswith('{"v":') else None
        return (stamped.event,) if stamped is not None else super().line(text, stream)
