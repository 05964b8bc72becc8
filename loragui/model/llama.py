"""The tensors of a plain llama model, and how a file differs from them.

Source: llama.cpp b2896, ``llm_load_tensors`` (LLM_ARCH_LLAMA) and ``init_model`` of ``examples/finetune``.
"""

from __future__ import annotations

from dataclasses import dataclass

from loragui.gguf.read import GgufFile

MAX_LAYERS = 1024


@dataclass(frozen=True, kw_only=True)
class Differences:
    """Names of tensors that are not there, that nobody expects, and that have an unexpected shape."""

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    misshapen: tuple[str, ...] = ()


def compare(file: GgufFile) -> Differences:
    """How the file's tensors differ from a plain llama model with its numbers of layers, heads and so on."""
    wanted = _shapes(file)
    found = {tensor.name: tensor.shape for tensor in file.tensors}
    return Differences(
        missing=tuple(sorted(wanted.keys() - found.keys() - {"output.weight"})),
        unexpected=tuple(sorted(found.keys() - wanted.keys())),
        misshapen=tuple(sorted(name for name in found.keys() & wanted.keys() if found[name] != wanted[name])),
    )


def _shapes(file: GgufFile) -> dict[str, tuple[int, ...]]:
    """Name to shape (as ggml's ``ne``) of every tensor that the header promises."""
    width = file.count("llama.embedding_length") or 0
    inner = file.count("llama.feed_forward_length") or 0
    heads = file.count("llama.attention.head_count") or 1
    kv_heads = file.count("llama.attention.head_count_kv") or heads
    query = file.tensor("blk.0.attn_q.weight")
    query_width = query.rows if query else width
    kv_width = query_width // heads * kv_heads
    tokens = file.array("tokenizer.ggml.tokens")
    vocabulary = len(tokens) if tokens is not None else 0
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (width, vocabulary),
        "output_norm.weight": (width,),
        "output.weight": (width, vocabulary),
    }
    for layer in range(min(file.count("llama.block_count") or 0, MAX_LAYERS)):
        parts = {
            "attn_norm": (width,), "attn_q": (width, query_width), "attn_k": (width, kv_width),
            "attn_v": (width, kv_width), "attn_output": (query_width, width), "ffn_norm": (width,),
            "ffn_gate": (width, inner), "ffn_up": (width, inner), "ffn_down": (inner, width),
        }  # fmt: skip
        shapes.update({f"blk.{layer}.{part}.weight": shape for part, shape in parts.items()})
    return shapes
