"""A run folder whose steps are small real Python programs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan, Step

FolderOf = Callable[..., RunFolder]


@pytest.fixture
def folder_of(tmp_path: Path) -> FolderOf:
    """Makes a run folder from program texts; step ids are s0, s1, …"""

    def make(*programs: str, reader: str = "plain") -> RunFolder:
        folder = RunFolder(tmp_path / "run")
        steps = tuple(
            Step(
                id=f"s{index}",
                title=f"Program {index}",
                command=Command(argv=(sys.executable, "-c", program), reader=reader),
            )
            for index, program in enumerate(programs)
        )
        folder.save_plan(Plan(kind="test", title="Test", steps=steps))
        return folder

    return make
