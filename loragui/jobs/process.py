"""Programs as process trees: started hidden, marked so that they can be found again, ended with all their children.

Every program of a run carries ``LORAGUI_RUN`` in its environment. That finds orphans even when the program between
them and us has died (a compiler whose build tool was killed), which walking parents cannot.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

MARK = "LORAGUI_RUN"
GRACE = 3.0
"""Seconds between asking a process to end and killing it."""

OWN_PATH = "{PATH}"
"""In a PATH that is laid over ours: what stood there before."""
HIDDEN = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""Creation flag for programs without a console window; nothing outside Windows."""


def no_error_boxes() -> None:
    """From now on, no program that is started here stops in a window of Windows ("… .dll was not found") that waits
    for a click; it ends with its exit code instead.
    """
    if sys.platform == "win32":
        import ctypes

        # SEM_FAILCRITICALERRORS and SEM_NOGPFAULTERRORBOX, learn.microsoft.com (errhandlingapi); children inherit it.
        ctypes.windll.kernel32.SetErrorMode(ctypes.windll.kernel32.GetErrorMode() | 0x0001 | 0x0002)


def overlaid(changes: Mapping[str, str | None]) -> dict[str, str]:
    """Our own environment with ``changes`` laid over it; None removes a variable, ``OWN_PATH`` is our PATH."""
    laid = {key: value for key, value in {**os.environ, **changes}.items() if value is not None}
    return {**laid, **({"PATH": laid["PATH"].replace(OWN_PATH, os.environ.get("PATH", ""))} if "PATH" in laid else {})}


def environment(changes: Mapping[str, str | None], run_id: str) -> dict[str, str]:
    """``overlaid`` with the run's mark."""
    return {**overlaid(changes), MARK: run_id}


def start(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a program with both outputs on pipes and nothing on its input, without a console window."""
    return subprocess.Popen(
        list(argv), cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, creationflags=HIDDEN,
    )  # fmt: skip


def start_detached(argv: Sequence[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a program that outlives this one and its terminal."""
    if os.name == "nt":
        flags = HIDDEN | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        return subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, stdout=output, stderr=output, creationflags=flags)
    return subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)


def is_alive(pid: int, create_time: float) -> bool:
    """Whether the process with this pid is the one that started then (pids are given anew)."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - create_time) < 5 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def marked(run_id: str) -> list[psutil.Process]:
    """The living processes of a run, other than this one."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == run_id:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def descendants(pid: int) -> list[psutil.Process]:
    """The process and all below it, youngest generation last; empty when it is gone."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def end(processes: Iterable[psutil.Process], grace: float = GRACE) -> None:
    """Ask all to end, wait up to ``grace`` seconds, then kill what is left."""
    targets = list(processes)
    for process in targets:
        _quietly(process.terminate)
    _, alive = psutil.wait_procs(targets, timeout=grace)
    for process in alive:
        _quietly(process.kill)
    psutil.wait_procs(alive, timeout=1)


def end_run(run_id: str, grace: float = GRACE) -> None:
    """End every process of a run. Sweeps again for children born meanwhile."""
    for _ in range(5):
        processes = marked(run_id)
        if not processes:
            break
        end(processes, grace)
        grace = 0.5


def memory(pid: int) -> int:
    """Resident bytes of a process and all below it."""
    total = 0
    for process in descendants(pid):
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def _quietly(act: Callable[[], object]) -> None:
    with suppress(psutil.Error):
        act()
