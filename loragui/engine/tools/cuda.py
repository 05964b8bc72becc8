"""NVIDIA's CUDA toolkit, several side by side, each held against the C++ compiler of this PC.

Every toolkit says in ``host_config.h`` which compilers it takes: that limit is read, not remembered.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from loragui.engine.tools import gnu, visual_studio
from loragui.engine.tools.found import Found, first, judged, numbers
from loragui.engine.tools.looking import newest, program_files
from loragui.engine.tools.surroundings import Surroundings

_KEY = r"SOFTWARE\NVIDIA Corporation\GPU Computing Toolkit\CUDA"
_EXTENSIONS = "MSBuild", "Microsoft", "VC", "v170", "BuildCustomizations"
_HEADERS = ("include",), ("targets", "x86_64-linux", "include")
_PASCAL, _TURING = "52;61;70", "75"
"""The cards that are compiled for; newer ones take the last by themselves. The first list is llama.cpp's own (b2321,
CMakeLists.txt). CUDA 13 knows none of it ("Unsupported gpu architecture 'compute_52'", measured with 13.5), only
cards from the GTX 16 and RTX 20 series on."""


@dataclass(frozen=True, kw_only=True)
class Toolkit:
    """One toolkit's folder and version."""

    root: str
    version: str


def find(s: Surroundings, kits: str) -> Found | None:
    """The newest toolkit that will do with the compiler here, one for all cards before others; else why none will."""
    known = toolkits(s)
    if not known:
        return None
    compiler = visual_studio.find(s, kits) if s.windows else gnu.find_gcc(s, kits)
    found = [_judge(s, kit, compiler) for kit in known]
    best = min(found, key=lambda kit: (not kit.good, kit.parts["architectures"] != _PASCAL))
    others = ", ".join(kit.version for kit in known if kit.root != best.path)
    return Found(**{**vars(best), "parts": {**best.parts, "others": others}})


def toolkits(s: Surroundings) -> tuple[Toolkit, ...]:
    """All toolkits that are really there, the newest first."""
    named = [value for name, value in s.variables().items() if name.startswith(("CUDA_PATH", "CUDA_HOME"))]
    keys = [s.registry("HKLM", rf"{_KEY}\{name}").get("InstallDir", "") for name in s.registry_keys("HKLM", _KEY)]
    usual = [
        path for folder in program_files(s, "NVIDIA GPU Computing Toolkit", "CUDA") for path in newest(s, folder, "v")
    ]
    linux = [] if s.windows else newest(s, "/usr/local", "cuda")
    on_path = s.which("nvcc")
    roots = [*named, *keys, *usual, *linux, s.parent(on_path, 2) if on_path else ""]
    plain = (root.strip().strip('"').rstrip("\\/") for root in roots)
    there = {root.lower() if s.windows else root: root for root in plain if root and s.is_file(_nvcc(s, root))}
    found = {kit.version or kit.root: kit for kit in (_toolkit(s, root) for root in reversed(there.values()))}
    return tuple(sorted(found.values(), key=lambda kit: numbers(kit.version), reverse=True))


def _nvcc(s: Surroundings, root: str) -> str:
    return s.join(root, "bin", s.exe("nvcc"))


def _toolkit(s: Surroundings, root: str) -> Toolkit:
    version = (
        version_of_json(s.text(s.join(root, "version.json")))
        or first(r"CUDA Version (\d+(?:\.\d+)+)", s.text(s.join(root, "version.txt")))
        or first(r"^(?:v|cuda-)(\d+(?:\.\d+)+)$", s.name(root).lower())
        or version_of_nvcc(s.said([_nvcc(s, root), "--version"]))
    )
    return Toolkit(root=root, version=version)


def version_of_json(text: str) -> str:
    """Out of a toolkit's ``version.json``; empty for anything else."""
    try:
        return first(r"^(\d+(?:\.\d+)+)$", str(json.loads(text)["cuda"]["version"]))
    except (ValueError, KeyError, TypeError):
        return ""


def version_of_nvcc(text: str) -> str:
    """Out of ``Cuda compilation tools, release 12.4, V12.4.131``."""
    return first(r"release (\d+\.\d+)", text)


def _judge(s: Surroundings, kit: Toolkit, compiler: Found | None) -> Found:
    limits = s.text(s.join(kit.root, "include", "crt", "host_config.h"))
    lacks = ""
    if not any(s.is_file(s.join(kit.root, *folder, "cublas_v2.h")) for folder in _HEADERS):
        lacks = f"CUDA {kit.version} is here without its library cuBLAS. Install CUDA with all its libraries."
    elif compiler is not None and compiler.good:
        lacks = _beside_visual_studio(s, kit, compiler, limits) if s.windows else _beside_gcc(kit, compiler, limits)
    parts = {
        "nvcc": _nvcc(s, kit.root),
        "bin": s.join(kit.root, "bin"),
        "architectures": _TURING if numbers(kit.version) >= (13,) else _PASCAL,
    }
    found = judged("cuda", kit.root, kit.version, parts)
    return judged("cuda", kit.root, kit.version, parts, lacks=lacks) if found.good else found


def _beside_visual_studio(s: Surroundings, kit: Toolkit, studio: Found, limits: str) -> str:
    short = ".".join(kit.version.split(".")[:2])
    have, limit = visual_studio.compiler_number(studio.parts["msvc"]), too_new_msvc(limits)
    if limit and have >= limit:
        return (
            f"CUDA {short} does not take the C++ compiler of this Visual Studio ({studio.parts['msvc']}): it is newer "
            "than that CUDA. Install CUDA 12.9 beside it."
        )
    if not s.is_file(s.join(studio.path, *_EXTENSIONS, f"CUDA {short}.props")):
        return f"CUDA {short} was installed before Visual Studio, which does not know it. Install CUDA once more."
    return ""


def _beside_gcc(kit: Toolkit, gcc: Found, limits: str) -> str:
    have, limit = numbers(gcc.version)[:1], newest_gcc(limits)
    if limit and have > (limit,):
        return (
            f"CUDA {kit.version} takes gcc up to {limit}; here is {gcc.version}. Install gcc {limit} or a newer CUDA."
        )
    return ""


def too_new_msvc(text: str) -> int:
    """The first ``_MSC_VER`` that ``host_config.h`` refuses; 0 when it names none."""
    return int(first(r"_MSC_VER < \d+ \|\| _MSC_VER >= (\d+)", text) or 0)


def newest_gcc(text: str) -> int:
    """The newest gcc that ``host_config.h`` takes; 0 when it names none."""
    return int(first(r"^\s*#\s*if\s+__GNUC__\s*>\s*(\d+)\s*$", text) or 0)
