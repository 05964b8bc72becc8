"""The Vulkan loader. It comes with the graphics driver; the modern engine does not start without it on Windows."""

from __future__ import annotations

from loragui.engine.tools.found import Found, first, judged
from loragui.engine.tools.looking import libraries, library
from loragui.engine.tools.surroundings import Surroundings

_RUNTIME = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"


def find(s: Surroundings, _kits: str) -> Found | None:
    """``vulkan-1.dll`` in Windows' folder, ``libvulkan.so.1`` on Linux."""
    if s.windows:
        path = s.join(s.variable("SYSTEMROOT") or r"C:\Windows", "System32", "vulkan-1.dll")
        known = [name for name in s.registry_keys("HKLM", _RUNTIME) if name.startswith("VulkanRT")]
        return judged("vulkan", path, version_of_name(max(known, default=""))) if s.is_file(path) else None
    path = library(s, "libvulkan.so.1")
    names = [name for folder in libraries(s) for name in s.names(folder) if name.startswith("libvulkan.so.")]
    return judged("vulkan", path, version_of_name(max(names, key=len, default=""))) if path else None


def version_of_name(name: str) -> str:
    """Out of ``libvulkan.so.1.3.239`` or ``VulkanRT1.3.268.0``."""
    return first(r"(\d+(?:\.\d+)+)$", name)
