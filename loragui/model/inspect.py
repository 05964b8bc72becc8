"""What a base model is, from its GGUF header alone (0.02 s for a small one, the tensors are not read)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loragui.errors import Problem
from loragui.gguf.read import GgufFile, read
from loragui.model import llama
from loragui.model.llama import Differences
from loragui.units import size as human_size

MODEL, ADAPTER, CHECKPOINT, VOCABULARY, OTHER = "model", "adapter", "checkpoint", "vocabulary", "other"

_VOCABULARIES = {
    "llama": "SentencePiece",
    "gpt2": "BPE",
    "bert": "WordPiece",
    "t5": "Unigram",
    "rwkv": "RWKV",
}


@dataclass(frozen=True, kw_only=True)
class BaseModel:
    """A base model's facts. A number is 0 (and a text empty) when the file does not say it.

    ``parameters`` counts the numbers of all tensors, ``context`` the tokens it was made for. ``vocabulary``
    is the kind as GGUF names it (``llama`` is SentencePiece, ``gpt2`` is BPE). ``tensor_types`` maps a number
    format to how many numbers are stored in it, ``file_type`` is the one that holds most. ``tied``: the
    output layer is the token embedding. ``differences`` are those from a plain llama model's tensors (none
    for other architectures). ``rope_scaling`` is ``none``, ``linear``, ``scale_linear`` (linear, and in
    the older way, which every engine reads), ``yarn`` or another name.
    """

    path: Path
    size: int
    kind: str
    name: str
    architecture: str
    parameters: int
    layers: int
    heads: int
    kv_heads: int
    embedding: int
    feed_forward: int
    query_width: int
    context: int
    rope_base: float
    rope_scaling: str
    rope_factor: float
    experts: int
    vocabulary: str
    vocabulary_size: int
    pre_tokenizer: str
    chat_template: bool
    licence: str
    tensor_types: Mapping[str, int]
    file_type: str
    tied: bool
    parts: int
    differences: Differences
    problems: tuple[Problem, ...]

    @property
    def grouped(self) -> bool:
        """Whether several query heads share one key/value head (grouped-query attention, GQA)."""
        return 0 < self.kv_heads < self.heads


def inspect(path: Path) -> BaseModel:
    """Read the facts of the GGUF file at ``path``. AppError when it is not a readable GGUF file."""
    return of(read(path))


def of(file: GgufFile) -> BaseModel:
    """The facts of a file whose header was read."""
    arch = file.text("general.architecture")
    heads = file.count(f"{arch}.attention.head_count") or 0
    tokens = file.array("tokenizer.ggml.tokens")
    types = _types(file)
    names = {tensor.name for tensor in file.tensors}
    query = file.tensor("blk.0.attn_q.weight")
    scaling, factor = _rope(file, arch)
    return BaseModel(
        path=file.path,
        size=file.size,
        kind=_kind(file, names),
        name=file.text("general.name") or file.path.stem,
        architecture=arch,
        parameters=sum(types.values()),
        layers=file.count(f"{arch}.block_count") or 0,
        heads=heads,
        kv_heads=file.count(f"{arch}.attention.head_count_kv") or _all_heads(file, arch, heads),
        embedding=file.count(f"{arch}.embedding_length") or 0,
        feed_forward=file.count(f"{arch}.feed_forward_length") or 0,
        query_width=query.rows if query else 0,
        context=file.count(f"{arch}.context_length") or 0,
        rope_base=float(file.number(f"{arch}.rope.freq_base") or 10000.0),
        rope_scaling=scaling,
        rope_factor=factor,
        experts=file.count(f"{arch}.expert_count") or 0,
        vocabulary=file.text("tokenizer.ggml.model"),
        vocabulary_size=len(tokens) if tokens is not None else 0,
        pre_tokenizer=file.text("tokenizer.ggml.pre"),
        chat_template="tokenizer.chat_template" in file.metadata,
        licence=file.text("general.license"),
        tensor_types=dict(types.most_common()),
        file_type=types.most_common(1)[0][0] if types else "",
        tied="token_embd.weight" in names and "output.weight" not in names,
        parts=file.count("split.count") or 1,
        differences=llama.compare(file) if arch == "llama" and names else llama.Differences(),
        problems=file.problems(),
    )


def _types(file: GgufFile) -> Counter[str]:
    found: Counter[str] = Counter()
    for tensor in file.tensors:
        found[tensor.type.name] += tensor.elements
    return found


def _all_heads(file: GgufFile, arch: str, heads: int) -> int:
    """Without an entry there is one K/V head per head; an entry that is no number (one per layer) is 0."""
    return 0 if f"{arch}.attention.head_count_kv" in file.metadata else heads


def _kind(file: GgufFile, names: set[str]) -> str:
    said = file.text("general.type")
    if file.text("training.type"):
        return CHECKPOINT
    if said == "adapter" or "adapter.type" in file.metadata:
        return ADAPTER
    if not names and "tokenizer.ggml.tokens" in file.metadata:
        return VOCABULARY
    return MODEL if said in {"", "model"} and file.text("general.architecture") else OTHER


def _rope(file: GgufFile, arch: str) -> tuple[str, float]:
    """Kind and factor of the stretching of positions; the older key says only the factor."""
    older = file.number(f"{arch}.rope.scale_linear")
    factor = file.number(f"{arch}.rope.scaling.factor") or older or 1.0
    kind = file.text(f"{arch}.rope.scaling.type") or "linear"
    if kind == "linear" and factor == 1.0:
        kind = "none"
    return "scale_linear" if kind == "linear" and older == factor else kind, float(factor)


def describe(model: BaseModel) -> tuple[tuple[str, str], ...]:
    """The model in plain words: pairs of what and how much, without those that the file does not say."""
    heads = f"{model.heads}"
    if model.grouped:
        heads += f", sharing {model.kv_heads} key/value heads"
    vocabulary = f"{model.vocabulary_size:,} tokens, {_VOCABULARIES.get(model.vocabulary, model.vocabulary)}"
    if model.pre_tokenizer:
        vocabulary += f" ({model.pre_tokenizer})"
    rope = f"{model.rope_base:g}"
    if model.rope_factor != 1.0:
        rope += f", stretched {model.rope_factor:g} times ({model.rope_scaling})"
    rows = (
        ("Name", model.name),
        ("Architecture", model.architecture),
        ("Size", f"{short_count(model.parameters)} parameters, {human_size(model.size)}"),
        ("Number format", formats(model)),
        ("Layers", str(model.layers or "")),
        ("Attention heads", heads if model.heads else ""),
        ("Width", f"{model.embedding}, feed-forward {model.feed_forward}" if model.embedding else ""),
        ("Context", f"{model.context:,} tokens" if model.context else ""),
        ("Rope base", rope if model.heads else ""),
        ("Experts", str(model.experts or "")),
        ("Vocabulary", vocabulary if model.vocabulary_size else ""),
        ("Output layer", ("shared with the input" if model.tied else "its own") if model.parameters else ""),
        ("Chat template", "yes" if model.chat_template else "no"),
        ("Licence", model.licence or "not stated in the file"),
    )
    return tuple((label, text) for label, text in rows if text)


def short_count(number: int) -> str:
    """A count as ``135 M`` or ``7.2 B``."""
    for unit, name in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if number >= unit:
            value = number / unit
            return f"{value:.0f} {name}" if value >= 100 else f"{value:.1f} {name}"
    return str(number)


def formats(model: BaseModel) -> str:
    """The number formats of the model's tensors with their shares, the most used first."""
    whole = model.parameters or 1
    shares = [(name, count / whole) for name, count in model.tensor_types.items()]
    named = [f"{name} {share:.0%}" if len(shares) > 1 else name for name, share in shares if share >= 0.005]
    return ", ".join(named)
