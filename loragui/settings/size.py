"""How big a base model is, in the numbers that decide RAM and time."""

from __future__ import annotations

from dataclasses import dataclass

from loragui.errors import AppError
from loragui.gguf.read import GgufFile
from loragui.model.catalogue import SizeFacts


@dataclass(frozen=True, kw_only=True)
class ModelSize:
    """Shape of a llama-like model: counts of parameters, bytes of its file, and its dimensions."""

    parameters: int
    file_bytes: int
    layers: int
    embedding: int
    feed_forward: int
    heads: int
    vocabulary: int

    @property
    def layer_parameters(self) -> int:
        """Weights of one layer: four attention matrices (expanded to MHA) and three feed-forward ones."""
        return self.embedding * (4 * self.embedding + 3 * self.feed_forward)


def lora_parameters(size: ModelSize, rank: int) -> int:
    """How many numbers a LoRA of ``rank`` trains: both factors of every matrix of the model."""
    a_layer = 4 * 2 * size.embedding + 3 * (size.embedding + size.feed_forward)
    both_ends = 2 * (size.vocabulary + size.embedding)
    return rank * (size.layers * a_layer + both_ends)


def size_of(header: GgufFile) -> ModelSize:
    """The size of the model in ``header`` as the classic engine trains it.

    A model with shared key and value heads or without an output of its own is counted as the F32 copy that
    is made of it. AppError when the file does not tell its dimensions.
    """
    kind = header.text("general.architecture")
    embedding, layers, feed_forward, heads = (
        header.count(f"{kind}.{key}") or 0
        for key in ("embedding_length", "block_count", "feed_forward_length", "attention.head_count")
    )
    table = header.tensor("token_embd.weight")
    vocabulary = table.shape[-1] if table is not None else 0
    if not (embedding and layers and feed_forward and heads and vocabulary):
        raise AppError(
            f"{header.path.name} does not tell how large its model is, so nothing can be estimated.",
            "Choose another base model.",
            details=f"{kind}: {layers} layers, {embedding}, {feed_forward}, {heads} heads, {vocabulary}",
            code="size-unknown",
        )
    facts = SizeFacts(
        parameters=sum(tensor.elements for tensor in header.tensors),
        file_bytes=header.size,
        layers=layers,
        embedding=embedding,
        feed_forward=feed_forward,
        heads=heads,
        kv_heads=header.count(f"{kind}.attention.head_count_kv") or heads,
        vocabulary=vocabulary,
        tied=header.tensor("output.weight") is None,
    )
    return size_from(facts)


def size_from(facts: SizeFacts) -> ModelSize:
    """The size of a model of which these are known, as the classic engine trains it (see ``size_of``)."""
    embedding = facts.embedding
    missing = 2 * facts.layers * embedding * (embedding - embedding * facts.kv_heads // facts.heads)
    if facts.tied:
        missing += facts.vocabulary * embedding
    parameters = facts.parameters + missing
    return ModelSize(
        parameters=parameters,
        file_bytes=4 * parameters if missing else facts.file_bytes,
        layers=facts.layers,
        embedding=embedding,
        feed_forward=facts.feed_forward,
        heads=facts.heads,
        vocabulary=facts.vocabulary,
    )


def _q8(parameters: int) -> int:
    return parameters * 34 // 32  # Q8_0: 32 numbers in 34 bytes


GUIDE_SIZES = {
    "3B": ModelSize(
        parameters=3_426_473_600,
        file_bytes=_q8(3_426_473_600),
        layers=26,
        embedding=3200,
        feed_forward=8640,
        heads=32,
        vocabulary=32000,
    ),
    "7B": ModelSize(
        parameters=6_738_415_616,
        file_bytes=_q8(6_738_415_616),
        layers=32,
        embedding=4096,
        feed_forward=11008,
        heads=32,
        vocabulary=32000,
    ),
    "13B": ModelSize(
        parameters=13_015_864_320,
        file_bytes=_q8(13_015_864_320),
        layers=40,
        embedding=5120,
        feed_forward=13824,
        heads=40,
        vocabulary=32000,
    ),
}


def guide_model(size: ModelSize) -> str | None:
    """The guide's model with this shape; a few tokens more in the vocabulary do not matter."""
    for name, known in GUIDE_SIZES.items():
        same = (size.layers, size.embedding, size.feed_forward) == (
            known.layers,
            known.embedding,
            known.feed_forward,
        )
        if same and abs(size.vocabulary - known.vocabulary) <= 256:
            return name
    return None
