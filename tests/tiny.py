"""Tiny GGUF models for tests: two llama layers over a 512-token SentencePiece vocabulary, far under 1 MB.

Options make the cases that an engine cannot train (GQA, tied, other architecture, vocabulary only). The
weights come from a seed, so the same call gives the same bytes.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
from numpy.typing import NDArray

WORDS = (
    "the", "lamp", "tide", "sea", "wind", "boat", "harbour", "keeper", "stairs", "light", "fog", "bell",
    "rope", "soup", "bread", "night", "morning", "salt", "gull", "storm", "says", "asks", "looks", "smiles",
    "walks", "holds", "opens", "closes", "lights", "rings", "hears", "sees", "knows", "and", "but", "then",
    "while", "with", "under", "over", "small", "old", "warm", "cold", "bright", "quiet", "far", "near",
    "kind", "brave", "wet", "dry", "a", "is", "are", "was", "were", "on", "in", "at", "to", "from", "of",
    "by", "for", "it", "she", "he", "they", "you", "we", "I", "not", "never", "always", "again", "hello",
    "good", "thank", "please", "where", "when", "how", "why",
)  # fmt: skip
MERGES = ("t h", "th e")


@dataclass(frozen=True, kw_only=True)
class Tiny:
    """The shape of a tiny model. Heads divide the embedding; K/V heads divide the heads.

    With a name in ``pre`` the vocabulary claims to be byte-pair encoding with that pre-tokenizer.
    """

    architecture: str = "llama"
    vocabulary: int = 512
    context: int = 128
    embedding: int = 32
    feed_forward: int = 64
    layers: int = 2
    heads: int = 4
    kv_heads: int = 4
    tied: bool = False
    half: bool = False
    vocabulary_only: bool = False
    pre: str = ""
    seed: int = 1


def text(lines: int = 400, seed: int = 1) -> str:
    """Plain sentences over a small set of words, one a line."""
    chance = random.Random(seed)
    made = []
    for _ in range(lines):
        words = [chance.choice(WORDS) for _ in range(chance.randint(4, 9))]
        made.append(f"{' '.join(words).capitalize()}{chance.choice('.!?')}")
    return "\n".join(made) + "\n"


def samples(count: int = 20, marker: str = "<SAMPLE>", seed: int = 1) -> str:
    """Training text of ``count`` short samples that begin with ``marker``."""
    lines = text(count, seed).splitlines()
    return "".join(f"{marker}{line}" for line in lines)


@cache
def _vocabulary(size: int) -> tuple[tuple[bytes, float, int], ...]:
    """Pieces with score and GGUF token type, of a SentencePiece model trained on the spot."""
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text(3000, seed=7).splitlines()),
        model_writer=made,
        vocab_size=size,
        model_type="bpe",
        byte_fallback=True,
        character_coverage=1.0,
        hard_vocab_limit=True,
        minloglevel=2,
        num_threads=1,
    )
    model = sentencepiece.SentencePieceProcessor(model_proto=made.getvalue())
    return tuple(
        (model.IdToPiece(number).encode(), model.GetScore(number), _kind(model, number)) for number in range(size)
    )


@cache
def _byte_pairs(size: int) -> tuple[tuple[bytes, float, int], ...]:
    """The same of a byte-pair vocabulary: every byte as GPT-2 writes it, what the merges make, and filling."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    odd = [chr(256 + number) for number in range(256 - len(plain))]
    normal = [*map(chr, plain), *odd, *(merge.replace(" ", "") for merge in MERGES)]
    filling = [f"<{number}>" for number in range(size - 3 - len(normal))]
    control, usual = int(gguf.TokenType.CONTROL), int(gguf.TokenType.NORMAL)
    return (
        *((name.encode(), 0.0, control) for name in ("<unk>", "<s>", "</s>")),
        *((piece.encode(), 0.0, usual) for piece in (*normal, *filling)),
    )


def _kind(model: sentencepiece.SentencePieceProcessor, number: int) -> int:
    if model.IsUnknown(number):
        return int(gguf.TokenType.UNKNOWN)
    if model.IsControl(number):
        return int(gguf.TokenType.CONTROL)
    return int(gguf.TokenType.BYTE if model.IsByte(number) else gguf.TokenType.NORMAL)


def write(path: Path, shape: Tiny | None = None) -> Path:
    """Write the model to ``path`` and return it."""
    shape = shape or Tiny()
    writer = gguf.GGUFWriter(str(path), shape.architecture)
    _header(writer, shape)
    if not shape.vocabulary_only:
        _tensors(writer, shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    if not shape.vocabulary_only:
        writer.write_tensors_to_file()
    writer.close()
    return path


def _header(writer: gguf.GGUFWriter, shape: Tiny) -> None:
    writer.add_name("tiny")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.embedding)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.embedding // shape.heads)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16 if shape.half else gguf.LlamaFileType.ALL_F32)
    pieces = _byte_pairs(shape.vocabulary) if shape.pre else _vocabulary(shape.vocabulary)
    writer.add_tokenizer_model("gpt2" if shape.pre else "llama")
    if shape.pre:
        writer.add_tokenizer_pre(shape.pre)
        writer.add_token_merges(MERGES)
    writer.add_token_list([piece for piece, _, _ in pieces])
    writer.add_token_scores([score for _, score, _ in pieces])
    writer.add_token_types([kind for _, _, kind in pieces])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def _tensors(writer: gguf.GGUFWriter, shape: Tiny) -> None:
    chance = np.random.default_rng(shape.seed)
    kind = np.float16 if shape.half else np.float32
    width, hidden = shape.embedding, shape.feed_forward
    narrow = width // shape.heads * shape.kv_heads

    def matrix(name: str, rows: int, columns: int) -> None:
        values: NDArray[np.float32] = chance.normal(0, 0.3 / columns**0.5, (rows, columns)).astype(np.float32)
        writer.add_tensor(f"{name}.weight", values.astype(kind))

    def ones(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(width, np.float32))

    matrix("token_embd", shape.vocabulary, width)
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        ones(f"{block}.attn_norm")
        matrix(f"{block}.attn_q", width, width)
        matrix(f"{block}.attn_k", narrow, width)
        matrix(f"{block}.attn_v", narrow, width)
        matrix(f"{block}.attn_output", width, width)
        ones(f"{block}.ffn_norm")
        matrix(f"{block}.ffn_gate", hidden, width)
        matrix(f"{block}.ffn_up", hidden, width)
        matrix(f"{block}.ffn_down", width, hidden)
    ones("output_norm")
    if not shape.tied:
        matrix("output", shape.vocabulary, width)
