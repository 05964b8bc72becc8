"""Base model and merged model side by side: the same prompt, the two answers, and earlier ones."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QComboBox, QPlainTextEdit, QSpinBox, QVBoxLayout, QWidget

from loragui.gui.theme import GAP, SPACE
from loragui.gui.widgets.basic import SELECTABLE, Card, button, clear, label, name_of, row
from loragui.gui.widgets.calm import calm
from loragui.outcome import Answer, Outcome

PROMPT_LINES = 7


class ResultCompare(Card):
    """A prompt, “Ask both”, and the answers. ``asked`` comes with (prompt, tokens)."""

    asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("Compare base and result"))
        self._answers: tuple[Answer, ...] = ()
        self.prompt = QPlainTextEdit()
        self.prompt.setTabChangesFocus(True)
        self.prompt.setFixedHeight(QFontMetrics(self.prompt.font()).lineSpacing() * PROMPT_LINES + 2 * GAP)
        self.prompt.setAccessibleName(self.tr("Prompt"))
        self.tokens = calm(QSpinBox())
        self.tokens.setRange(8, 2048)
        self.tokens.setSingleStep(16)
        self.tokens.setAccessibleName(self.tr("Longest answer in tokens"))
        self.ask = button(self.tr("&Ask both"), self._ask)
        self.earlier = QComboBox()
        self.earlier.setAccessibleName(self.tr("Earlier prompts"))
        self.earlier.setMinimumWidth(240)
        self.earlier.currentIndexChanged.connect(self._show_answer)
        self._earlier_name = name_of(self.earlier, self.tr("Ans&wers to"))
        self._answer = QVBoxLayout()
        self._answer.setSpacing(GAP)
        about = self.tr("Both go on from the very same text. Write it as your samples are written, up to the reply.")
        self.box.addWidget(name_of(self.prompt, self.tr("&Prompt")))
        self.box.addWidget(self.prompt)
        self.box.addWidget(label(about, role="quiet", wrap=True))
        longest = name_of(self.tokens, self.tr("&Longest answer"))
        self.box.addLayout(row(self.ask, longest, self.tokens, label(self.tr("tokens"), role="quiet"), 1))
        self.box.addLayout(row(self._earlier_name, self.earlier, 1))
        self.box.addLayout(self._answer)
        self._filled = False
        self.hide()

    def show_outcome(self, found: Outcome, *, working: bool) -> None:
        """Show prompt and answers; what the person is writing stays."""
        self.setVisible(bool(found.merges))
        self.ask.setEnabled(not working)
        if not self._filled and found.merges:
            self._filled = True
            self.prompt.setPlainText(found.answers[0].prompt if found.answers else found.prompt)
            self.tokens.setValue(found.tokens)
        if found.answers != self._answers:
            self._answers = found.answers
            self.earlier.blockSignals(True)  # noqa: FBT003 - Qt's own form
            self.earlier.clear()
            for one in found.answers:
                self.earlier.addItem(_short(one.prompt))
            self.earlier.blockSignals(False)  # noqa: FBT003 - Qt's own form
            self._show_answer()
        for part in (self._earlier_name, self.earlier):
            part.setVisible(bool(self._answers))

    def request(self) -> tuple[str, int]:
        """The prompt and the longest answer in tokens."""
        return self.prompt.toPlainText(), self.tokens.value()

    def _ask(self) -> None:
        self.asked.emit(self.request())

    def _show_answer(self) -> None:
        clear(self._answer)
        at = self.earlier.currentIndex()
        if not 0 <= at < len(self._answers):
            return
        found = self._answers[at]
        shown = [name for name in ("base", "lora", "merged") if name in found.texts]
        columns = row(*(self._column(name, found) for name in shown), spacing=SPACE)
        for number in range(len(shown)):
            columns.setStretch(number, 1)
        self._answer.addLayout(columns)
        if {"base", "merged"} <= set(found.likeness) and any(found.likeness.values()):
            text = self.tr(
                "Of every three words in a row, {base} of the base model's and {merged} of your model's stand in your "
                "texts. The more yours has over the base, the more it learned."
            )
            base, merged = found.likeness["base"], found.likeness["merged"]
            self._answer.addWidget(
                label(text.format(base=f"{base:.0%}", merged=f"{merged:.0%}"), role="quiet", wrap=True)
            )

    def _column(self, name: str, found: Answer) -> QWidget:
        titles = {
            "base": self.tr("Base model"), "lora": self.tr("Base model with the LoRA"), "merged": self.tr("Your model"),
        }  # fmt: skip
        made = Card(titles[name])
        text = label(found.texts[name] or self.tr("(nothing)"), wrap=True)
        text.setTextInteractionFlags(SELECTABLE)
        text.setAccessibleName(titles[name])
        made.box.addWidget(text)
        made.box.addStretch(1)
        return made


def _short(prompt: str, most: int = 60) -> str:
    """The end of a prompt, where it differs from others."""
    plain = " ".join(prompt.split())
    return plain if len(plain) <= most else f"…{plain[-most:]}"
