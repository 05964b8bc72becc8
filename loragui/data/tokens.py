"""The exact token counter of a base model, from the vocabulary in its own GGUF file."""

from __future__ import annotations

from pathlib import Path

from loragui.data.bpe import BpeCounter, pre_tokenizers
from loragui.data.counting import RoughCounter, TokenCounter
from loragui.data.spm import SpmCounter
from loragui.gguf.read import GgufFile, read

_GUESS = "default"


def counter_for(path: Path) -> TokenCounter:
    """Counts as the engine does with the model at ``path``; roughly when its kind of vocabulary is unknown.

    AppError when the file is not a readable GGUF.
    """
    return counter_of(read(path))


def counter_of(header: GgufFile) -> TokenCounter:
    """The same for a header that has been read already."""
    pieces = _texts(header, "tokenizer.ggml.tokens")
    kind = header.text("tokenizer.ggml.model")
    name = f"{header.text('general.name') or header.path.stem} vocabulary"
    if kind == "llama" and pieces:
        return _spm(header, name, pieces)
    merges = _texts(header, "tokenizer.ggml.merges")
    if kind == "gpt2" and pieces and merges:
        known = pre_tokenizers()
        wanted = header.text("tokenizer.ggml.pre") or _GUESS
        pre = known.get(wanted, known[_GUESS])
        return BpeCounter(name, pieces, merges, pre, exact=wanted in known)
    return RoughCounter()


def _spm(header: GgufFile, name: str, pieces: list[str]) -> TokenCounter:
    array = header.array("tokenizer.ggml.scores")
    scores = [float(value) for value in array if isinstance(value, int | float)] if array is not None else []
    if len(scores) != len(pieces):
        return RoughCounter()
    prefix = header.metadata.get("tokenizer.ggml.add_space_prefix", True)
    return SpmCounter(name, pieces, scores, add_space_prefix=bool(prefix))


def _texts(header: GgufFile, key: str) -> list[str]:
    array = header.array(key)
    return [value for value in array if isinstance(value, str)] if array is not None else []
