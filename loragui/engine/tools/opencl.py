"""OpenCL's headers and the library to link with: Khronos' SDK on Windows, Debian's package on Linux."""

from __future__ import annotations

from loragui.engine.tools.found import Found, first, judged
from loragui.engine.tools.looking import below, library, package_file, usual_kits
from loragui.engine.tools.surroundings import Surroundings

_VARIABLES = "OPENCL_SDK_ROOT", "OPENCL_ROOT", "OCL_ROOT", "OPENCL_SDK", "INTELOCLSDKROOT", "AMDAPPSDKROOT", "CUDA_PATH"
_LIBRARIES = ("lib",), ("lib", "x64"), ("lib", "x86_64")


def find(s: Surroundings, kits: str) -> Found | None:
    """The SDK in the workspace, where a variable points, or unpacked in the usual folders; CUDA has one too."""
    if not s.windows:
        return _on_linux(s)
    named = [s.variable(name) for name in _VARIABLES]
    roots = [*below(s, [kits], "opencl-sdk"), *named, *below(s, usual_kits(s), "OpenCL-SDK")]
    found = [_look(s, root) for root in filter(None, roots) if s.is_file(s.join(root, "include", "CL", "cl.h"))]
    return next((kit for kit in found if kit.good), found[0] if found else None)


def _look(s: Surroundings, root: str) -> Found:
    places = (s.join(root, *folder, "OpenCL.lib") for folder in _LIBRARIES)
    linked = next((place for place in places if s.is_file(place)), "")
    lacks = "" if linked else "This OpenCL SDK has headers but no OpenCL.lib for 64-bit Windows."
    parts = {"include": s.join(root, "include"), "library": linked}
    return judged("opencl-sdk", root, version_of_folder(s.name(root)), parts, lacks=lacks)


def version_of_folder(name: str) -> str:
    """Out of ``opencl-sdk-2023.04.17`` or ``OpenCL-SDK-v2023.04.17-Win-x64``."""
    return first(r"opencl-sdk-v?(\d+(?:\.\d+)+)", name.lower())


def _on_linux(s: Surroundings) -> Found | None:
    linked = library(s, "libOpenCL.so")
    header = next((h for h in ("/usr/include/CL/cl.h", "/usr/local/include/CL/cl.h") if s.is_file(h)), "")
    if not linked and not header:
        return None
    lacks = "" if linked and header else "Only a part of OpenCL is installed: its headers and its library are needed."
    version = first(r"^Version: (\d+(?:\.\d+)*)", package_file(s, "OpenCL"))
    parts = {"include": s.parent(header, 2) if header else "", "library": linked}
    return judged("opencl-sdk", linked or header, version, parts, lacks=lacks)
