"""The GGUF reader on right files of every version."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gguf
import pytest

from loragui.errors import AppError
from loragui.gguf import types
from loragui.gguf.lazy import LONG_TEXT
from loragui.gguf.read import GgmlType, GgufArray, LongText, ValueType, read
from loragui.gguf.write import NewArray, NewEntry
from tests.gguf import files


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    file = read(files.write(tmp_path / "a.gguf"))
    assert (file.version, file.alignment) == (3, 32)
    for entry in files.ENTRIES:
        value = file.metadata[entry.key]
        if isinstance(entry.value, NewArray):
            assert isinstance(value, GgufArray)
            assert (tuple(value), len(value)) == (entry.value.values, len(entry.value.values))
        else:
            assert value == entry.value
    assert [entry.kind for entry in file.entries] == [entry.kind for entry in files.ENTRIES]
    assert [(t.name, t.shape, t.type) for t in file.tensors] == [(s.name, s.shape, s.type) for s in files.SPECS]
    assert file.problems() == ()
    data = (tmp_path / "a.gguf").read_bytes()
    for number, tensor in enumerate(file.tensors, start=1):
        assert tensor.offset % 32 == 0
        assert set(data[tensor.offset : tensor.offset + tensor.nbytes]) == {number}


def test_tensor_sizes(tmp_path: Path) -> None:
    embedding, norm, three = read(files.write(tmp_path / "a.gguf")).tensors
    assert (embedding.elements, embedding.rows, embedding.row_bytes, embedding.nbytes) == (256, 4, 68, 272)
    assert (norm.rows, norm.nbytes) == (1, 20)
    assert (three.rows, three.nbytes) == (6, 384)


def test_agrees_with_the_gguf_package(tmp_path: Path) -> None:
    path = tmp_path / "theirs.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("theirs")
    writer.add_token_list(["a", "b", "ü"])
    writer.add_token_scores([1.0, 2.0, 3.0])
    writer.add_custom_alignment(64)
    import numpy as np

    writer.add_tensor("x.weight", np.ones((3, 32), dtype=np.float32))
    writer.add_tensor("y.weight", np.ones((5,), dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    file, reader = read(path), gguf.GGUFReader(path)
    assert file.alignment == 64
    tokens = file.array("tokenizer.ggml.tokens")
    assert tokens is not None
    assert list(tokens.texts()) == ["a", "b", "ü"]
    assert [(t.name, t.shape, int(t.type), t.offset, t.nbytes) for t in file.tensors] == [
        (t.name, tuple(int(n) for n in t.shape), int(t.tensor_type), int(t.data_offset), int(t.n_bytes))
        for t in reader.tensors
    ]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version(tmp_path: Path, version: int) -> None:
    raw = files.Raw(version).head(1, 3)
    raw.entry("general.architecture", ValueType.STRING).text("llama")
    raw.entry("words", ValueType.ARRAY).pack("IL", ValueType.STRING, 2).text("one").text("two")
    raw.entry("n", ValueType.UINT32).pack("I", 7)
    file = read(raw.tensor("w", (4, 2)).bytes(64).save(tmp_path / "a.gguf"))
    words = file.array("words")
    assert words is not None
    assert list(words) == ["one", "two"]
    assert (file.version, file.text("general.architecture"), file.count("n")) == (version, "llama", 7)
    assert [(t.shape, t.nbytes) for t in file.tensors] == [((4, 2), 32)]
    assert file.problems() == ()


def test_arrays_in_arrays(tmp_path: Path) -> None:
    raw = files.Raw().head(0, 1).entry("deep", ValueType.ARRAY).pack("IL", ValueType.ARRAY, 2)
    raw.pack("ILBB", ValueType.UINT8, 2, 1, 2).pack("IL", ValueType.STRING, 1).text("x")
    outer = read(raw.save(tmp_path / "a.gguf")).array("deep")
    assert outer is not None
    assert [list(inner) for inner in outer if isinstance(inner, GgufArray)] == [[1, 2], ["x"]]


def test_long_texts_stay_in_the_file(tmp_path: Path) -> None:
    text = "ü" * LONG_TEXT
    entry = NewEntry(key="tokenizer.huggingface.json", kind=ValueType.STRING, value=text)
    file = read(files.write(tmp_path / "a.gguf", (entry, *files.ENTRIES)))
    long = file.metadata["tokenizer.huggingface.json"]
    assert isinstance(long, LongText)
    assert long.read() == text
    assert file.text("general.name") == "Zwerg ä"


def test_accessors_are_careful(tmp_path: Path) -> None:
    file = read(files.write(tmp_path / "a.gguf"))
    assert (file.text("a.u8"), file.text("nothing")) == ("", "")
    assert (file.count("a.i8"), file.count("a.bool"), file.count("a.u8")) == (None, None, 200)
    assert (file.number("a.f32"), file.number("a.bool"), file.array("a.u8")) == (0.5, None, None)
    assert file.tensor("norm.weight") == file.tensors[1]
    assert file.tensor("nothing") is None


def test_a_file_that_changes_later_is_an_error(tmp_path: Path) -> None:
    path = files.write(tmp_path / "a.gguf")
    tokens = read(path).array("tokenizer.ggml.tokens")
    assert tokens is not None
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(AppError, match=r"a\.gguf changed"):
        list(tokens)


def test_block_sizes_are_those_of_the_gguf_package() -> None:
    theirs = {int(kind): sizes for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
    ours = {int(kind): (kind.block_size, kind.block_bytes) for kind in GgmlType}
    del ours[GgmlType.Q8_1]  # theirs is from before ggml changed it; never in files
    assert ours.items() <= theirs.items()
    assert set(types.NUMBER_FORMATS) | {ValueType.STRING, ValueType.ARRAY} == set(ValueType)


def test_needs_only_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import loragui.gguf.read, loragui.gguf.write;"
        "new = {n.split('.')[0] for n in set(sys.modules) - before};"
        "print(sorted(n for n in new if n not in sys.stdlib_module_names and n != 'loragui'))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
