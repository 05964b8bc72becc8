"""Makes the archives beside this file with py7zr 1.1.4, which is no dependency of ours: ``pip install py7zr``.

python tests/engine/tools/archives/make.py
"""

from __future__ import annotations

import os
from pathlib import Path

import py7zr

HERE = Path(__file__).parent
CALLS = b"".join(b"\xe8" + (i * 4099 % 65521).to_bytes(4, "little") + b"\x8b\x45\x08" for i in range(1000))
"""Calls as in x86 programs, which the filter for them changes."""
FILES = {
    "kit/bin/gcc.exe": CALLS,
    "kit/include/a.h": b"int a;\n" * 50,
    "kit/empty": b"",
    "kit/ünï.txt": b"x",
}
METHODS = {
    "lzma2": [{"id": py7zr.FILTER_LZMA2, "preset": 5}],
    "x86-lzma2": [{"id": py7zr.FILTER_X86}, {"id": py7zr.FILTER_LZMA2, "preset": 5}],
    "ppmd": [{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 16}],
}


def main() -> None:
    os.environ["TZ"] = "UTC"
    for name, filters in METHODS.items():
        with py7zr.SevenZipFile(HERE / f"{name}.7z", "w", filters=filters) as archive:
            for path, content in FILES.items():
                archive.writestr(content, path)
    with py7zr.SevenZipFile(HERE / "encrypted.7z", "w", password="secret") as archive:
        archive.writestr(b"x", "kit/a")


if __name__ == "__main__":
    main()
