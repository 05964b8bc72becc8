"""The programs of others that a build may need: what is on this PC, what is wrong with it, and how to get it."""

from __future__ import annotations

import shlex
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from loragui import units
from loragui.engine.catalogue import Recipe
from loragui.engine.tools import get
from loragui.engine.tools.get import Way
from loragui.gui.desktop import open_page
from loragui.gui.widgets.basic import Badge, Card, Details, button, clear, label, row, rule, set_text
from loragui.workshop import ToolRow


class EngineTools(Card):
    """One row for each tool of this system, those first that a way to build needs."""

    wanted = Signal(object, object)
    """Get this ``ToolRow`` in this ``Way``: one of ours, or an archive that the person brings."""
    again = Signal()
    """Look for the tools once more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Tools for building"))
        self._lead = label(role="quiet", wrap=True)
        self.details = Details(self.tr("Show the &list"))
        self._list = QVBoxLayout()
        self.details.box.addLayout(self._list)
        self.details.box.addLayout(row(button(self.tr("Loo&k again"), self.again.emit), 1))
        self.box.addWidget(self._lead)
        self.box.addWidget(self.details)
        self._shown: tuple[ToolRow, ...] = ()

    def show_rows(self, rows: tuple[ToolRow, ...], best: Recipe | None) -> None:
        """Show these tools; ``best`` is the recommended way to build."""
        there = sum(1 for one in rows if one.found is not None and one.found.good)
        needed = ", ".join(one.tool.name for one in rows if best is not None and best.name in one.needed_by)
        text = self.tr("The recommended way needs none of them.")
        if needed:
            text = self.tr("The recommended way needs {names}.").format(names=needed)
        more = self.tr("{there} of {all} are on this PC.").format(there=there, all=len(rows))
        set_text(self._lead, f"{text} {more}")
        if rows == self._shown:
            return
        self._shown = rows
        clear(self._list)
        for number, one in enumerate(sorted(rows, key=lambda one: not one.needed_by)):
            if number:
                self._list.addWidget(rule())
            self._list.addWidget(self._row(one))

    def _row(self, one: ToolRow) -> QWidget:
        made = QWidget()
        box = QVBoxLayout(made)
        box.setContentsMargins(0, 0, 0, 0)
        name = label(one.tool.name)
        name.setProperty("role", "strong")
        box.addLayout(row(name, self._badge(one), 1, *self._buttons(one)))
        box.addWidget(label(self._about(one), role="quiet", wrap=True))
        return made

    def _badge(self, one: ToolRow) -> Badge:
        if one.found is None:
            return Badge(self.tr("Not here"), "")
        return Badge(self.tr("Here"), "good") if one.found.good else Badge(self.tr("Does not fit"), "bad")

    def _about(self, one: ToolRow) -> str:
        parts = []
        found = one.found
        if found is not None:
            parts.append(" ".join(part for part in (found.version, found.path) if part))
            parts.append(found.why)
        else:
            parts.append(self.tr("Takes about {size}.").format(size=units.size(one.tool.size_bytes)))
        parts.append(self.tr("What for: {purpose}.").format(purpose=one.tool.purpose))
        if one.needed_by:
            parts.append(self.tr("Needed by: {names}.").format(names=", ".join(one.needed_by)))
        return "\n".join(part for part in parts if part)

    def _buttons(self, one: ToolRow) -> list[QWidget]:
        if one.found is not None and one.found.good:
            return []
        made: list[QWidget] = []
        for way in one.ways:
            text = self._text(way)
            if way.kind == get.PAGE:
                act = partial(open_page, way.url)
            elif way.kind == get.DEBIAN:
                act = partial(_copy, shlex.join(way.command))
            else:
                act = partial(self.wanted.emit, one, way)
            extra = shlex.join(way.command)
            about = f"{one.tool.name}: {way.text}" + (f" ({extra})" if extra else "")
            made.append(button(text, act, about=about))
            made[-1].setAccessibleName(f"{text.replace('&', '')}: {one.tool.name}")
        return made

    def _text(self, way: Way) -> str:
        return {
            get.FETCH: self.tr("&Download"),
            get.WINGET: self.tr("&Install …"),
            get.BRING: self.tr("U&npack a file …"),
            get.DEBIAN: self.tr("Cop&y the command"),
            get.PAGE: self.tr("Open its p&age"),
        }[way.kind]


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
