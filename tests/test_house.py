"""The house rules of the design, held against the source: sizes, and who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import loragui

ROOT = Path(loragui.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 300, 40

BASICS = {"errors", "units", "paths", "project", "gguf"}
ROOMS = {
    "machine": BASICS,
    "jobs": BASICS,
    "engine": BASICS | {"jobs"},
    "model": BASICS | {"jobs"},
    "data": BASICS | {"jobs"},
    "settings": BASICS | {"machine", "model", "engine"},
    "training": BASICS | {"machine", "jobs", "engine", "data", "model", "settings"},
    "result": BASICS | {"jobs", "engine", "model", "training"},
    "acts": BASICS | {"machine", "jobs", "engine", "model", "data", "settings", "training", "result"},
}
ROOMS["steps"] = ROOMS["acts"] | {"acts"}
"""Room to the rooms it may import beside itself. Basics import only each other; cli and gui may import all."""


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "loragui":
            yield from (f"loragui.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sizes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    here = room(path)
    if here in {"cli", "gui", "__main__", "__init__"}:
        return
    allowed = ROOMS.get(here, BASICS) | {here, "__version__"}
    for name in imported(path):
        parts = name.split(".")
        assert parts[0] not in {"PySide6", "pyqtgraph"}, name
        if parts[0] == "loragui" and len(parts) > 1:
            assert parts[1] in allowed, f"{here} may not import {name}"


def test_the_runner_stays_small() -> None:
    heavy = "numpy", "regex", "gguf", "huggingface_hub", "PySide6"
    code = f"import sys, loragui.cli.readers; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
