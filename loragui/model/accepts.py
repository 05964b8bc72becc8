"""What an engine takes as a base model, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Accepts:
    """What an engine can train. A collection of None accepts everything.

    ``tied``: models whose output layer is the token embedding; ``gqa``: models whose heads share K/V heads.
    ``extras``: llama models with tensors or widths beyond the plain ones. ``pre_tokenizers`` are the names it
    knows (of BPE vocabularies), ``tensor_types`` the number formats, ``rope_scaling`` as in ``BaseModel``.
    """

    architectures: frozenset[str] | None = None
    tied: bool = True
    gqa: bool = True
    extras: bool = False
    pre_tokenizers: frozenset[str] | None = None
    tensor_types: frozenset[str] | None = None
    vocabularies: frozenset[str] | None = frozenset({"llama", "gpt2"})
    rope_scaling: frozenset[str] | None = frozenset({"none", "scale_linear"})

    @staticmethod
    def of(row: Mapping[str, Any]) -> Accepts:
        """From a table ``accepts`` of ``resources/engines.toml``; what it leaves out is as above."""

        def names(key: str) -> frozenset[str] | None:
            default: frozenset[str] | None = getattr(Accepts, key)
            return frozenset(str(name) for name in row[key]) if key in row else default

        return Accepts(
            architectures=names("architectures"),
            tied=bool(row.get("tied", True)),
            gqa=bool(row.get("gqa", True)),
            extras=bool(row.get("extras", False)),
            pre_tokenizers=names("pre_tokenizers"),
            tensor_types=names("tensor_types"),
            vocabularies=names("vocabularies"),
            rope_scaling=names("rope_scaling"),
        )
