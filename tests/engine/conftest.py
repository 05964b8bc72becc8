"""Engines of small real programs, and the captures of the real one."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loragui.engine import installed
from loragui.engine.installed import Engine

LOGS = Path(__file__).parent / "logs"
REVISIONS = ("b2896", "b2321", "b1298")
"""The pins of which there are captures, the newest first."""
_FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One capture, and what has to be found in it (``code``; empty: nothing)."""

    name: str
    program: str
    returncode: int
    code: str
    args: dict[str, object] = field(default_factory=dict)
    logs: Path = LOGS / REVISIONS[0]

    @property
    def stdout(self) -> bytes:
        return (self.logs / f"{self.name}.stdout").read_bytes()

    @property
    def stderr(self) -> bytes:
        return (self.logs / f"{self.name}.stderr").read_bytes()


def cases(revision: str = REVISIONS[0]) -> list[Case]:
    """All captures of a revision, without those of ``--help``."""
    rows = json.loads((LOGS / revision / "cases.json").read_text())
    return [Case(name=name, logs=LOGS / revision, **row) for name, row in rows.items() if not name.startswith("help-")]


def flags(program: str, revision: str = REVISIONS[0]) -> tuple[str, ...]:
    """The flags that the help of the revision's program names, as an installed engine keeps them."""
    files = (LOGS / revision / f"help-{program}.{stream}" for stream in ("stdout", "stderr"))
    return tuple(sorted({flag for file in files for flag in _FLAG.findall(file.read_text())}))


def program(path: Path, text: str) -> Path:
    """A small real program: Python ``text`` that starts by itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable} -I\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def engine_in() -> Callable[..., Engine]:
    """Makes an installed engine of small programs in a folder."""

    def make(folder: Path, **changes: object) -> Engine:
        names = ("finetune", "export-lora", "main", "quantize")
        for name in names:
            program(folder / name, "print('--help')")
        values: dict[str, object] = {
            "name": folder.name,
            "folder": folder,
            "pin": "b2896",
            "commit": "13ad16af",
            "recipe": "wheels",
            "built": "2026-11-25T08:00:00+00:00",
            "size": 123,
            "programs": {name: name for name in names},
            "flags": {name: flags(name) for name in names},
            "environment": {"OPENBLAS_NUM_THREADS": "1"},
            **changes,
        }
        engine = Engine(**values)  # type: ignore[arg-type]
        installed.save(engine)
        return engine

    return make
