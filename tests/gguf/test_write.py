"""The GGUF writer, read back by the gguf package."""

from __future__ import annotations

import io
from pathlib import Path

import gguf
import pytest

from loragui.gguf.read import GgmlType, ValueType, read
from loragui.gguf.write import NewEntry, TensorSpec, Writer, nbytes
from tests.gguf import files


def test_the_gguf_package_reads_it(tmp_path: Path) -> None:
    entries = [entry for entry in files.ENTRIES if entry.key != "tokenizer.ggml.tokens"]
    reader = gguf.GGUFReader(files.write(tmp_path / "a.gguf", entries))
    for entry in entries:
        field = reader.fields[entry.key]
        found = field.contents()
        assert found == (entry.value if not hasattr(entry.value, "values") else list(entry.value.values))
    assert [(t.name, tuple(int(n) for n in t.shape)) for t in reader.tensors] == [
        (spec.name, spec.shape) for spec in files.SPECS
    ]
    assert set(reader.tensors[2].data.tobytes()) == {3}


@pytest.mark.parametrize("version", [1, 2, 3])
def test_entries_of_another_file_are_copied(tmp_path: Path, version: int) -> None:
    raw = files.Raw(version).head(0, 3)
    raw.entry("words", ValueType.ARRAY).pack("IL", ValueType.STRING, 2).text("one").text("zwölf")
    raw.entry("deep", ValueType.ARRAY).pack("IL", ValueType.ARRAY, 1).pack("IL", ValueType.STRING, 1).text("x")
    raw.entry("long", ValueType.STRING).text("y" * 300_000)
    source = read(raw.save(tmp_path / "source.gguf"))
    with (tmp_path / "copy.gguf").open("wb") as out:
        Writer(out, source.entries, ()).finish()
    copy = read(tmp_path / "copy.gguf")
    words, deep = copy.array("words"), copy.array("deep")
    assert words is not None
    assert deep is not None
    assert list(words) == ["one", "zwölf"]
    assert [list(inner) for inner in deep] == [["x"]]
    assert copy.metadata["long"].read() == "y" * 300_000
    assert copy.version == 3


def test_alignment(tmp_path: Path) -> None:
    entry = NewEntry(key="general.alignment", kind=ValueType.UINT32, value=128)
    file = read(files.write(tmp_path / "a.gguf", (entry, *files.ENTRIES), alignment=128))
    assert all(tensor.offset % 128 == 0 for tensor in file.tensors)
    assert file.problems() == ()


def test_mistakes_are_noticed() -> None:
    specs = (
        TensorSpec(name="a", shape=(4,), type=GgmlType.F32),
        TensorSpec(name="b", shape=(1,), type=GgmlType.F32),
    )
    writer = Writer(io.BytesIO(), (), specs)
    writer.write(bytes(12))
    with pytest.raises(ValueError, match="12 bytes"):
        writer.end("a")
    writer.write(bytes(4))
    with pytest.raises(ValueError, match="b: 16 bytes"):
        writer.end("b")
    writer.end("a")
    with pytest.raises(ValueError, match="b is missing"):
        writer.finish()
    with pytest.raises(ValueError, match="does not suit"):
        nbytes(TensorSpec(name="c", shape=(33,), type=GgmlType.Q8_0))
