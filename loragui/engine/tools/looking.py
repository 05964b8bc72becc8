"""What several finders do alike: a program on PATH or in usual folders, a kit in the workspace, a library on Linux."""

from __future__ import annotations

from collections.abc import Iterable

from loragui.engine.tools.found import numbers
from loragui.engine.tools.surroundings import Surroundings

EDITIONS = "Community", "Professional", "Enterprise", "BuildTools"
"""Of Visual Studio, as its folders are named."""


def program(s: Surroundings, names: Iterable[str], folders: Iterable[str] = ()) -> str:
    """The first program of those names on PATH, else in ``folders``; empty when there is none."""
    known = tuple(names)
    places = (s.join(folder, s.exe(name)) for folder in folders if folder for name in known)
    on_path = next(filter(None, map(s.which, known)), "")
    return on_path or next((place for place in places if s.is_file(place)), "")


def program_files(s: Surroundings, *parts: str) -> tuple[str, ...]:
    """A folder below each of Windows' program folders, the person's own among them."""
    if not s.windows:
        return ()
    own = s.variable("LOCALAPPDATA")
    roots = [s.variable(name) for name in ("PROGRAMFILES", "PROGRAMW6432", "PROGRAMFILES(X86)")]
    roots.append(s.join(own, "Programs") if own else "")
    return tuple(s.join(root, *parts) for root in dict.fromkeys(roots) if root)


def of_visual_studio(s: Surroundings, *parts: str) -> tuple[str, ...]:
    """Folders of the tools that Visual Studio 2022 brings along for CMake."""
    inside = "Common7", "IDE", "CommonExtensions", "Microsoft", "CMake"
    editions = (program_files(s, "Microsoft Visual Studio", "2022", name, *inside, *parts) for name in EDITIONS)
    return tuple(folder for folders in editions for folder in folders)


def newest(s: Surroundings, folder: str, start: str) -> tuple[str, ...]:
    """The paths in ``folder`` whose names begin so (in any case), the highest version first."""
    names = [name for name in s.names(folder) if name.lower().startswith(start.lower())]
    names.sort(key=lambda name: numbers(name[len(start) :]), reverse=True)
    return tuple(s.join(folder, name) for name in names)


def below(s: Surroundings, parents: Iterable[str], start: str) -> tuple[str, ...]:
    """The folders whose names begin so in each of ``parents``, and one folder deeper (an archive unpacked twice)."""
    found = [path for parent in parents if parent for path in newest(s, parent, start)]
    deeper = [inner for path in found for inner in newest(s, path, start)]
    return tuple(dict.fromkeys([*found, *deeper]))


def usual_kits(s: Surroundings) -> tuple[str, ...]:
    """Where people unpack kits on Windows; ``lora`` is the guide's folder."""
    if not s.windows:
        return ()
    drive = (s.variable("SYSTEMDRIVE") or "C:") + "\\"
    home = s.variable("USERPROFILE")
    return (drive, s.join(drive, "lora"), s.join(drive, "tools"), home, s.join(home, "Downloads") if home else "")


def libraries(s: Surroundings) -> tuple[str, ...]:
    """Linux' library folders, Debian's for this machine first."""
    if s.windows:
        return ()
    debian = [s.join("/usr/lib", name) for name in s.names("/usr/lib") if name.endswith("-linux-gnu")]
    return (*debian, "/usr/lib64", "/usr/lib", "/usr/local/lib64", "/usr/local/lib")


def library(s: Surroundings, file: str) -> str:
    """A library's file on Linux; empty when it is not installed."""
    return next((path for folder in libraries(s) if s.is_file(path := s.join(folder, file))), "")


def package_file(s: Surroundings, name: str) -> str:
    """The text of ``name.pc``, which says a Linux library's version and folders."""
    own = s.variable("PKG_CONFIG_PATH").split(":")
    folders = [*own, *(s.join(folder, "pkgconfig") for folder in (*libraries(s), "/usr/share"))]
    return next(filter(None, (s.text(s.join(folder, f"{name}.pc")) for folder in folders if folder)), "")
