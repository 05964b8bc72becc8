"""Visual Studio 2022 or its Build Tools, with the C++ workload.

Microsoft's vswhere knows every installation. The compiler need not be on PATH: CMake's generator finds it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from loragui.engine.tools.found import Found, first, judged, numbers
from loragui.engine.tools.looking import EDITIONS
from loragui.engine.tools.surroundings import Surroundings

GENERATOR = "Visual Studio 17 2022"
_DEFAULT = "VC", "Auxiliary", "Build", "Microsoft.VCToolsVersion.default.txt"
_KITS = (
    r"SOFTWARE\Microsoft\Windows Kits\Installed Roots",
    r"SOFTWARE\WOW6432Node\Microsoft\Windows Kits\Installed Roots",
)


def find(s: Surroundings, _kits: str) -> Found | None:
    """The installation that can build, else any of 2022, else an older or newer one with the reason."""
    found = [_look(s, *place) for place in _installed(s)]
    found.sort(key=lambda one: (one.good, numbers(one.version)[:1] == (17,), numbers(one.version)), reverse=True)
    return found[0] if found else None


def vswhere_argv(path: str) -> tuple[str, ...]:
    """All installations, Build Tools and previews too, as JSON."""
    return (path, "-products", "*", "-all", "-prerelease", "-format", "json", "-utf8", "-nologo")


def _installed(s: Surroundings) -> tuple[tuple[str, str], ...]:
    """Folder and version of each: from vswhere, else from the usual folders."""
    roots = [s.variable("PROGRAMFILES(X86)") or r"C:\Program Files (x86)", s.variable("PROGRAMFILES")]
    roots = [s.join(root, "Microsoft Visual Studio") for root in roots if root]
    vswhere = s.join(roots[0], "Installer", "vswhere.exe")
    known = instances(s.said(vswhere_argv(vswhere))) if s.is_file(vswhere) else ()
    usual = ((s.join(root, "2022", edition), "17") for root in roots for edition in EDITIONS)
    there = [(folder, version) for folder, version in (*known, *usual) if s.names(folder)]
    return tuple({folder.lower(): (folder, version) for folder, version in reversed(there)}.values())


def instances(text: str) -> tuple[tuple[str, str], ...]:
    """Folder and version of each installation out of vswhere's JSON; empty for anything else."""
    try:
        rows: Any = json.loads(text)
    except ValueError:
        return ()
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return tuple((_text(row, "installationPath"), _text(row, "installationVersion")) for row in rows)


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name, "")
    return value if isinstance(value, str) else ""


def _look(s: Surroundings, folder: str, version: str) -> Found:
    default = first(r"(\d+(?:\.\d+)+)", s.text(s.join(folder, *_DEFAULT)))
    tools = s.join(folder, "VC", "Tools", "MSVC", default or "-")
    compiler = s.join(tools, "bin", "Hostx64", "x64", "cl.exe")
    sdk = windows_sdk(s)
    lacks = ""
    if numbers(version)[:1] != (17,):
        lacks = f"This is Visual Studio version {version}; the builds here are made for Visual Studio 2022."
    elif not default or not s.is_file(compiler):
        lacks = "Visual Studio is here, but without its part “Desktop development with C++”."
    elif not sdk:
        lacks = "Visual Studio is here, but without a Windows SDK; it belongs to “Desktop development with C++”."
    parts = {"generator": GENERATOR, "msvc": default, "compiler": compiler, "sdk": sdk}
    return judged("visual-studio", folder, version, parts, lacks=lacks)


def windows_sdk(s: Surroundings) -> str:
    """The newest Windows SDK that has headers, such as ``10.0.22621.0``; empty without one."""
    roots = [s.registry("HKLM", key).get("KitsRoot10", "") for key in _KITS]
    roots.append(s.join(s.variable("PROGRAMFILES(X86)") or r"C:\Program Files (x86)", "Windows Kits", "10"))
    versions = [
        name
        for root in filter(None, roots)
        for name in s.names(s.join(root, "Include"))
        if s.is_file(s.join(root, "Include", name, "um", "windows.h"))
    ]
    return max(versions, key=numbers, default="")


def compiler_number(msvc: str) -> int:
    """``_MSC_VER`` of a toolset: 1940 for 14.40.33807; 0 when unknown."""
    parts = numbers(msvc)
    return 500 + parts[0] * 100 + parts[1] if len(parts) > 1 else 0
