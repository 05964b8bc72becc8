"""The house rules of the design, held against the source: sizes, and who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest

import loragui

ROOT = Path(loragui.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 300, 40

BASICS = {"errors", "units", "paths", "project", "gguf", "machine"}
DOMAIN = {"jobs", "engine", "model", "data", "settings", "training", "result"}
ROOMS = {
    "jobs": set(),
    "engine": {"jobs"},
    "model": {"jobs"},
    "data": {"jobs"},
    "settings": {"model", "engine"},
    "training": {"jobs", "engine", "data", "model", "settings"},
    "result": {"jobs", "engine", "model", "training"},
    "acquire": DOMAIN,
    "acts": DOMAIN,
    "steps": DOMAIN | {"acts"},
    "overview": DOMAIN | {"acts", "steps"},
    "demo": DOMAIN | {"steps"},
    "outcome": DOMAIN | {"acts", "demo"},
    "offers": DOMAIN | {"acquire", "acts"},
    "workshop": DOMAIN | {"acquire", "overview"},
    "cli": DOMAIN | {"workshop"} | {"acquire", "acts", "demo", "offers", "outcome", "overview", "steps"},
    "gui": DOMAIN | {"workshop"} | {"acquire", "acts", "demo", "offers", "outcome", "overview", "steps"},
    "__main__": {"cli", "gui"},
    "__init__": set(),
}
"""Room to the rooms it may import beside itself and the basics. Basics import only each other."""


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module or name that is imported anywhere in the file, dotted from its top."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def wrong_sizes(text: str) -> list[str]:
    """What is longer than the house allows."""
    found = [f"{text.count(chr(10))} lines"] if text.count("\n") > LONGEST_FILE else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if (node.end_lineno or 0) - first + 1 > LONGEST_FUNCTION:
                found.append(node.name)
    return found


def wrong_imports(place: PurePath, text: str) -> list[str]:
    """What the file at ``place`` (relative to the package) may not import."""
    room = place.parts[0].removesuffix(".py")
    tree = ast.parse(text)
    at_import = set(imports(ast.Module(body=tree.body, type_ignores=[]))) - set(_inside_functions(tree))
    return [name for name in imports(tree) if not _allowed(room, place, name, at_import=name in at_import)]


def _inside_functions(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports(node)


def _allowed(room: str, place: PurePath, name: str, *, at_import: bool) -> bool:
    top, *rest = name.split(".")
    match top:
        case "":
            return False  # relative imports hide the room
        case "PySide6":
            return room == "gui"
        case "pyqtgraph":
            return place.parts[:2] == ("gui", "plot")
        case "huggingface_hub":
            return place.parts == ("model", "hub.py") and not at_import
        case "loragui":
            return _allowed_room(room, place, rest)
        case _:
            return True


def _allowed_room(room: str, place: PurePath, rest: list[str]) -> bool:
    """``loragui`` itself holds nothing but its version."""
    if rest[0] == "__version__":
        return True
    if place.parts[:2] == ("gui", "pages") and rest[:2] == ["gui", "pages"]:
        return False
    return rest[0] in {room} | BASICS | ROOMS.get(room, set())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sizes(path: Path) -> None:
    assert wrong_sizes(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    assert wrong_imports(path.relative_to(ROOT), path.read_text(encoding="utf-8")) == []


def test_every_room_has_its_rule() -> None:
    rooms = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in FILES}
    assert rooms <= BASICS | set(ROOMS)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("jobs/runner.py", "from loragui.engine import classic"),
        ("jobs/runner.py", "from loragui import engine"),
        ("jobs/runner.py", "def f():\n    import loragui.training.start"),
        ("paths.py", "from loragui.jobs import plan"),
        ("gguf/read.py", "from loragui.model.inspect import inspect"),
        ("engine/build.py", "from loragui.model import fetch"),
        ("data/job.py", "from ..training import start"),
        ("settings/fit.py", "from loragui.training import start"),
        ("training/start.py", "from loragui.result import merge"),
        ("result/merge.py", "from loragui import acts"),
        ("acts.py", "from loragui.steps import Step"),
        ("steps.py", "from loragui.cli.console import Console"),
        ("cli/demo.py", "from loragui.gui import app"),
        ("gui/window.py", "from loragui.cli import main"),
        ("cli/demo.py", "from PySide6.QtCore import QObject"),
        ("__main__.py", "import PySide6"),
        ("gui/window.py", "import pyqtgraph"),
        ("model/hub.py", "import huggingface_hub"),
        ("model/fetch.py", "def f():\n    import huggingface_hub"),
        ("gui/pages/data.py", "from loragui.gui.pages.model import ModelPage"),
        ("gui/pages/data.py", "from loragui.gui.pages import model"),
    ],
)
def test_a_breach_is_found(place: str, text: str) -> None:
    assert wrong_imports(PurePath(place), text)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("cli/demo.py", "from loragui import acts, steps, __version__"),
        ("gui/plot/loss.py", "import pyqtgraph"),
        ("gui/window.py", "from loragui.gui.pages.data import DataPage"),
        ("model/hub.py", "def f():\n    import huggingface_hub"),
        ("engine/build.py", "from loragui.jobs.plan import Plan\nimport json"),
    ],
)
def test_what_is_allowed_passes(place: str, text: str) -> None:
    assert wrong_imports(PurePath(place), text) == []


def test_long_files_and_functions_are_found() -> None:
    body = "    pass\n" * 39
    assert wrong_sizes(f"def f():\n{body}") == []
    assert wrong_sizes(f"@g\ndef f():\n{body}") == ["f"]
    assert wrong_sizes("x = 1\n" * 301) == ["301 lines"]


def test_the_runner_stays_small() -> None:
    heavy = "numpy", "regex", "gguf", "huggingface_hub", "PySide6"
    code = f"import sys, loragui.cli.readers; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
