"""How an engine is built, as a plan: decided here, done by the runner.

A build happens in the workspace's cache and can be interrupted anywhere: downloads and compiled files are
kept, the next run goes on from them. The engine itself appears by one rename in the last step (see
``build.py``).

The recipe "wheels" uses nothing of the machine but Python: zig compiles, archives and links, cmake and ninja
drive it. The recipe "gcc" is llama.cpp's own Makefile.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from loragui.engine.catalogue import Pin, Recipe, System, this_system
from loragui.errors import AppError, Problem
from loragui.jobs.packages import download_command, install_command
from loragui.jobs.plan import Command, Plan, Step
from loragui.jobs.pyjob import job_command
from loragui.paths import Workspace, resource_path
from loragui.units import size as human_size

KIND = "engine-build"
UNPACK, INSTALL = "engine-unpack", "engine-install"

_FOREIGN = (
    "AR", "ARFLAGS", "CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "CPATH", "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "MAKEFLAGS", "MFLAGS", "CMAKE_BUILD_TYPE", "CMAKE_GENERATOR",
    "CMAKE_TOOLCHAIN_FILE", "NINJAFLAGS", "LLAMA_CUDA", "LLAMA_CUBLAS", "LLAMA_CLBLAST", "LLAMA_HIPBLAS",
    "LLAMA_VULKAN", "LLAMA_OPENBLAS", "LLAMA_BLAS", "LLAMA_DEBUG", "LLAMA_FAST",
)  # fmt: skip
"""Variables of a person's environment that would change the build."""


def engine_name(pin: Pin, recipe: Recipe) -> str:
    """The folder name of an engine of that revision built in that way."""
    return f"{pin.id}-{recipe.id}"


def problems(recipe: Recipe, *, system: str = "") -> tuple[Problem, ...]:
    """Why this computer cannot build with ``recipe``: another system, or programs that are missing."""
    system = system or this_system()
    if system not in recipe.systems:
        message = f"“{recipe.name}” is not available for this kind of computer ({system})."
        return (Problem(message=message, hint="Choose another way to build.", code="other-system"),)
    missing = [program for program in recipe.needs if not shutil.which(program)]
    if not missing:
        return ()
    return (
        Problem(
            message=f"“{recipe.name}” needs programs that are not installed: {', '.join(missing)}.",
            hint="Choose the way that needs nothing, or install them (on Debian or Ubuntu: g++ and make).",
            code="program-missing",
        ),
    )


def disk_needed(recipe: Recipe, pin: Pin) -> int:
    """Bytes of disk that a fresh build takes at most: downloads, tools, sources, compiled files."""
    downloads = pin.download_bytes + recipe.download_bytes
    return downloads + pin.unpacked_bytes + recipe.unpacked_bytes + recipe.work_bytes


def build_plan(
    recipe: Recipe, pin: Pin, workspace: Workspace, *, name: str = "", system: str = "", jobs: int = 0
) -> Plan:
    """Everything from the download to the installed engine ``workspace.engines/name``.

    ``jobs`` compilers run at once (all CPU threads when 0). What the cache holds already is not fetched
    again. AppError when the recipe does not know the ``system`` (this computer's when empty).
    """
    system = system or this_system()
    if system not in recipe.systems:
        raise AppError.of(problems(recipe, system=system)[0])
    build = _Build(recipe, pin, workspace, name or engine_name(pin, recipe), system, jobs or os.cpu_count() or 1)
    facts = {
        "engine": str(workspace.engines / build.name),
        "name": build.name,
        "download": pin.download_bytes + recipe.download_bytes,
        "disk": disk_needed(recipe, pin),
        "seconds": recipe.seconds,
    }
    compiling = build.with_zig() if recipe.packages else build.with_make()
    steps = (*build.fetching(), *compiling, build.install())
    return Plan(kind=KIND, title=f"Building the engine {build.name}", steps=steps, facts=facts)


