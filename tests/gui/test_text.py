"""Every text that a person reads goes through a translation function, and is put together after it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import loragui.gui

ROOT = Path(loragui.gui.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
SHOWING = {
    "QLabel", "QPushButton", "QCheckBox", "QRadioButton", "label", "button", "name_of", "heading", "Card", "Details",
    "Badge", "Choice", "Act", "Problem", "Entry", "ask", "setText", "set_text", "set_title", "setToolTip", "setTitle",
    "setAccessibleName", "setAccessibleDescription", "setWindowTitle", "setPlaceholderText", "addAction", "addItem",
    "show_word", "say", "AppError", "getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory",
}  # fmt: skip
SILENT = {"role", "level", "name", "code", "id", "state"}
"""Keywords of these calls that nobody reads."""
PLAIN = {"…", " ", "", "loragui", "loss.png", "loss.csv", "findings.csv"}
"""Names and signs, which are the same in every language."""


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def untranslated(tree: ast.AST) -> Iterator[str]:
    """Literal texts that are handed straight to something that shows them."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or name_of(node) not in SHOWING:
            continue
        shown = node.args[:1] if name_of(node) in {"addItem", "Badge", "show_word"} else node.args
        given = [*shown, *(word.value for word in node.keywords if word.arg not in SILENT)]
        for value in given:
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value not in PLAIN:
                yield f"{node.lineno}: {name_of(node)}({value.value!r})"
            if isinstance(value, ast.JoinedStr):
                words = [part.value for part in value.values if isinstance(part, ast.Constant)]
                if any(letter.isalpha() for letter in "".join(map(str, words))):
                    yield f"{node.lineno}: {name_of(node)}(f-string)"


def put_together_too_early(tree: ast.AST) -> Iterator[str]:
    """Texts that are no plain literal when they are translated: no translator would ever see them."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or name_of(node) not in {"tr", "translate"}:
            continue
        if not all(isinstance(word, ast.Constant) and isinstance(word.value, str) for word in node.args):
            yield f"{node.lineno}: {name_of(node)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_texts_are_translated(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [*untranslated(tree), *put_together_too_early(tree)] == []


@pytest.mark.parametrize(
    "text",
    [
        "QLabel('Hello')", "label(f'{n} files')", "x.setToolTip('Press')", "Choice(id='a', text='Go')",
        "self.tr(f'{n} files')", "translate('A', text)", "self.tr('{n}'.format(n=1))",
    ],
)  # fmt: skip
def test_a_breach_is_found(text: str) -> None:
    tree = ast.parse(text)
    assert [*untranslated(tree), *put_together_too_early(tree)]


@pytest.mark.parametrize(
    "text", ["label(self.tr('Hello'))", "Choice(id='a', text=self.tr('Go'))", "badge('', level='x')"]
)
def test_what_is_right_passes(text: str) -> None:
    tree = ast.parse(text)
    assert [*untranslated(tree), *put_together_too_early(tree)] == []
