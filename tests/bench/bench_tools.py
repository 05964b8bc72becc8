"""How long a look at all tools takes on this PC, with each finder alone for comparison.

python tests/bench/bench_tools.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from loragui.engine import tools
from loragui.engine.tools import FINDERS, facts
from loragui.engine.tools.surroundings import Pc
from loragui.paths import Workspace

ROUNDS = 7


def seconds(workspace: Workspace) -> float:
    began = time.perf_counter()
    tools.survey(workspace)
    return time.perf_counter() - began


def main() -> None:
    workspace = Workspace(Path(tempfile.gettempdir()) / "loragui-bench-tools")
    first, *others = (seconds(workspace) for _ in range(ROUNDS))
    middle = statistics.median(others)
    print(
        f"all at once: first {first * 1000:.0f} ms, then {middle * 1000:.0f} ms (limit {tools.SECONDS * 1000:.0f} ms)"
    )
    alone = {}
    for tool in facts.tools():
        began = time.perf_counter()
        FINDERS[tool.id](Pc(), str(workspace.tools))
        alone[tool.id] = time.perf_counter() - began
    print(f"one by one:  {sum(alone.values()) * 1000:.0f} ms, {sum(alone.values()) / middle:.1f} times as long")
    for name, took in sorted(alone.items(), key=lambda item: -item[1]):
        print(f"  {name:14} {took * 1000:6.1f} ms")


if __name__ == "__main__":
    main()
