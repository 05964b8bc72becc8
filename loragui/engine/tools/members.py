"""What an archive may hold: names that stay below its folder on Windows and Linux, and nothing but files and folders.

Whatever is odd is refused before anything is written.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loragui.units import size

_MOST_MEMBERS = 100_000
_LONGEST = 200
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')

Parts = tuple[str, ...]
"""The folders and the name of an entry."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing in an archive. ``odd`` is what is neither a file nor a folder."""

    name: str
    size: int
    folder: bool
    program: bool = False
    odd: bool = False


class OddError(Exception):
    """Something in the archive that has no business there."""


def safe_parts(name: str) -> Parts:
    """The folders and the name of an entry, all of which Windows and Linux can have.

    ValueError when it leads out of the folder, or is a name that one of them takes for something else.
    """
    plain = name.replace("\\", "/").removesuffix("/")
    parts = plain.split("/")
    for part in parts:
        if part in {"", ".", ".."} or part[-1] in " ." or _FORBIDDEN.search(part) or _RESERVED.fullmatch(part):
            raise ValueError(f"the name {name[:_LONGEST]!r}")
    if len(plain) > _LONGEST:
        raise ValueError(f"a name of {len(plain)} characters")
    return tuple(parts)


def checked(entries: Sequence[Entry], limit: int) -> Mapping[str, Parts]:
    """The parts of every name. OddError when something may not be there, or all is more than ``limit`` bytes."""
    total = sum(entry.size for entry in entries)
    if len(entries) > _MOST_MEMBERS or total > limit:
        raise OddError(f"it would become {size(total)}, {len(entries)} files")
    for entry in entries:
        if entry.odd:
            raise OddError(f"{entry.name[:_LONGEST]!r} in it is a link or a device")
    try:
        names = {entry.name: safe_parts(entry.name) for entry in entries}
    except ValueError as error:
        raise OddError(f"{error} in it leads elsewhere or is not possible on Windows") from error
    _check_twice(entries, names)
    return names


def top_of(entries: Sequence[Entry], names: Mapping[str, Parts]) -> str:
    """The one folder that holds all; empty when there is none."""
    files = [names[entry.name] for entry in entries if not entry.folder]
    shared = {parts[0] for parts in names.values()}
    return shared.pop() if len(shared) == 1 and all(len(parts) > 1 for parts in files) else ""


def _check_twice(entries: Sequence[Entry], names: Mapping[str, Parts]) -> None:
    """No two files at one place (Windows does not tell ``A`` from ``a``), and no file where a folder must be."""
    places = ["/".join(names[entry.name]).lower() for entry in entries if not entry.folder]
    folders = {
        "/".join(above).lower()
        for entry in entries
        for above in itertools.accumulate(
            ((part,) for part in names[entry.name][: None if entry.folder else -1]), lambda a, b: a + b
        )
    }
    if len(set(places)) != len(places) or folders & set(places):
        raise OddError("two things in it have one place")
