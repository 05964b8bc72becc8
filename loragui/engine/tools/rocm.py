"""AMD's HIP with hipBLAS: the HIP SDK on Windows, ROCm on Linux."""

from __future__ import annotations

from loragui.engine.tools.found import Found, first, judged, numbers
from loragui.engine.tools.looking import newest, program_files
from loragui.engine.tools.surroundings import Surroundings

_NEEDED = (
    (("lib", "cmake", "hipblas", "hipblas-config.cmake"), "hipBLAS"),
    (("lib", "cmake", "hip", "hip-config.cmake"), "HIP"),
)
_VERSION_FILES = (".info", "version"), ("share", "hip", "version"), ("bin", ".hipVersion")


def find(s: Surroundings, _kits: str) -> Found | None:
    """The newest ROCm whose compiler is there; a good one goes before others."""
    named = [value for name, value in s.variables().items() if name.startswith(("HIP_PATH", "ROCM_PATH"))]
    usual = [path for folder in program_files(s, "AMD", "ROCm") for path in newest(s, folder, "")]
    linux = [] if s.windows else newest(s, "/opt", "rocm")
    roots = dict.fromkeys(root.strip().strip('"').rstrip("\\/") for root in (*named, *usual, *linux))
    found = [_look(s, root) for root in roots if root and compiler(s, root)]
    found.sort(key=lambda one: (one.good, numbers(one.version)), reverse=True)
    return found[0] if found else None


def compiler(s: Surroundings, root: str) -> str:
    """ROCm's clang; empty when it is not there."""
    places = [("bin",), ("llvm", "bin"), ("lib", "llvm", "bin")]
    return next((path for place in places if s.is_file(path := s.join(root, *place, s.exe("clang++")))), "")


def _look(s: Surroundings, root: str) -> Found:
    missing = [name for place, name in _NEEDED if not s.is_file(s.join(root, *place))]
    lacks = f"ROCm is here, but without {' and '.join(missing)}." if missing else ""
    texts = (s.text(s.join(root, *place)) for place in _VERSION_FILES)
    version = next(filter(None, map(version_of_file, texts)), "") or first(r"(\d+(?:\.\d+)+)$", s.name(root))
    return judged("rocm", root, version, {"compiler": compiler(s, root), "bin": s.join(root, "bin")}, lacks=lacks)


def version_of_file(text: str) -> str:
    """Out of ``5.7.1-98`` or the lines ``HIP_VERSION_MAJOR=5``, ``HIP_VERSION_MINOR=7``."""
    major, minor = first(r"^HIP_VERSION_MAJOR=(\d+)", text), first(r"^HIP_VERSION_MINOR=(\d+)", text)
    return f"{major}.{minor}" if major and minor else first(r"^(\d+(?:\.\d+)+)", text)
