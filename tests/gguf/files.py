"""Small GGUF files for tests: real ones by our writer, and hand-made ones for what no writer makes."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from pathlib import Path

from loragui.gguf.read import GgmlType, ValueType
from loragui.gguf.write import NewArray, NewEntry, TensorSpec, Writer

ENTRIES = (
    NewEntry(key="general.architecture", kind=ValueType.STRING, value="llama"),
    NewEntry(key="general.name", kind=ValueType.STRING, value="Zwerg ä"),
    NewEntry(key="a.u8", kind=ValueType.UINT8, value=200),
    NewEntry(key="a.i8", kind=ValueType.INT8, value=-100),
    NewEntry(key="a.u16", kind=ValueType.UINT16, value=60000),
    NewEntry(key="a.i16", kind=ValueType.INT16, value=-30000),
    NewEntry(key="a.u32", kind=ValueType.UINT32, value=4000000000),
    NewEntry(key="a.i32", kind=ValueType.INT32, value=-2000000000),
    NewEntry(key="a.f32", kind=ValueType.FLOAT32, value=0.5),
    NewEntry(key="a.bool", kind=ValueType.BOOL, value=True),
    NewEntry(key="a.u64", kind=ValueType.UINT64, value=1 << 63),
    NewEntry(key="a.i64", kind=ValueType.INT64, value=-(1 << 62)),
    NewEntry(key="a.f64", kind=ValueType.FLOAT64, value=1e300),
    NewEntry(
        key="tokenizer.ggml.tokens",
        kind=ValueType.ARRAY,
        value=NewArray(kind=ValueType.STRING, values=("<s>", "▁a", "", "\udcff")),
    ),
    NewEntry(
        key="tokenizer.ggml.scores",
        kind=ValueType.ARRAY,
        value=NewArray(kind=ValueType.FLOAT32, values=(0.0, -1.0, -2.0, -3.5)),
    ),
    NewEntry(key="a.flags", kind=ValueType.ARRAY, value=NewArray(kind=ValueType.BOOL, values=(True, False, True))),
)
SPECS = (
    TensorSpec(name="token_embd.weight", shape=(64, 4), type=GgmlType.Q8_0),
    TensorSpec(name="norm.weight", shape=(5,), type=GgmlType.F32),
    TensorSpec(name="three.weight", shape=(32, 2, 3), type=GgmlType.F16),
)


def write(
    path: Path,
    entries: Sequence[NewEntry] = ENTRIES,
    specs: Sequence[TensorSpec] = SPECS,
    *,
    alignment: int = 32,
) -> Path:
    """A file with these entries and tensors; tensor n is filled with the byte n + 1."""
    with path.open("wb") as out:
        writer = Writer(out, entries, specs, alignment=alignment)
        for number, tensor in enumerate(writer.tensors, start=1):
            writer.write(bytes([number]) * tensor.nbytes)
            writer.end(tensor.name)
        writer.finish()
    return path


class Raw:
    """A header put together by hand, in any version, right or wrong."""

    def __init__(self, version: int = 3, *, order: str = "<") -> None:
        self.version = version
        self._order = order
        self._length = "I" if version == 1 else "Q"
        self._out = io.BytesIO()

    def head(self, tensors: int, entries: int) -> Raw:
        form = f"{self._order}I{self._length}{self._length}"
        self._out.write(b"GGUF" + struct.pack(form, self.version, tensors, entries))
        return self

    def pack(self, form: str, *values: float) -> Raw:
        self._out.write(struct.pack(self._order + form.replace("L", self._length), *values))
        return self

    def text(self, text: str, *, length: int | None = None) -> Raw:
        data = text.encode()
        self.pack("L", len(data) if length is None else length)
        self._out.write(data)
        return self

    def entry(self, key: str, kind: ValueType) -> Raw:
        return self.text(key).pack("I", kind)

    def tensor(self, name: str, shape: Sequence[int], kind: int = 0, offset: int = 0) -> Raw:
        return self.text(name).pack(f"I{len(shape) * 'L'}IQ", len(shape), *shape, kind, offset)

    def bytes(self, count: int) -> Raw:
        self._out.write(bytes(count))
        return self

    def save(self, path: Path) -> Path:
        path.write_bytes(self._out.getvalue())
        return path
