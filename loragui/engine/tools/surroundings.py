"""The only door from the finders to the PC: variables, PATH, files, registry, what a program says of itself.

Paths are texts, so that a Windows PC can be described and looked through on any system.
"""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from loragui.engine.tools import registry
from loragui.jobs import process

WINDOWS = "win32"
_SECONDS = 1.5
"""How long a program may take to say its version."""
_SAID = 1 << 16
"""As many bytes of it are read."""
_TEXT = 1 << 20
_MACHINE = "HKLM", r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
_PERSON = "HKCU", "Environment"
_VARIABLE = re.compile(r"%([^%]+)%")


class Surroundings(ABC):
    """What the finders may ask. Nothing raises; what is not there is empty."""

    system = sys.platform
    environment: Mapping[str, str]

    @abstractmethod
    def is_file(self, path: str) -> bool:
        """Whether a file is there."""

    @abstractmethod
    def names(self, folder: str) -> tuple[str, ...]:
        """What lies in a folder."""

    @abstractmethod
    def text(self, path: str) -> str:
        """The first megabyte of a file as text."""

    @abstractmethod
    def registry(self, hive: str, key: str) -> Mapping[str, str]:
        """The values of a registry key."""

    @abstractmethod
    def registry_keys(self, hive: str, key: str) -> tuple[str, ...]:
        """The keys below a registry key."""

    @abstractmethod
    def said(self, argv: Sequence[str]) -> str:
        """What a program prints, within its time limit; empty when it does not start or does not end."""

    @property
    def windows(self) -> bool:
        """Whether this is a Windows PC."""
        return self.system == WINDOWS

    def join(self, *parts: str) -> str:
        """A path of this system."""
        return ntpath.normpath(ntpath.join(*parts)) if self.windows else posixpath.join(*parts)

    def parent(self, path: str, levels: int = 1) -> str:
        """The folder ``levels`` above."""
        for _ in range(levels):
            path = ntpath.dirname(path) if self.windows else posixpath.dirname(path)
        return path

    def name(self, path: str) -> str:
        """The last part of a path."""
        return ntpath.basename(path) if self.windows else posixpath.basename(path)

    def exe(self, name: str) -> str:
        """A program's file name on this system."""
        return f"{name}.exe" if self.windows else name

    def variables(self) -> Mapping[str, str]:
        """Environment variables: our own, and those that an installer has set since we were started.

        Names are in capitals on Windows.
        """
        if not self.windows:
            return self.environment
        own = {name.upper(): value for name, value in self.environment.items()}
        later = {name.upper(): value for place in (_MACHINE, _PERSON) for name, value in self.registry(*place).items()}
        return {name: _VARIABLE.sub(lambda m: own.get(m[1].upper(), m[0]), v) for name, v in {**later, **own}.items()}

    def variable(self, name: str) -> str:
        """One of ``variables``, without quotes."""
        return self.variables().get(name, "").strip().strip('"')

    def path_folders(self) -> tuple[str, ...]:
        """The folders of PATH, ours first, then what an installer has added since we were started."""
        paths = [self.environment.get(name, "") for name in self.environment if name.upper() == "PATH"]
        if self.windows:
            own = self.variables()
            for place in (_MACHINE, _PERSON):
                later = {name.upper(): value for name, value in self.registry(*place).items()}.get("PATH", "")
                paths.append(_VARIABLE.sub(lambda m: own.get(m[1].upper(), m[0]), later))
        apart = ";" if self.windows else ":"
        folders = [folder.strip().strip('"') for path in paths for folder in path.split(apart)]
        return tuple(dict.fromkeys(folder for folder in folders if folder))

    def which(self, name: str) -> str:
        """The program of that name on PATH."""
        places = (self.join(folder, self.exe(name)) for folder in self.path_folders())
        return next((place for place in places if self.is_file(place)), "")


class Pc(Surroundings):
    """This PC."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.environment = dict(os.environ if environment is None else environment)

    def is_file(self, path: str) -> bool:
        """Whether a file is there."""
        try:
            return Path(path).is_file()
        except (OSError, ValueError):
            return False

    def names(self, folder: str) -> tuple[str, ...]:
        """What lies in a folder."""
        try:
            return tuple(sorted(os.listdir(folder)))  # noqa: PTH208 - names, not paths
        except (OSError, ValueError):
            return ()

    def text(self, path: str) -> str:
        """The first megabyte of a file as text."""
        try:
            with Path(path).open("rb") as source:
                return source.read(_TEXT).decode("utf-8", "replace")
        except (OSError, ValueError):
            return ""

    def registry(self, hive: str, key: str) -> Mapping[str, str]:
        """The values of a registry key."""
        return registry.values(hive, key)

    def registry_keys(self, hive: str, key: str) -> tuple[str, ...]:
        """The keys below a registry key."""
        return registry.keys(hive, key)

    def said(self, argv: Sequence[str]) -> str:
        """What a program prints. Into a file: a grandchild that keeps a pipe open would hold us."""
        try:
            with tempfile.TemporaryFile() as output, subprocess.Popen(
                list(argv), env=dict(self.environment), cwd=tempfile.gettempdir(), stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, creationflags=process.HIDDEN,
            ) as program:  # fmt: skip
                try:
                    program.wait(_SECONDS)
                except subprocess.TimeoutExpired:
                    process.end(process.descendants(program.pid), grace=0)
                    return ""
                output.seek(0)
                return output.read(_SAID).decode("utf-8", "replace")
        except (OSError, ValueError):
            return ""
