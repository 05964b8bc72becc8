"""The readers of what each system tells, on real texts: CPUs and cards that this machine does not have."""

from __future__ import annotations

from loragui.machine.cpu import mac_sets, named_sets, read_cpuinfo, windows_sets
from loragui.machine.facts import Gpu
from loragui.machine.gpu import drm_cards, join, read_drm, read_nvidia_smi, read_registry

XEON = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Processor
flags\t\t: fpu pni ssse3 fma sse4_1 sse4_2 avx f16c bmi2 avx2 avx512f avx512bw avx512_vnni avx_vnni

processor\t: 1
model name\t: Intel(R) Xeon(R) Processor
flags\t\t: fpu
"""
RASPBERRY = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes crc32 asimdhp cpuid asimdrdm lrcpc dcpop asimddp

Hardware\t: BCM2835
"""


def test_cpuinfo_of_an_intel_server() -> None:
    name, sets = read_cpuinfo(XEON)
    assert name == "Intel(R) Xeon(R) Processor"
    assert sets == (
        *(
            "AVX",
            "AVX2",
            "AVX512BW",
            "AVX512F",
            "AVX512VNNI",
            "AVX_VNNI",
            "BMI2",
            "F16C",
            "FMA",
        ),
        *("SSE3", "SSE4.1", "SSE4.2", "SSSE3"),
    )


def test_cpuinfo_of_an_arm_board() -> None:
    assert read_cpuinfo(RASPBERRY) == ("BCM2835", ("DOTPROD", "NEON"))


def test_cpuinfo_of_nothing_known() -> None:
    assert read_cpuinfo("") == ("", ())
    assert named_sets(["avx3000"]) == ()


def test_windows_feature_numbers() -> None:
    assert windows_sets({13, 36, 37, 38, 39}.__contains__) == ("AVX", "SSE3", "SSE4.1", "SSE4.2", "SSSE3")
    assert {"FMA", "F16C", "BMI2"} <= set(windows_sets({39, 40}.__contains__))
    assert windows_sets(lambda number: False) == ()


def test_mac_words() -> None:
    assert mac_sets("FPU SSE3 SSSE3 FMA SSE4.1 SSE4.2 AVX1.0 F16C AVX2 BMI2", arm=False) == (
        *("AVX", "AVX2", "BMI2", "F16C", "FMA", "SSE3", "SSE4.1", "SSE4.2", "SSSE3"),
    )
    assert mac_sets("", arm=True) == ("DOTPROD", "NEON")


def test_nvidia_smi() -> None:
    text = "NVIDIA GeForce RTX 3060 Laptop GPU, 6144\r\nNVIDIA GB10, [N/A]\n\n"
    assert read_nvidia_smi(text) == (
        Gpu(vendor="NVIDIA", name="NVIDIA GeForce RTX 3060 Laptop GPU", vram_bytes=6144 << 20),
        Gpu(vendor="NVIDIA", name="NVIDIA GB10", vram_bytes=None),
    )
    assert read_nvidia_smi("NVIDIA-SMI has failed because it couldn't communicate with the driver") == ()


def test_sysfs_cards(tmp_path) -> None:  # type: ignore[no-untyped-def]
    for card, values in {
        "card0": {"vendor": "0x8086\n", "device": "0x46a6\n"},
        "card1": {"vendor": "0x1002\n", "device": "0x73bf\n", "mem_info_vram_total": "17163091968\n"},
        "card2": {"vendor": "0x1af4\n", "device": "0x1050\n"},
        "card0-eDP-1": {"vendor": "0x8086\n"},
    }.items():
        folder = tmp_path / card / "device"
        folder.mkdir(parents=True)
        for name, text in values.items():
            (folder / name).write_text(text)
    assert read_drm(drm_cards(tmp_path)) == (
        Gpu(vendor="Intel", name="Intel graphics 0x46a6"),
        Gpu(vendor="AMD", name="AMD graphics 0x73bf", vram_bytes=17163091968),
    )
    assert drm_cards(tmp_path / "none") == []


def test_windows_registry() -> None:
    adapters: list[dict[str, object]] = [
        {
            "DriverDesc": "NVIDIA GeForce RTX 3060 Laptop GPU",
            "MatchingDeviceId": r"pci\ven_10de&dev_2520&subsys_118d1043",
            "HardwareInformation.qwMemorySize": 6442450944,
            "HardwareInformation.MemorySize": b"\x00\x00\xf0\xff",
        },
        {
            "DriverDesc": "Intel(R) Iris(R) Xe Graphics",
            "MatchingDeviceId": r"PCI\VEN_8086&DEV_46A6",
            "HardwareInformation.MemorySize": b"\x00\x00\x00\x40",
        },
        {"DriverDesc": "Microsoft Remote Display Adapter", "MatchingDeviceId": "{5bb5b3f4}\\rdpidd"},
        {"DriverDesc": "Intel(R) Iris(R) Xe Graphics", "MatchingDeviceId": r"PCI\VEN_8086&DEV_46A6"},
        {},
    ]
    assert read_registry(adapters) == (
        Gpu(vendor="NVIDIA", name="NVIDIA GeForce RTX 3060 Laptop GPU", vram_bytes=6442450944),
        Gpu(vendor="Intel", name="Intel(R) Iris(R) Xe Graphics", vram_bytes=1 << 30),
    )


def test_cards_seen_twice_are_told_once() -> None:
    asked = (Gpu(vendor="NVIDIA", name="NVIDIA A", vram_bytes=1),)
    seen = (Gpu(vendor="NVIDIA", name="NVIDIA graphics 0x1"), Gpu(vendor="Intel", name="Intel graphics 0x2"))
    assert join(asked, seen) == (asked[0], seen[1])
    assert join((), seen) == seen