class _Build:
    """The paths and steps of one build."""

    def __init__(self, recipe: Recipe, pin: Pin, workspace: Workspace, name: str, system: str, jobs: int) -> None:
        self.recipe, self.pin, self.name, self.jobs = recipe, pin, name, jobs
        self.engines = workspace.engines
        self.packages = workspace.cache / "packages"
        self.zig_cache = workspace.cache / "zig"
        # Other settings, or another place, get a new folder: cmake's files hold absolute paths.
        self.toolchain = resource_path("engine", "zig.cmake")
        rules = tuple(_text(file) for file in (self.toolchain, self.toolchain.with_name("zig-archive.cmake")))
        settings = repr((recipe, pin, system, str(workspace.cache), rules))
        self.work = workspace.cache / "builds" / f"{name}-{_digest(settings)}"
        pinned = "\n".join(package.requirement for package in recipe.packages)
        self.tools = workspace.cache / "tools" / f"{recipe.id}-{_digest(pinned)}"
        self.system = recipe.system.get(system)
        self.suffix = self.system.suffix if self.system else ""

    def fetching(self) -> tuple[Step, ...]:
        """Source and tools, where they are not there yet."""
        steps = []
        archive = self.packages / self.pin.archive
        if not archive.is_file():
            title = f"Downloading llama.cpp ({human_size(self.pin.download_bytes)})"
            command = download_command(self.pin.package, self.packages)
            steps.append(Step(id="download", title=title, command=command, weight=8))
        if self.recipe.packages and not self.tools.is_dir():
            title = f"Downloading the compiler ({human_size(self.recipe.download_bytes)})"
            command = install_command(self.recipe.packages, self.tools)
            steps.append(Step(id="tools", title=title, command=command, weight=20))
        args = {
            "archive": str(archive),
            "sha256": list(self.pin.package.sha256),
            "folder": self.pin.folder,
            "into": str(self.work / "source"),
            "bytes": self.pin.unpacked_bytes,
        }
        command = job_command(UNPACK, args)
        return (*steps, Step(id="unpack", title="Unpacking llama.cpp", command=command, weight=2))

    def with_zig(self) -> tuple[Step, ...]:
        """Configure and compile with the tools from packages."""
        system = self.system
        if system is None:
            raise AppError(f"The list of engines knows no toolchain for {self.name}.", "Install loragui again.")
        env = self._zig_environment(system)
        zig, helper = env["LORAGUI_ZIG"], env["LORAGUI_UNBUFFER"]
        compile_helper = (
            str(zig), "cc", "-target", system.target, "-O2", "-c", str(resource_path("engine", "unbuffer.c")),
            "-o", str(helper),
        )  # fmt: skip
        configure = (
            self._tool("cmake/data/bin/cmake"), "-S", "source", "-B", "build", "-G", "Ninja",
            f"-DCMAKE_MAKE_PROGRAM={self._tool('bin/ninja')}", f"-DCMAKE_TOOLCHAIN_FILE={self.toolchain}",
            "-DCMAKE_BUILD_TYPE=Release", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_SERVER=OFF",
            "-DLLAMA_CCACHE=OFF", "-DLLAMA_ALL_WARNINGS=OFF", "-DLLAMA_NATIVE=OFF", "-DLLAMA_AVX=OFF",
            "-DLLAMA_AVX2=OFF", "-DLLAMA_FMA=OFF", "-DLLAMA_F16C=OFF", *system.options,
        )  # fmt: skip
        ninja = (self._tool("bin/ninja"), "-C", "build", "-j", str(self.jobs), *self.pin.targets)
        return (
            self._step("helper", "Preparing the compiler", compile_helper, env, 1),
            self._step("configure", "Configuring llama.cpp", configure, env, 1),
            self._step("compile", "Compiling llama.cpp", ninja, env, self.recipe.seconds),
        )

    def _zig_environment(self, system: System) -> dict[str, str | None]:
        openblas = self.tools / "scipy_openblas32"
        ours = {
            "LORAGUI_ZIG": self._tool("ziglang/zig"),
            "LORAGUI_SYSTEM": system.cmake,
            "LORAGUI_PLATFORM_ID": system.platform_id,
            "LORAGUI_PROCESSOR": system.processor,
            "LORAGUI_FORMAT": system.format,
            "LORAGUI_TARGET": system.target,
            "LORAGUI_CPU": system.cpu,
            "LORAGUI_OPENBLAS": openblas.as_posix(),
            "LORAGUI_OPENBLAS_LIBRARY": (openblas / system.link).as_posix(),
            "LORAGUI_UNBUFFER": (self.work / "unbuffer.o").as_posix(),
            "ZIG_GLOBAL_CACHE_DIR": str(self.zig_cache),
            "ZIG_LOCAL_CACHE_DIR": str(self.zig_cache),
            "NINJA_STATUS": "[%f/%t] ",
        }
        return {**dict.fromkeys(_FOREIGN), **ours}

    def with_make(self) -> tuple[Step, ...]:
        """llama.cpp's own Makefile with the system's compiler."""
        env: dict[str, str | None] = dict.fromkeys(_FOREIGN)
        helper = ("cc", "-O2", "-c", str(resource_path("engine", "unbuffer.c")), "-o", "source/unbuffer.o")
        make = ("make", "-C", "source", f"-j{self.jobs}", "LDFLAGS=unbuffer.o", *self.pin.targets)
        reader_args = {"total": self.pin.make_commands}
        return (
            self._step("helper", "Preparing the compiler", helper, env, 1),
            self._step("compile", "Compiling llama.cpp", make, env, self.recipe.seconds, "make", reader_args),
        )

    def install(self) -> Step:
        """Check what was built and put it in its place."""
        built = "build/bin" if self.system else "source"
        openblas = self.tools / "scipy_openblas32"
        args = {
            "name": self.name,
            "engines": str(self.engines),
            "built": str(self.work / built),
            "programs": {target: f"{target}{self.suffix}" for target in self.pin.targets},
            "libraries": [str(openblas / file) for file in (self.system.ship if self.system else ())],
            "flags": {name: list(flags) for name, flags in self.pin.flags.items()},
            "environment": dict(self.recipe.environment),
            "pin": self.pin.id,
            "commit": self.pin.commit,
            "recipe": self.recipe.id,
            "work": str(self.work),
        }
        return Step(id="install", title="Checking the engine", command=job_command(INSTALL, args), weight=1)

    def _tool(self, path: str) -> str:
        return (self.tools / f"{path}{self.suffix}").as_posix()

    def _step(
        self, step: str, title: str, argv: tuple[str, ...], env: Mapping[str, str | None], weight: float,
        reader: str = "ninja", reader_args: Mapping[str, int] | None = None,
    ) -> Step:  # fmt: skip
        command = Command(argv=argv, cwd=str(self.work), env=env, reader=reader, reader_args=reader_args or {})
        return Step(id=step, title=title, command=command, weight=weight)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
