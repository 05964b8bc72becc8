#!/usr/bin/env python3
"""Everything a developer does, with one command each. Standard library only.

    python3 packaging/dev.py demo     the whole way once, on this machine
    python3 packaging/dev.py test     the tests (further arguments go to pytest)
    python3 packaging/dev.py check    format, lint, types
    python3 packaging/dev.py bench    the benchmarks, printed as ratios
    python3 packaging/dev.py gui      the window
    python3 packaging/dev.py shots    pictures of every page, into shots/ (makes the demo first when it is not there)

Makes ``.venv`` beside the project's file and installs what the verb needs; quick when all is there already.
"""

from __future__ import annotations

import ctypes
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

QT = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
}
XCB = {
    "Xvfb": "xvfb",
    "openbox": "openbox",
    "xdotool": "xdotool",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
COMPILER = {"g++": "g++", "make": "make"}
RECIPES = {
    "git": "git",
    "pkg-config": "pkg-config",
    "/usr/lib/x86_64-linux-gnu/pkgconfig/openblas.pc": "libopenblas-dev",
    "/usr/include/clblast.h": "libclblast-dev",
    "/usr/include/CL/cl.h": "ocl-icd-opencl-dev",
    "/etc/OpenCL/vendors/pocl.icd": "pocl-opencl-icd",
    "wine": "wine wine64",
}
DEBIAN = {"test": COMPILER | RECIPES | QT | XCB, "bench": COMPILER | QT, "gui": QT, "shots": QT}
"""Programs and libraries that a verb needs beside Python, and the Debian package that brings each."""

EXTRAS = {"demo": (), "gui": (), "shots": (), "test": ("test",), "bench": ("test",), "check": ("test", "check")}


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
    wanted = DEBIAN.get(verb, {}) if on_linux() else {}
    missing = [package for name, packages in wanted.items() if not is_there(name) for package in packages.split()]
    if importlib.util.find_spec("ensurepip") is None and not PYTHON.exists():
        missing.append("python3-venv")
    if not missing:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if not shutil.which("apt-get") or getattr(os, "geteuid", lambda: 1)() != 0:
        sys.exit(f"Missing: {', '.join(missing)}. Install with: sudo {' '.join(command)}")
    subprocess.run(["apt-get", "update", "--quiet"], check=True)
    subprocess.run(command, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def on_linux() -> bool:
    """Whether Debian packages can help at all."""
    return sys.platform == "linux"


def is_there(name: str) -> bool:
    """Whether a program, a file (an absolute path), or a shared library (``lib….so.N``), can be found."""
    if name.startswith("/"):
        return Path(name).exists()
    if ".so." not in name:
        return shutil.which(name) is not None
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


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


def shots(words: list[str]) -> int:
    """Pictures of every page of the demo's project."""
    if not (ROOT / "demo-workspace" / "projects" / "demo" / "project.json").exists() and demo([]):
        return 1
    return python("packaging/shots.py", *words)


VERBS: dict[str, Callable[[list[str]], int]] = {
    "demo": demo,
    "test": test,
    "check": check,
    "bench": bench,
    "gui": gui,
    "shots": shots,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
