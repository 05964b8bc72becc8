"""What is merged: which training, which checkpoint, how strongly, into which type of file."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QGridLayout, QWidget

from loragui import units
from loragui.acts import MergeRequest
from loragui.gui.theme import GAP, SPACE
from loragui.gui.widgets.basic import Card, button, label, name_of, row, set_text
from loragui.gui.widgets.calm import calm
from loragui.jobs.folder import RunFolder
from loragui.outcome import Outcome, Trained
from loragui.result.merge import TYPES, output_bytes

WIDE = 300


class ResultMerge(Card):
    """Edits a ``MergeRequest``; hidden before there is anything to merge."""

    changed = Signal()
    wanted = Signal()
    """Merge what is chosen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("Merge into one model"))
        self._trained: tuple[Trained, ...] = ()
        self._parameters = 0
        self.training, self.checkpoint, self.type = QComboBox(), QComboBox(), QComboBox()
        for combo in (self.training, self.checkpoint, self.type):
            combo.setMinimumWidth(WIDE)
        self.strength = calm(QDoubleSpinBox())
        self.strength.setRange(0.1, 2.0)
        self.strength.setSingleStep(0.1)
        self.strength.setValue(1.0)
        for name in TYPES:
            self.type.addItem(name, name)
        self._about_type = label(role="quiet", wrap=True)
        self._build()
        self.merge = button(self.tr("M&erge with these choices"), self.wanted.emit)
        self.box.addLayout(row(self.merge, 1))
        self.training.currentIndexChanged.connect(lambda _index: self._show_checkpoints())
        self.type.currentIndexChanged.connect(lambda _index: self._show_type())
        self.strength.valueChanged.connect(lambda _value: self.changed.emit())
        self.hide()

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE)
        grid.setVerticalSpacing(GAP)
        grid.setColumnStretch(2, 1)
        weaker = self.tr("1 is as trained. Less is more subtle; more exaggerates, and may garble.")
        which = self.tr("An earlier checkpoint has learned less by heart.")
        rows = (
            (self.training, self.tr("&Training"), ""),
            (self.checkpoint, self.tr("C&heckpoint"), which),
            (self.strength, self.tr("&Strength"), weaker),
            (self.type, self.tr("T&ype of file"), ""),
        )
        for number, (field, name, about) in enumerate(rows):
            named = name_of(field, name)
            field.setAccessibleName(name.replace("&", ""))
            field.setAccessibleDescription(about)
            grid.addWidget(named, number, 0)
            grid.addWidget(field, number, 1)
            grid.addWidget(self._about_type if field is self.type else label(about, role="quiet", wrap=True), number, 2)
        self.box.addLayout(grid)

    def show_outcome(self, found: Outcome, *, working: bool) -> None:
        """Show what can be merged now; choices that are still there stay."""
        self.setVisible(bool(found.trained))
        self.merge.setVisible(bool(found.merges))  # before the first merge the page's main button does it
        self.merge.setEnabled(not working)
        self._parameters = found.parameters
        if found.trained != self._trained:
            before = self.training.currentData()
            self._trained = found.trained
            self.training.blockSignals(True)  # noqa: FBT003 - Qt's own form
            self.training.clear()
            for one in found.trained:
                text = self.tr("{number}: {done} of {total} iterations")
                done, total = f"{one.summary.iteration:,}", f"{one.summary.total:,}"
                self.training.addItem(
                    text.format(number=one.summary.number, done=done, total=total), one.summary.number
                )
            self.training.setCurrentIndex(max(0, self.training.findData(before)))
            self.training.blockSignals(False)  # noqa: FBT003 - Qt's own form
            self._show_checkpoints()
        self._show_type()

    def _show_checkpoints(self) -> None:
        before = self.checkpoint.currentData()
        one = self._chosen()
        self.checkpoint.clear()
        for number in reversed(one.checkpoints if one is not None else ()):
            last = one is not None and number == one.checkpoints[-1]
            text = self.tr("Iteration {number} (the last)") if last else self.tr("Iteration {number}")
            self.checkpoint.addItem(text.format(number=f"{number:,}"), number)
        self.checkpoint.setCurrentIndex(max(0, self.checkpoint.findData(before)))
        self.changed.emit()

    def _show_type(self) -> None:
        name = str(self.type.currentData())
        about = {
            "Q8_0": self.tr("Recommended: keeps what was learned at half the size of F16."),
            "F16": self.tr("As exact as it gets for use. Twice the size of Q8_0."),
            "F32": self.tr("For further work with other tools. Very large."),
            "Q6_K": self.tr("Smaller. Loses hardly anything."),
            "Q5_K_M": self.tr("Smaller still. May lose a little of what was learned."),
            "Q4_K_M": self.tr("The smallest. Weak LoRAs may be lost in it."),
        }[name]
        size = units.size(output_bytes(self._parameters, name))
        set_text(self._about_type, self.tr("About {size}. {about}").format(size=size, about=about))
        self.changed.emit()

    def _chosen(self) -> Trained | None:
        number = self.training.currentData()
        return next((one for one in self._trained if one.summary.number == number), None)

    def training_folder(self) -> RunFolder | None:
        """The run folder of the chosen training."""
        one = self._chosen()
        return one.folder if one is not None else None

    def request(self) -> MergeRequest:
        """What is chosen."""
        iteration = self.checkpoint.currentData()
        return MergeRequest(
            iteration=int(iteration) if iteration is not None else None,
            output_type=str(self.type.currentData()),
            strength=round(self.strength.value(), 2),
        )
