"""The engines on this PC, side by side: what each is, who uses it, and what can be done with it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QPushButton, QVBoxLayout, QWidget

from loragui import units
from loragui.gui.widgets.basic import Badge, Card, button, clear, label, row, rule
from loragui.workshop import EngineRow


class EngineList(Card):
    """One row for each engine. The one that the project uses carries a badge."""

    use_wanted = Signal(object)
    """The project is to use this ``Engine``."""
    rebuild_wanted = Signal(object)
    """Build this ``EngineRow`` again; it stays usable until the new one is ready."""
    update_wanted = Signal(object)
    """Build what replaces this ``EngineRow``, beside it."""
    tune_wanted = Signal(object)
    """Find the fastest settings for this ``Engine``."""
    remove_wanted = Signal(object)
    """Delete this ``EngineRow``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Engines on this PC"))
        self._shown: tuple[tuple[EngineRow, ...], str] | None = None
        self._list = QVBoxLayout()
        self.box.addLayout(self._list)
        self.hide()

    def show_rows(self, rows: tuple[EngineRow, ...], mine: str) -> None:
        """Show these engines; ``mine`` is the name of the one that the project uses."""
        if (rows, mine) == self._shown:
            return  # an open menu and the focus stay
        self._shown = (rows, mine)
        clear(self._list)
        self.setVisible(bool(rows))
        for number, one in enumerate(rows):
            if number:
                self._list.addWidget(rule())
            self._list.addWidget(self._row(one, mine=one.name == mine))

    def _row(self, one: EngineRow, *, mine: bool) -> QWidget:
        made = QWidget()
        box = QVBoxLayout(made)
        box.setContentsMargins(0, 0, 0, 0)
        engine = one.found.engine
        name = label(one.name)
        name.setProperty("role", "strong")
        parts: list[QWidget | int] = [name, 1]
        if engine is None:
            parts.insert(1, Badge(self.tr("Damaged"), "bad"))
            if one.again is not None:
                parts.append(self._rebuild(one))
        elif mine:
            parts.insert(1, Badge(self.tr("Used here"), "good"))
        else:
            parts.append(button(self.tr("&Use {name}").format(name=one.name), partial(self.use_wanted.emit, engine)))
        if mine and engine is not None and one.tuning is None:
            about = self.tr("Measures for a minute at most how many threads train the fastest here.")
            find = self.tr("&Find the fastest settings")
            parts.append(button(find, partial(self.tune_wanted.emit, engine), about=about))
        parts.append(self._more(one))
        box.addLayout(row(*parts))
        for text in (self._about(one), self._speed(one)) if engine is not None else (str(one.found.problem),):
            if text:
                box.addWidget(label(text, role="quiet", wrap=True))
        return made

    def _rebuild(self, one: EngineRow) -> QPushButton:
        made = button(self.tr("&Build it again"), partial(self.rebuild_wanted.emit, one))
        made.setAccessibleName(self.tr("Build {name} again").format(name=one.name))
        return made

    def _more(self, one: EngineRow) -> QPushButton:
        made = QPushButton(self.tr("&More"))
        made.setAccessibleName(self.tr("More about {name}").format(name=one.name))
        menu = QMenu(made)
        engine = one.found.engine
        if engine is not None:
            menu.addAction(self.tr("&Find the fastest settings for this PC"), partial(self.tune_wanted.emit, engine))
        if one.newer is not None:
            text = self.tr("&Update to {pin}").format(pin=one.newer[1].name)
            menu.addAction(text, partial(self.update_wanted.emit, one))
        if one.again is not None:
            menu.addAction(self.tr("&Build it again"), partial(self.rebuild_wanted.emit, one))
        menu.addAction(self.tr("&Remove"), partial(self.remove_wanted.emit, one))
        made.setMenu(menu)
        return made

    def _about(self, one: EngineRow) -> str:
        engine = one.found.engine
        assert engine is not None  # noqa: S101 - only called with one
        parts = [self.tr("llama.cpp {pin}").format(pin=engine.pin)]
        parts.append(one.recipe.name if one.recipe is not None else self.tr("Finished programs"))
        parts.append(self.tr("of {date}, {size}").format(date=engine.built[:10], size=units.size(engine.size)))
        if engine.options:
            parts.append(self.tr("Options: {options}").format(options=" ".join(map(_short, engine.options))))
        if one.users:
            parts.append(self.tr("Used by: {names}").format(names=", ".join(one.users)))
        if not engine.live:
            parts.append(self.tr("Shows its progress late: about every 40 iterations"))
        return " · ".join(parts)

    def _speed(self, one: EngineRow) -> str:
        found = one.tuning
        if found is None:
            return ""
        text = self.tr("Fastest settings here ({threads}): {ratio:.2f} times as fast as usual.")
        if not found.gains:
            text = self.tr("The usual settings are the fastest here ({threads}).")
        threads = self.tr("threads: {number}").format(number=found.threads)
        if found.blas_threads:
            threads = self.tr("{threads}, OpenBLAS threads: {blas}").format(threads=threads, blas=found.blas_threads)
        return text.format(threads=threads, ratio=found.ratio)


def _short(option: str) -> str:
    """An option without the folder in it."""
    name, sign, value = option.partition("=")
    return f"{name}{sign}{value.rpartition('/')[2]}"
