"""Other metadata over a GGUF file's own, in place: the tensors, which are nearly all of it, are not touched."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable

from loragui.gguf.lazy import Entry
from loragui.gguf.read import GgufFile
from loragui.gguf.write import NewEntry, TensorSpec, Writer


def overwrite_metadata(file: GgufFile, entries: Iterable[Entry | NewEntry]) -> bool:
    """Give ``file`` these entries. Returns False, and writes nothing, when they need more or less room than before.

    A header has some megabytes at most; it is written at once, and is on the disk when this returns.
    """
    header = io.BytesIO()
    specs = [TensorSpec(name=tensor.name, shape=tensor.shape, type=tensor.type) for tensor in file.tensors]
    placed = Writer(header, entries, specs, alignment=file.alignment).tensors
    if placed != file.tensors or header.tell() != file.data_offset:
        return False
    with file.path.open("r+b") as out:
        out.write(header.getvalue())
        out.flush()
        os.fsync(out.fileno())
    return True
