"""One setting: its name, a control of its kind, its unit, what it means, and a way back to the usual value."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from loragui.gui.theme import GAP, SPACE
from loragui.gui.widgets.basic import button, label, row, set_text
from loragui.gui.widgets.calm import EDITOR_WIDTH, calm
from loragui.settings.parameters import Kind, Parameter, Value, allowed, check, written

PAUSE_MS = 400
"""How long a typed value rests before it counts, so that half a number never does."""
NAME_WIDTH = 190


class SettingField(QWidget):
    """Shows and edits one ``Parameter``. A value out of range is marked, told, and never handed on."""

    edited = Signal(object)
    """(id, value) of a value that is allowed."""

    def __init__(self, parameter: Parameter, mnemonic: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parameter = parameter
        self.value: Value = parameter.default
        self._usual: Value = parameter.default
        self._refused = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self.commit)
        self._given = QCheckBox(parameter.unset[:1].upper() + parameter.unset[1:])
        self.editor = self._make_editor()
        self.editor.setAccessibleName(parameter.label)
        self.editor.setAccessibleDescription(parameter.explanation)
        self.editor.setToolTip(self.tr("It can be {range}.").format(range=allowed(parameter)))
        self._name = QLabel(mnemonic)
        self._name.setFixedWidth(NAME_WIDTH)
        self._name.setWordWrap(True)
        self._name.setContentsMargins(0, 6, 0, 0)
        self._name.setBuddy(self.editor)
        self.wrong = label(role="wrong", wrap=True)
        self.reset = button(self.tr("Reset"), self._reset, name="flat")
        self._build()

    def _build(self) -> None:
        parts: list[QWidget | int] = [self.editor]
        if self.parameter.kind.optional:
            parts.insert(0, self._given)
            self._given.setAccessibleName(self.parameter.label)
            self._given.toggled.connect(self._toggled)
        if self.parameter.unit:
            parts.append(label(self.parameter.unit, role="quiet"))
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addLayout(row(*parts, self.reset, 1, spacing=GAP))
        words.addWidget(self.wrong)
        words.addWidget(label(self.parameter.explanation, role="quiet", wrap=True))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self._name, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(words, 0, 1)
        self.wrong.hide()

    def _make_editor(self) -> QWidget:
        found = self.parameter
        match found.kind:
            case Kind.BOOL:
                box = QCheckBox(self.tr("On"))
                box.toggled.connect(self.commit)
                return box
            case Kind.INT:
                spin = calm(QSpinBox())
                spin.setGroupSeparatorShown(True)
                spin.setRange(int(found.minimum), int(found.maximum))
                spin.setSingleStep(int(found.step))
                spin.valueChanged.connect(lambda _value: self._pause.start())
                spin.editingFinished.connect(self.commit)
                return spin
            case _:
                line = QLineEdit()
                line.setFixedWidth(EDITOR_WIDTH)
                line.textEdited.connect(lambda _text: self._pause.start())
                line.editingFinished.connect(self.commit)
                return line

    def show_value(self, value: Value, usual: Value) -> None:
        """Show ``value``; ``usual`` is what “Reset” goes back to. A value that is just being typed is left alone."""
        self._usual = usual
        self.reset.setVisible(value != usual)
        self.reset.setToolTip(self.tr("Back to {value}").format(value=written(self.parameter, usual)))
        self.reset.setAccessibleName(self.tr("Reset {name}").format(name=self.parameter.label))
        if self._pause.isActive() or (self._refused and value == self.value):
            return  # what is being typed, and what was refused, stays to be corrected
        self.value, self._refused = value, False
        self.wrong.hide()
        for part in (self.editor, self._given):
            part.blockSignals(True)  # noqa: FBT003 - Qt's own form
        match self.editor:
            case QCheckBox() as box:
                box.setChecked(bool(value))
            case QSpinBox() as spin:
                spin.setValue(int(value or 0))
            case QLineEdit() as line:
                self._given.setChecked(value is None)
                line.setEnabled(value is not None or not self.parameter.kind.optional)
                text = "" if value is None else plain(value)
                if line.text() != text:
                    line.setText(text)
            case _:
                pass
        for part in (self.editor, self._given):
            part.blockSignals(False)  # noqa: FBT003 - Qt's own form

    def commit(self) -> None:
        """Hand the typed value on, or say why it cannot be."""
        self._pause.stop()
        try:
            value = self._read()
        except ValueError:
            self._refuse(self.tr("This is not a number. It can be {range}."))
            return
        if check(self.parameter, value) is not None:
            self._refuse(self.tr("It can be {range}."))
            return
        self.wrong.hide()
        self._refused = False
        if value != self.value:
            self.value = value
            self.edited.emit((self.parameter.id, value))

    def _refuse(self, text: str) -> None:
        self._refused = True
        set_text(self.wrong, text.format(range=allowed(self.parameter)))
        self.wrong.show()

    def _read(self) -> Value:
        match self.editor:
            case QCheckBox() as box:
                return box.isChecked()
            case QSpinBox() as spin:
                return spin.value()
            case QLineEdit() as line:
                if self.parameter.kind.optional and self._given.isChecked():
                    return None
                text = line.text().strip().replace(",", ".")
                return int(text) if self.parameter.kind.whole else float(text)
            case _:
                return self.value

    def _toggled(self, given: bool) -> None:  # noqa: FBT001 - Qt's signal
        self.editor.setEnabled(not given)
        if given:
            self.commit()
        elif isinstance(self.editor, QLineEdit):
            first = self.parameter.suggested[0] if self.parameter.suggested else self.parameter.minimum
            self.editor.setText(plain(first))
            self.editor.setFocus()
            self.commit()

    def _reset(self) -> None:
        self._pause.stop()
        self._refused = False
        self.show_value(self.value, self._usual)
        self.edited.emit((self.parameter.id, self._usual))


def plain(value: float) -> str:
    """A number as one types it: ``0.0003``, ``26000``."""
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def with_mnemonics(names: list[str], taken: str = "") -> list[str]:
    """Names with an ``&`` before a letter that no other of them, nor ``taken``, has; none where letters run out."""
    used, found = set(taken.lower()), []
    for name in names:
        at = next((i for i, letter in enumerate(name) if letter.isalpha() and letter.lower() not in used), None)
        if at is None:
            found.append(name)
            continue
        used.add(name[at].lower())
        found.append(f"{name[:at]}&{name[at:]}")
    return found
