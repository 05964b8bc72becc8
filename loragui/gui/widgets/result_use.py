"""Taking the model along: where it is, how other programs use it, and the LoRA card to publish with it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QPlainTextEdit, QVBoxLayout, QWidget

from loragui import units
from loragui.gui import desktop
from loragui.gui.widgets.basic import SELECTABLE, Card, Facts, button, clear, label, name_of, row
from loragui.gui.widgets.problem import ProblemBox
from loragui.gui.widgets.run_log import moment
from loragui.result.howto import HowTo
from loragui.result.runs import Merged


class ResultModel(Card):
    """The merged models, the newest first."""

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("Your model"))
        self._merges: tuple[Merged, ...] = ()
        self.combo = QComboBox()
        self.combo.setAccessibleName(self.tr("Merged model"))
        self.combo.setMinimumWidth(360)
        self.combo.currentIndexChanged.connect(self._choose)
        self._name = name_of(self.combo, self.tr("&Model"))
        self.facts = Facts()
        self.folder = button(self.tr("Open &folder"), self.open_folder)
        self.path = button(self.tr("Copy the pat&h"), self._copy)
        self.box.addLayout(row(self._name, self.combo, 1))
        self.box.addWidget(self.facts)
        self.box.addLayout(row(self.folder, self.path, 1))
        self.hide()

    def show_merges(self, merges: tuple[Merged, ...]) -> None:
        """Show these models."""
        self.setVisible(bool(merges))
        if merges == self._merges:
            return
        self._merges = merges
        self.combo.blockSignals(True)  # noqa: FBT003 - Qt's own form
        self.combo.clear()
        for found in merges:
            self.combo.addItem(found.path.name)
        self.combo.blockSignals(False)  # noqa: FBT003 - Qt's own form
        for part in (self._name, self.combo):
            part.setVisible(len(merges) > 1)
        self._choose()

    @property
    def merged(self) -> Merged | None:
        """The model that is shown."""
        at = self.combo.currentIndex()
        return self._merges[at] if 0 <= at < len(self._merges) else None

    def _choose(self) -> None:
        found = self.merged
        if found is not None:
            self.facts.show_rows(
                (
                    (self.tr("File"), found.path.name),
                    (self.tr("Size"), units.size(found.bytes)),
                    (self.tr("Merged"), moment(found.when)),
                    (self.tr("From iteration"), f"{found.merge.iteration:,}"),
                    (self.tr("Strength"), f"{found.merge.strength:g}"),
                    (self.tr("Folder"), str(found.path.parent)),
                )
            )
            self.chosen.emit()

    def open_folder(self) -> None:
        """Show the model in the file manager."""
        if self.merged is not None:
            desktop.open_folder(self.merged.path.parent)

    def _copy(self) -> None:
        if self.merged is not None:
            desktop.copy(str(self.merged.path))


class ResultUse(Card):
    """How to use the model in another program, step by step."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("Use it"))
        self._howtos: tuple[HowTo, ...] = ()
        self.program = QComboBox()
        self.program.setAccessibleName(self.tr("Program"))
        self.program.setMinimumWidth(300)
        self.program.currentIndexChanged.connect(self._show)
        self.copy = button(self.tr("Cop&y the steps"), self._copy)
        self._steps = QVBoxLayout()
        self.box.addLayout(row(name_of(self.program, self.tr("&In")), self.program, 1, self.copy))
        self.box.addLayout(self._steps)
        self.hide()

    def show_howtos(self, howtos: tuple[HowTo, ...]) -> None:
        """Show these."""
        self.setVisible(bool(howtos))
        if howtos == self._howtos:
            return
        self._howtos = howtos
        before = self.program.currentIndex()
        self.program.blockSignals(True)  # noqa: FBT003 - Qt's own form
        self.program.clear()
        for found in howtos:
            self.program.addItem(found.title)
        self.program.setCurrentIndex(max(0, before))
        self.program.blockSignals(False)  # noqa: FBT003 - Qt's own form
        self._show()

    def _text(self) -> list[str]:
        at = self.program.currentIndex()
        steps = self._howtos[at].steps if 0 <= at < len(self._howtos) else ()
        return [f"{number}.  {step}" for number, step in enumerate(steps, start=1)]

    def _show(self) -> None:
        clear(self._steps)
        for step in self._text():
            made = label(step, wrap=True)
            made.setTextInteractionFlags(SELECTABLE)
            self._steps.addWidget(made)

    def _copy(self) -> None:
        desktop.copy("\n".join(self._text()))


class ResultCard(Card):
    """The LoRA card: what it is, how it was made, how to use it; nothing of the data itself."""

    saving = Signal(object)
    """The text that is to be saved beside the model."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("LoRA card"))
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setProperty("role", "fixed")
        self.text.setMinimumHeight(240)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(self.tr("LoRA card"))
        self.save = button(self.tr("Save it &beside the model"), lambda: self.saving.emit(self.text.toPlainText()))
        self.copy = button(self.tr("Copy it &all"), lambda: desktop.copy(self.text.toPlainText()))
        self.saved = label(role="quiet", wrap=True)
        self.problem = ProblemBox()
        about = self.tr(
            "For those you give the model to: what it is and how it was made. Nothing of your texts is in it."
        )
        self.box.addWidget(label(about, role="quiet", wrap=True))
        self.box.addWidget(self.text)
        self.box.addLayout(row(self.save, self.copy, self.saved))
        self.box.addWidget(self.problem)
        self.hide()

    def show_card(self, text: str) -> None:
        """Show this card; empty hides it."""
        self.setVisible(bool(text))
        if text != self.text.toPlainText():
            self.text.setPlainText(text)
            self.saved.setText("")
