"""A PC described as plain data: what the finders are told of it. A Windows one can be looked through anywhere."""

from __future__ import annotations

import ntpath
import posixpath
from collections.abc import Mapping, Sequence

from loragui.engine.tools.surroundings import Surroundings

EXE = "MZ"


class World(Surroundings):
    """``files`` by path, ``registry`` values by hive and key, ``programs`` by path with what they always say."""

    def __init__(
        self,
        *,
        system: str = "win32",
        files: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        registry: Mapping[str, Mapping[str, str]] | None = None,
        programs: Mapping[str, str] | None = None,
    ) -> None:
        self.system = system
        self.environment = dict(environment or {})
        self._registry = dict(registry or {})
        self._programs = {self._key(path): said for path, said in (programs or {}).items()}
        there = {**dict.fromkeys(programs or {}, EXE), **(files or {})}
        self._files = {self._key(path): text for path, text in there.items()}
        self._names: dict[str, dict[str, str]] = {}
        self.started: list[tuple[str, ...]] = []
        for path in there:
            self._grow(path)

    def _key(self, path: str) -> str:
        return ntpath.normpath(path).lower() if self.windows else posixpath.normpath(path)

    def _grow(self, path: str) -> None:
        path = ntpath.normpath(path) if self.windows else posixpath.normpath(path)
        parent = self.parent(path)
        if parent != path:
            self._names.setdefault(self._key(parent), {}).setdefault(self.name(path).lower(), self.name(path))
            self._grow(parent)

    def is_file(self, path: str) -> bool:
        return self._key(path) in self._files

    def names(self, folder: str) -> tuple[str, ...]:
        return tuple(sorted(self._names.get(self._key(folder), {}).values()))

    def text(self, path: str) -> str:
        return self._files.get(self._key(path), "")

    def registry(self, hive: str, key: str) -> Mapping[str, str]:
        return self._registry.get(rf"{hive}\{key}", {})

    def registry_keys(self, hive: str, key: str) -> tuple[str, ...]:
        start = rf"{hive}\{key}" + "\\"
        return tuple(sorted({name[len(start) :].split("\\")[0] for name in self._registry if name.startswith(start)}))

    def said(self, argv: Sequence[str]) -> str:
        self.started.append(tuple(argv))
        return self._programs.get(self._key(argv[0]), "")


def merged(*worlds: World) -> World:
    """All of them on one PC; variables of a later one win, PATHs are joined."""
    both = World(system=worlds[0].system)
    paths = [world.environment["PATH"] for world in worlds if "PATH" in world.environment]
    for world in worlds:
        both.environment.update(world.environment)
        both._registry.update(world._registry)
        both._programs.update(world._programs)
        both._files.update(world._files)
        for folder, names in world._names.items():
            both._names.setdefault(folder, {}).update(names)
    if paths:
        both.environment["PATH"] = (";" if both.windows else ":").join(paths)
    return both
