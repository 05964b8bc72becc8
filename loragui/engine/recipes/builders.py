"""The three ways to compile: CMake with zig, CMake with a compiler of the PC, llama.cpp's own Makefile."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from loragui.engine.recipes.base import Build
from loragui.jobs.plan import Step
from loragui.paths import resource_path

_PLAIN = (
    "-DCMAKE_BUILD_TYPE=Release", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_SERVER=OFF", "-DLLAMA_CCACHE=OFF",
    "-DLLAMA_ALL_WARNINGS=OFF",
)  # fmt: skip
_STATUS = {"NINJA_STATUS": "[%f/%t] "}
_CMAKE_READER: Mapping[str, object] = {"reader": "ninja", "reader_args": {"program": "cmake"}}


def with_zig(build: Build) -> tuple[Step, ...]:
    """Nothing of the machine but Python: zig compiles, archives and links, CMake and Ninja drive it."""
    env = _zig_environment(build)
    toolchain = build.way.toolchain
    assert toolchain is not None  # noqa: S101 - the catalogue has checked it
    compile_helper = (
        str(env["LORAGUI_ZIG"]), "cc", "-target", toolchain.target, "-O2", "-c",
        str(resource_path("engine", "unbuffer.c")), "-o", str(env["LORAGUI_UNBUFFER"]),
    )  # fmt: skip
    configure = (
        build.tool("cmake/data/bin/cmake"), "-S", "source", "-B", "build", "-G", build.way.generator,
        f"-DCMAKE_MAKE_PROGRAM={build.tool('bin/ninja')}",
        f"-DCMAKE_TOOLCHAIN_FILE={resource_path('engine', 'zig.cmake').as_posix()}", *_PLAIN, "-DLLAMA_NATIVE=OFF",
        "-DLLAMA_AVX=OFF", "-DLLAMA_AVX2=OFF", "-DLLAMA_FMA=OFF", "-DLLAMA_F16C=OFF", *_options(build),
    )  # fmt: skip
    return (
        build.step("helper", "Preparing the compiler", compile_helper, 1, env=env, reader="ninja"),
        build.step("configure", "Configuring llama.cpp", configure, 1, env=env, **_CMAKE_READER),
        build.step("compile", "Compiling llama.cpp", _ninja(build), build.recipe.seconds, env=env, reader="ninja"),
    )


def _zig_environment(build: Build) -> dict[str, str | None]:
    openblas = build.libraries / "scipy_openblas32"
    toolchain = build.way.toolchain
    assert toolchain is not None  # noqa: S101 - the catalogue has checked it
    cache = str(build.workspace.cache / "zig")
    ours = {
        "LORAGUI_ZIG": build.tool("ziglang/zig"),
        "LORAGUI_SYSTEM": toolchain.cmake,
        "LORAGUI_PLATFORM_ID": toolchain.platform_id,
        "LORAGUI_PROCESSOR": toolchain.processor,
        "LORAGUI_FORMAT": toolchain.format,
        "LORAGUI_TARGET": toolchain.target,
        "LORAGUI_CPU": toolchain.cpu,
        "LORAGUI_OPENBLAS": openblas.as_posix(),
        "LORAGUI_OPENBLAS_LIBRARY": (openblas / toolchain.link).as_posix(),
        "LORAGUI_UNBUFFER": (build.work / "unbuffer.o").as_posix(),
        "ZIG_GLOBAL_CACHE_DIR": cache,
        "ZIG_LOCAL_CACHE_DIR": cache,
        **_STATUS,
    }
    return {**build.environment(), **ours}


def with_cmake(build: Build) -> tuple[Step, ...]:
    """CMake from packages with the PC's compiler, by Ninja or by Visual Studio."""
    generator = build.filled(build.way.generator)
    configure = [
        build.tool("cmake/data/bin/cmake"), "-S", "source", "-B", "build", "-G", generator, *_PLAIN,
        f"-DCMAKE_PROJECT_INCLUDE={resource_path('engine', 'llama.cmake').as_posix()}",
        f"-DLORAGUI_PROGRAMS={';'.join(build.pin.targets)}", *_options(build),
    ]  # fmt: skip
    if generator == "Ninja":
        configure.append(f"-DCMAKE_MAKE_PROGRAM={build.tool('bin/ninja')}")
        env = {**build.environment(), **_STATUS}
        compile_ = build.step(
            "compile", "Compiling llama.cpp", _ninja(build), build.recipe.seconds, env=env, reader="ninja"
        )
    else:
        argv = (
            build.tool("cmake/data/bin/cmake"), "--build", "build", "--config", "Release",
            "--target", *build.pin.targets, "--parallel", str(build.jobs),
        )  # fmt: skip
        args = {"total": build.pin.make_commands}
        compile_ = build.step(
            "compile", "Compiling llama.cpp", argv, build.recipe.seconds, reader="msbuild", reader_args=args
        )
    return (
        build.step("configure", "Configuring llama.cpp", tuple(configure), 1, **_CMAKE_READER),
        compile_,
    )


def with_make(build: Build) -> tuple[Step, ...]:
    """llama.cpp's own Makefile. Programs are named in full: Windows looks for them before it knows the new PATH."""
    compiler, make = (_program(build, name) for name in ("gcc", "make"))
    helper = (compiler, "-O2", "-c", str(resource_path("engine", "unbuffer.c")), "-o", "source/unbuffer.o")
    argv = (make, "-C", "source", f"-j{build.jobs}", "LDFLAGS=unbuffer.o", *_options(build), *build.pin.targets)
    args = {"total": build.pin.make_commands}
    return (
        build.step("helper", "Preparing the compiler", helper, 1, reader="make"),
        build.step("compile", "Compiling llama.cpp", argv, build.recipe.seconds, reader="make", reader_args=args),
    )


def _program(build: Build, name: str) -> str:
    """``gcc`` or ``make``, of the kit when the recipe brings one."""
    kit = "w64devkit." if "w64devkit" in build.way.needs else ""
    return build.filled(f"{{{kit}{name}}}")


def _options(build: Build) -> tuple[str, ...]:
    return tuple(build.filled(option) for option in build.way.options)


def _ninja(build: Build) -> tuple[str, ...]:
    return (build.tool("bin/ninja"), "-C", "build", "-j", str(build.jobs), *build.pin.targets)


BUILDERS: Mapping[str, Callable[[Build], tuple[Step, ...]]] = {
    "zig": with_zig,
    "cmake": with_cmake,
    "make": with_make,
}


def compiling(build: Build) -> tuple[Step, ...]:
    """The steps from the source to finished programs. The catalogue has checked that the kind is known."""
    return BUILDERS[build.recipe.kind](build)
