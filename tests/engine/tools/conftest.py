"""CMake of our packages, which unpacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from loragui.engine import toolbox
from loragui.jobs.plan import Plan
from loragui.paths import Workspace
from tests.conftest import carried_out


@pytest.fixture(scope="session")
def cmake(shared_workspace: Workspace) -> Path:
    """The program; fetched by our own plan when no build has brought it yet."""
    program, steps = toolbox.unpacker(shared_workspace)
    if steps:
        carried_out(shared_workspace, "unpacker", Plan(kind="tool-install", title="Getting the unpacker", steps=steps))
    return program
