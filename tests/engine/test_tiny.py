from __future__ import annotations

import hashlib
from pathlib import Path

import gguf
import numpy as np

from loragui.engine import tiny
from loragui.engine.tiny import Shape
from loragui.gguf.read import read

SMALL = Shape(embedding=8, feed_forward=12, layers=1, heads=2, context=16)


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    """The known losses of the engines belong to exactly this model."""
    made = tiny.write_tiny(tmp_path / "a.gguf", Shape())
    again = tiny.write_tiny(tmp_path / "b.gguf", Shape())
    other = tiny.write_tiny(tmp_path / "c.gguf", Shape(), seed=2)
    assert made.read_bytes() == again.read_bytes() != other.read_bytes()
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    assert digest == "c4f6f1c2e4bab0861db4030b74c0e643427867aeafde3a937adbbdcb1dd00f28"


def test_the_real_package_reads_it(tmp_path: Path) -> None:
    shape = Shape(embedding=8, feed_forward=12, layers=2, heads=2, context=16, vocabulary=tiny.SMALLEST + 3)
    reader = gguf.GGUFReader(tiny.write_tiny(tmp_path / "m.gguf", shape))
    assert {tuple(tensor.shape) for tensor in reader.tensors} == {(8,), (8, 8), (8, 12), (12, 8), (8, shape.vocabulary)}
    assert sum(int(tensor.n_elements) for tensor in reader.tensors) == shape.parameters
    pieces = reader.fields["tokenizer.ggml.tokens"].contents()
    assert len(set(pieces)) == len(pieces) == shape.vocabulary
    assert pieces[3:259] == [f"<0x{number:02X}>" for number in range(256)]
    kinds = [gguf.TokenType(kind) for kind in reader.fields["tokenizer.ggml.token_type"].contents()]
    assert kinds[:3] == [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    assert set(kinds[3:259]) == {gguf.TokenType.BYTE}
    assert kinds[-3:] == [gguf.TokenType.UNUSED] * 3


def test_the_weights_neither_vanish_nor_grow(tmp_path: Path) -> None:
    file = read(tiny.write_tiny(tmp_path / "m.gguf", SMALL))
    assert file.problems() == ()
    for tensor in file.tensors:
        values = np.fromfile(file.path, np.float32, tensor.elements, offset=tensor.offset)
        if len(tensor.shape) == 1:
            assert (values == 1).all()
        else:
            assert 0.1 < abs(values).max() * tensor.shape[0] ** 0.5 <= 0.5


def test_every_sample_fills_the_context() -> None:
    for context in (16, 32, 128, 1000):
        _, *found = tiny.training_text(6, context).split(tiny.MARKER)
        assert {len(sample) for sample in found} == {context - 1}
        assert len(set(found)) == 4
        assert {character for sample in found for character in sample} <= set(" .abcdefghijklmnopqrstuvwxyz")
