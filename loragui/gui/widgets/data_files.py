"""The person's files: what was chosen, and what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QListWidget, QListWidgetItem, QWidget

from loragui import units
from loragui.data.view import TextView
from loragui.gui.widgets.basic import Card, button, label, row, set_text
from loragui.gui.widgets.table import Table


class DataFiles(Card):
    """Chooses files and folders; ``added`` and ``removed`` come with tuples of ``Path``. Never writes any of them."""

    added = Signal(object)
    removed = Signal(object)
    picked = Signal(object)
    """The file whose problems the person wants to see: its name in the report."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("Your chats and texts"))
        self._chosen: tuple[Path, ...] = ()
        self._names: tuple[str, ...] = ()
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Chosen files and folders"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.itemSelectionChanged.connect(self._selected)
        self._empty = label(
            self.tr("Add SillyTavern chats (.jsonl) and character cards, or drop them anywhere on this page. "
                    "Your files are only read, never changed."),
            role="quiet",
            wrap=True,
        )  # fmt: skip
        self.add_files = button(self.tr("&Add files …"), self._choose_files)
        self.add_folder = button(self.tr("Add a &folder …"), self._choose_folder)
        self.remove = button(
            self.tr("&Remove from the list"), self._remove, about=self.tr("The files themselves stay where they are")
        )
        delete = QShortcut(QKeySequence(Qt.Key.Key_Delete), self.list, context=Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._remove)
        self._sum = label(role="quiet", wrap=True)
        headings = (self.tr("File"), self.tr("Format"), self.tr("Messages"), self.tr("Samples"), self.tr("Notes"))
        self.table = Table(headings, wide=(0,), name=self.tr("What was found in the files"))
        self.table.setMinimumHeight(150)
        self.table.setMaximumHeight(260)
        self.table.selectionModel().selectionChanged.connect(lambda _new, _old: self._pick())
        self.box.addWidget(self._empty)
        self.box.addWidget(self.list)
        self.box.addLayout(row(self.add_files, self.add_folder, self.remove, 1))
        self.box.addWidget(self._sum)
        self.box.addWidget(self.table)
        self.show_chosen((), ())
        self.show_found(None)

    def show_chosen(self, paths: Sequence[Path], gone: Sequence[Path]) -> None:
        """Show what is chosen; ``gone`` of it is not there any more."""
        paths = tuple(paths)
        self._empty.setVisible(not paths)
        self.list.setVisible(bool(paths))
        if paths != self._chosen or gone:
            self._chosen = paths
            self.list.clear()
            for path in paths:
                text = self.tr("{path} (not there any more)").format(path=path) if path in gone else str(path)
                item = QListWidgetItem(text)
                item.setToolTip(str(path))
                self.list.addItem(item)
            rows = min(len(paths), 5)
            self.list.setFixedHeight(rows * max(24, self.list.sizeHintForRow(0)) + 8)
        self._selected()

    def show_found(self, view: TextView | None) -> None:
        """Show what the report says of each file."""
        self.table.setVisible(view is not None)
        self._sum.setVisible(view is not None)
        if view is None:
            self._names = ()
            self.table.rows.show_rows(())
            return
        totals, files = view.report.totals, view.report.files
        about = "" if view.report.exact else self.tr("about ")
        text = self.tr("{samples} samples with {about}{tokens} tokens ({size}), from {files} files with {chats} chats.")
        set_text(
            self._sum,
            text.format(
                samples=f"{totals.samples:,}", about=about, tokens=f"{totals.tokens:,}", size=units.size(totals.bytes),
                files=f"{totals.files:,}", chats=f"{totals.conversations:,}",
            ),
        )  # fmt: skip
        self._names = tuple(found.file for found in files)
        self.table.rows.show_rows(
            tuple(
                (
                    Path(found.file).name,
                    found.title or self.tr("not used"),
                    f"{found.turns:,}",
                    f"{found.samples:,}",
                    f"{view.troubles.get(found.file, 0) or ''}",
                )
                for found in files
            )
        )

    def _selected(self) -> None:
        self.remove.setEnabled(bool(self.list.selectedItems()))

    def _pick(self) -> None:
        numbers = self.table.chosen()
        self.picked.emit(self._names[numbers[0]] if numbers else "")

    def _remove(self) -> None:
        rows = sorted({self.list.row(item) for item in self.list.selectedItems()})
        if rows:
            self.removed.emit(tuple(self._chosen[number] for number in rows))

    def _choose_files(self) -> None:
        chosen, _ = QFileDialog.getOpenFileNames(self, self.tr("Add your chats and texts"))
        if chosen:
            self.added.emit(tuple(Path(path) for path in chosen))

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Add a folder of chats and texts"))
        if chosen:
            self.added.emit((Path(chosen),))
