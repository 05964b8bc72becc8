#!/usr/bin/env python3
"""Everything a developer does, with one command each. Standard library only.

    python3 packaging/dev.py demo     the whole way once, on this machine
    python3 packaging/dev.py test     the tests (further arguments go to pytest)
    python3 packaging/dev.py check    format, lint, types
    python3 packaging/dev.py bench    the benchmarks, printed as ratios
    python3 packaging/dev.py gui      the window

Makes ``.venv`` beside the project's file and installs what the verb needs; quick when all is there already.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

DEBIAN = {"test": {"g++": "g++", "make": "make"}, "bench": {"g++": "g++", "make": "make"}}
"""Programs that a verb needs beside Python, and the Debian package that brings each."""

EXTRAS = {"demo": (), "gui": (), "test": ("test",), "bench": ("test",), "check": ("test", "check")}


def main(argv: Sequence[str]) -> int:
    """Run one verb; returns its exit code, 2 for wrong use."""
    verb = argv[0] if argv else ""
    if verb not in VERBS:
        print(__doc__)
        return 2
    if sys.version_info < (3, 11):
        print("Python 3.11 or newer is needed.", file=sys.stderr)
        return 2
    need_debian(verb)
    make_venv(EXTRAS[verb])
    try:
        return VERBS[verb](list(argv[1:]))
    except KeyboardInterrupt:
        return 130


def need_debian(verb: str) -> None:
    """Install missing Debian packages as root; otherwise name them and stop."""
    missing = [package for program, package in DEBIAN.get(verb, {}).items() if not shutil.which(program)]
    if importlib.util.find_spec("ensurepip") is None and not PYTHON.exists():
        missing.append("python3-venv")
    if not missing:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if not shutil.which("apt-get") or getattr(os, "geteuid", lambda: 1)() != 0:
        sys.exit(f"Missing: {', '.join(missing)}. Install with: sudo {' '.join(command)}")
    subprocess.run(["apt-get", "update", "--quiet"], check=True)
    subprocess.run(command, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def make_venv(extras: Sequence[str]) -> None:
    """Make ``.venv`` and install the project with its extras, unless that was done for this pyproject.toml."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    stamp = VENV / f"installed{''.join(f'-{extra}' for extra in extras)}"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    if not PYTHON.exists():
        print("Making .venv …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        pip("install", "--upgrade", "pip")
    print("Installing loragui and what it needs …", flush=True)
    pip("install", "--editable", f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT))
    stamp.write_text(wanted)


def pip(*words: str) -> None:
    """Run the environment's pip."""
    subprocess.run([str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", *words], check=True)


def python(*words: str) -> int:
    """Run the environment's Python in the project's folder; its exit code. Ctrl-C is the child's to handle."""
    child = subprocess.Popen([str(PYTHON), *words], cwd=ROOT)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def demo(words: list[str]) -> int:
    """The main job, in a workspace of its own beside the checkout's files."""
    return python("-m", "loragui", "--workspace", str(ROOT / "demo-workspace"), "demo", *words)


def test(words: list[str]) -> int:
    """The tests, real engine included."""
    return python("-m", "pytest", *words)


def check(words: list[str]) -> int:
    """Format, lint and types; the first that fails ends it."""
    return (
        python("-m", "ruff", "format", "--check", *words)
        or python("-m", "ruff", "check", *words)
        or python("-m", "mypy")
    )


def bench(words: list[str]) -> int:
    """Every script of tests/bench, or those named."""
    scripts = sorted((ROOT / "tests" / "bench").glob("bench_*.py"))
    chosen = [script for script in scripts if not words or any(word in script.stem for word in words)]
    return max((python(str(script)) for script in chosen), default=0)


def gui(words: list[str]) -> int:
    """The program as a person starts it."""
    return python("-m", "loragui", *words)


VERBS: dict[str, Callable[[list[str]], int]] = {
    "demo": demo,
    "test": test,
    "check": check,
    "bench": bench,
    "gui": gui,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
