"""Which way suits which PC: a table of PCs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from loragui.engine import catalogue, recipes
from loragui.engine.recommend import recommend
from loragui.engine.tools import FINDERS, Found
from loragui.machine import Disk, Gpu, Machine
from tests.engine.tools import pcs
from tests.engine.tools.world import World, merged

LINUX, ARM, WINDOWS = "linux-x86_64", "linux-aarch64", "win32-AMD64"
GB = 1 << 30
MB = 1_000_000
NVIDIA = Gpu(vendor="NVIDIA", name="NVIDIA GeForce RTX 3060", vram_bytes=12 * GB)
AMD = Gpu(vendor="AMD", name="AMD Radeon RX 7900 XT", vram_bytes=20 * GB)
ARC = Gpu(vendor="Intel", name="Intel Arc A770 Graphics", vram_bytes=16 * GB)
INSIDE = Gpu(vendor="Intel", name="Intel UHD Graphics 770")
USUAL = Machine(
    system="", system_version="", architecture="", cpu_name="Some CPU", physical_cores=6, logical_cores=12,
    instruction_sets=("AVX", "AVX2", "F16C", "FMA"), ram_total_bytes=32 * GB, ram_available_bytes=20 * GB,
    disks=(Disk(path="/", total_bytes=500 * GB, free_bytes=100 * GB),),
)  # fmt: skip
PACKAGES = "Needs nothing on the machine"


def windows(*worlds: World) -> Mapping[str, Found | None]:
    """What is found on a Windows PC with these."""
    world = merged(pcs.bare(), *worlds)
    return {name: FINDERS[name](world, pcs.KITS) for name in FINDERS}


def linux(*names: str) -> Mapping[str, Found | None]:
    """A Linux PC with these tools."""
    parts = {"nvcc": "/n", "architectures": "75", "include": "/i", "library": "/l"}
    return {name: Found(path=f"/usr/bin/{name}", parts=parts) for name in names}


GNU = ("gcc", "gxx", "make")
STUDIO = (pcs.studio(), pcs.sdk())
ALL = windows(*STUDIO, pcs.cuda("12.9.0", 1950), pcs.hip(), pcs.kit(), pcs.opencl(), pcs.clblast(), pcs.git())


def free(size: int) -> tuple[Disk, ...]:
    return (Disk(path="/", total_bytes=500 * GB, free_bytes=size),)


@dataclass(frozen=True, kw_only=True)
class Pc:
    """A PC, what is recommended for it, and what its person reads (``says``) or does not (``not_a_word``)."""

    id: str
    recipe: str | None
    says: tuple[str, ...]
    system: str = WINDOWS
    machine: Machine = USUAL
    found: Mapping[str, Found | None]
    not_a_word: tuple[str, ...]
    lacks: int = 0


def pc(name: str, recipe: str | None, *says: str, found: Mapping[str, Found | None] | None = None, **more: Any) -> Pc:
    """``gpus``, ``disks``, ``ram_total_bytes`` and such belong to the machine."""
    ours = {key: more.pop(key) for key in ("system", "not_a_word", "lacks") if key in more}
    ours.setdefault("not_a_word", () if "gpus" in more else ("graphics card",))
    return Pc(id=name, recipe=recipe, says=says, found=found or {}, machine=replace(USUAL, **more), **ours)


CUDA = ("RTX 3060) is not needed", "17 to 24 %", "doubles the RAM", "“For NVIDIA cards (cuBLAS)” stands below")
HIP = ("RX 7900 XT) is not needed", "Nobody has measured", "“For AMD cards (hipBLAS)” stands below")
OTHER = ("is not needed", "next to nothing", "“For other cards (CLBlast)” stands below")
PCS = (
    # Windows
    pc("nothing", "wheels", PACKAGES),
    pc("nothing-was-looked-for", "wheels", PACKAGES, found=windows()),
    pc("nvidia-without-anything", "wheels", PACKAGES, *CUDA, gpus=(NVIDIA,)),
    pc(
        "nvidia-with-cuda-and-studio", "wheels", PACKAGES, *CUDA, gpus=(NVIDIA,),
        found=windows(*STUDIO, pcs.cuda("12.9.0", 1950)),
    ),
    pc("nvidia-with-old-cuda", "wheels", *CUDA, gpus=(NVIDIA,), found=windows(pcs.cuda("11.2.0", 1930))),
    pc("amd", "wheels", PACKAGES, *HIP, gpus=(AMD,)),
    pc("amd-with-hip-sdk", "wheels", *HIP, gpus=(AMD,), found=windows(pcs.hip())),
    pc("intel-arc", "wheels", "Intel Arc A770", *OTHER, gpus=(ARC,)),
    pc("intel-inside", "wheels", "UHD Graphics 770", *OTHER, gpus=(INSIDE,)),
    pc("unknown-maker", "wheels", "(Matrox G200)", *OTHER, gpus=(Gpu(vendor="", name="Matrox G200"),)),
    pc("two-cards", "wheels", *CUDA, gpus=(INSIDE, NVIDIA), not_a_word=("UHD", "CLBlast")),
    pc("amd-and-intel", "wheels", *HIP, gpus=(INSIDE, AMD), not_a_word=("UHD", "CLBlast")),
    pc("nvidia-and-amd", "wheels", *CUDA, gpus=(AMD, NVIDIA), not_a_word=("Radeon", "hipBLAS")),
    pc("everything", "wheels", *CUDA, gpus=(NVIDIA,), found=ALL),
    pc("8-gb-of-ram", "wheels", PACKAGES, ram_total_bytes=8 * GB, ram_available_bytes=3 * GB),
    pc("old-cpu", "wheels", PACKAGES, instruction_sets=("AVX",), physical_cores=2, logical_cores=2),
    pc("battery", "wheels", PACKAGES, on_battery=True),
    pc("studio-without-workload", "wheels", PACKAGES, found=windows(pcs.studio(workload=False), pcs.sdk())),
    pc("studio", "wheels", PACKAGES, found=windows(*STUDIO)),
    pc("w64devkit", "wheels", PACKAGES, found=windows(pcs.kit())),
    pc("900-mb-free", "wheels", PACKAGES, disks=free(900 * MB), not_a_word=("disk",)),
    pc("500-mb-free", "wheels", "while it is built, but only", "are free", disks=free(500 * MB)),
    pc("500-mb-free-w64devkit", "wheels", "but only", disks=free(500 * MB), found=windows(pcs.kit())),
    pc(
        "500-mb-free-studio", "cmake", "through CMake", "“With a toolchain from packages” would take more disk",
        disks=free(500 * MB), found=windows(*STUDIO),
    ),
    pc("disks-unreadable", "wheels", PACKAGES, disks=(), not_a_word=("disk",)),
    pc(
        "the-first-disk-counts", "wheels", "but only",
        disks=(*free(500 * MB), *free(100 * GB)),
    ),
    # Linux
    pc("linux-without-compiler", "wheels", PACKAGES, system=LINUX),
    pc("linux-gcc", "wheels", PACKAGES, system=LINUX, found=linux(*GNU)),
    pc("linux-gcc-openblas", "wheels", PACKAGES, system=LINUX, found=linux(*GNU, "openblas")),
    pc(
        "linux-nvidia", "wheels", *CUDA, system=LINUX, gpus=(NVIDIA,), found=linux(*GNU, "cuda"),
    ),
    pc(
        "linux-gcc-500-mb-free", "gcc", "gcc and make", "would take more disk", system=LINUX, disks=free(500 * MB),
        found=linux(*GNU),
    ),
    pc(
        "linux-openblas-500-mb-free", "gcc-openblas", "twice as fast", "would take more disk", system=LINUX,
        disks=free(500 * MB), found=linux(*GNU, "openblas"),
    ),
    pc("linux-50-mb-free", "wheels", "but only", system=LINUX, disks=free(50 * MB), found=linux(*GNU)),
    pc("arm-gcc", "gcc", "gcc and make", system=ARM, found=linux(*GNU)),
    pc("arm-gcc-openblas", "gcc-openblas", "twice as fast", system=ARM, found=linux(*GNU, "openblas")),
    pc(
        "arm-nvidia", "gcc", "gcc and make", system=ARM, gpus=(NVIDIA,), found=linux(*GNU, "cuda"),
        not_a_word=("graphics",),
    ),
    pc("arm-without-compiler", "gcc", "needs gcc, which is not on this PC", "Ubuntu: make", system=ARM, lacks=3),
    pc("arm-without-make", "gcc", "needs GNU make", system=ARM, found=linux("gcc", "gxx"), lacks=1),
    pc(
        "arm-openblas-without-make", "gcc-openblas", "GNU make", system=ARM, lacks=1,
        found=linux("gcc", "gxx", "openblas"),
    ),
    pc(
        "arm-old-gcc", "gcc", "needs another gcc: gcc 4.8 is too old", system=ARM, lacks=1,
        found={**linux(*GNU), "gcc": Found(path="/gcc", good=False, why="gcc 4.8 is too old: 8 or newer is needed.")},
    ),
    # Others
    pc("windows-on-arm", None, "No engine can be built", "(win32-ARM64)", system="win32-ARM64"),
    pc("windows-on-arm-with-everything", None, "(win32-ARM64)", system="win32-ARM64", found=ALL),
    pc("mac", None, "(darwin-arm64)", system="darwin-arm64"),
    pc("old-mac", None, "(darwin-x86_64)", system="darwin-x86_64", gpus=(AMD,), not_a_word=("graphics",)),
    pc("32-bit", None, "(linux-i686)", system="linux-i686", found=linux(*GNU)),
)  # fmt: skip


@pytest.mark.parametrize("pc", PCS, ids=lambda pc: pc.id)
def test_what_is_recommended(pc: Pc) -> None:
    found = recommend(pc.machine, pc.found, system=pc.system)
    assert (found.recipe.id if found.recipe is not None else None) == pc.recipe
    for words in pc.says:
        assert words in found.reason
    for words in pc.not_a_word:
        assert words not in found.reason
    assert len(found.problems) == pc.lacks
    assert found.reason.endswith(".")
    if found.recipe is not None:
        assert found.problems == recipes.problems(found.recipe, pc.found, system=pc.system)


def test_no_two_pcs_are_the_same() -> None:
    assert len({pc.id for pc in PCS}) == len(PCS) >= 24


@pytest.mark.parametrize("pc", PCS, ids=lambda pc: pc.id)
def test_a_card_never_changes_the_way(pc: Pc) -> None:
    for gpus in ((), (NVIDIA,), (AMD,), (ARC, INSIDE)):
        way = recommend(replace(pc.machine, gpus=gpus), pc.found, system=pc.system).recipe
        assert (way.id if way is not None else None) == pc.recipe


def test_a_way_that_nobody_has_tried_is_only_named_when_there_is_no_other() -> None:
    kit = catalogue.recipe("w64devkit")
    assert not kit.tried
    found = recommend(USUAL, {}, system=WINDOWS, recipes=(kit,))
    assert found.recipe == kit
    assert [problem.code for problem in found.problems] == ["tool-missing"]
    there = recommend(USUAL, ALL, system=WINDOWS, recipes=(kit,))
    assert (there.recipe, there.reason, there.problems) == (kit, kit.why, ())
