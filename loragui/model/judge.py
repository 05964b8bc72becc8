"""Whether an engine can train a base model: every reason at once, in plain words, and the copy that helps.

What an engine takes stands as data in ``resources/engines.toml``. What no engine takes (half a file, a LoRA,
a part of a split model) is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from loragui.errors import Problem
from loragui.gguf.read import GgmlType, read
from loragui.model import inspect
from loragui.model.accepts import Accepts
from loragui.model.catalogue import equivalent
from loragui.model.inspect import BaseModel
from loragui.model.recipe import UNPACKABLE, Recipe, copy_bytes
from loragui.units import size as human_size

__all__ = ["Accepts", "Outcome", "Reason", "Verdict", "judge"]


class Outcome(StrEnum):
    """What can be done with the model."""

    AS_IT_IS = "as-it-is"
    COPY = "copy"
    NO = "no"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why it is not simply trained. ``outcome`` is what follows, ``change`` what a copy does about it."""

    code: str
    message: str
    outcome: Outcome
    change: str = ""
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What can be done with ``model`` and why; if by a copy, its ``recipe`` and its size in bytes."""

    model: BaseModel
    outcome: Outcome
    reasons: tuple[Reason, ...]
    recipe: Recipe | None = None
    copy_bytes: int = 0

    def problems(self) -> tuple[Problem, ...]:
        """The reasons as problems; blocking when the model cannot be trained as it is."""
        return tuple(
            Problem(
                message=reason.message,
                hint=reason.hint or reason.change,
                code=reason.code,
                blocking=reason.outcome is not Outcome.AS_IT_IS,
            )
            for reason in self.reasons
        )

    def summary(self) -> str:
        """One sentence: the outcome."""
        name = self.model.name
        if self.outcome is Outcome.AS_IT_IS:
            return f"{name} can be trained as it is."
        if self.outcome is Outcome.COPY:
            return f"{name} can be trained through a converted copy of {human_size(self.copy_bytes)}."
        return f"{name} cannot be trained with this engine."


def judge(model: BaseModel, accepts: Accepts) -> Verdict:
    """Everything between the model and a training with an engine that takes what ``accepts`` says."""
    known = accepts.architectures is None or model.architecture in accepts.architectures
    checks = _CHECKS if model.kind == inspect.MODEL and known else _FIRST
    reasons = tuple(reason for check in checks for reason in check(model, accepts))
    outcomes = {reason.outcome for reason in reasons}
    if Outcome.NO in outcomes:
        return Verdict(model=model, outcome=Outcome.NO, reasons=reasons)
    if Outcome.COPY not in outcomes:
        return Verdict(model=model, outcome=Outcome.AS_IT_IS, reasons=reasons)
    recipe = _recipe(model, accepts)
    size = copy_bytes(read(model.path), recipe)
    return Verdict(model=model, outcome=Outcome.COPY, reasons=reasons, recipe=recipe, copy_bytes=size)


def _recipe(model: BaseModel, accepts: Accepts) -> Recipe:
    known = accepts.pre_tokenizers
    rename = model.vocabulary == "gpt2" and known is not None and model.pre_tokenizer not in known | {""}
    return Recipe(
        untie=model.tied and not accepts.tied,
        repeat_heads=model.heads // model.kv_heads if model.grouped and not accepts.gqa else 1,
        pre=equivalent(model.pre_tokenizer, known or ()) if rename else "",
        rope_factor=model.rope_factor if _older_rope(model, accepts) else 1.0,
    )


def _kind(model: BaseModel, _accepts: Accepts) -> Iterator[Reason]:
    said = {
        inspect.ADAPTER: "is a LoRA (an adapter), not a base model.",
        inspect.CHECKPOINT: "is a saved state of a training, not a base model.",
        inspect.VOCABULARY: "holds only a vocabulary, no model.",
        inspect.OTHER: "is not a language model.",
    }.get(model.kind)
    if said:
        yield _no(f"not-a-model:{model.kind}", f"{model.path.name} {said}", "Choose the base model's own file.")
    if model.parts > 1:
        yield _no(
            "split",
            f"{model.path.name} is one of {model.parts} parts of a model.",
            "Choose a file that holds the whole model.",
        )
    for problem in model.problems:
        yield _no(problem.code, problem.message, problem.hint)


def _architecture(model: BaseModel, accepts: Accepts) -> Iterator[Reason]:
    if model.kind != inspect.MODEL:
        return
    known = accepts.architectures
    if known is not None and model.architecture not in known:
        yield _no(
            "architecture",
            f"Its architecture is {model.architecture}; this engine trains {_listed(known)}.",
            "Choose a model of a family that it trains, or another engine.",
        )
    if model.experts:
        yield _no(
            "experts",
            f"It is a mixture of {model.experts} experts (MoE), which cannot be trained here.",
            "Choose an ordinary (dense) model.",
        )
    taken = accepts.vocabularies
    if not model.vocabulary or (taken is not None and model.vocabulary not in taken):
        kind = model.vocabulary or "missing"
        yield _no("vocabulary", f"Its vocabulary is of a kind that the engine cannot use ({kind}).", _ANOTHER)


def _tensors(model: BaseModel, accepts: Accepts) -> Iterator[Reason]:
    if model.architecture != "llama" or model.experts:
        return
    found = model.differences
    if model.parts == 1 and found.missing:
        yield _no("tensors-missing", f"Parts of the model are missing: {_few(found.missing)}.", _AGAIN)
    if not (model.heads and model.kv_heads) or model.heads % model.kv_heads:
        said = f"{model.heads} and {model.kv_heads} key/value heads"
        yield _no("heads", f"Its numbers of attention heads ({said}) are unusual.", _ANOTHER)
    if accepts.extras:
        return
    if found.unexpected:
        names = _few(found.unexpected)
        yield _no("tensors-unexpected", f"It has parts that the engine would ignore: {names}.", _ANOTHER)
    if model.query_width and model.query_width != model.embedding:
        yield _no(
            "head-width",
            f"Its attention is {model.query_width} wide; the engine needs {model.embedding}, as the model.",
            _ANOTHER,
        )
    if found.misshapen:
        yield _no("tensors-misshapen", f"Parts have an unexpected size: {_few(found.misshapen)}.", _AGAIN)


def _older_rope(model: BaseModel, accepts: Accepts) -> bool:
    """Whether the engine reads linear stretching only from the older entry, which the file does not have."""
    known = accepts.rope_scaling
    return model.rope_scaling == "linear" and known is not None and "linear" not in known


def _rope(model: BaseModel, accepts: Accepts) -> Iterator[Reason]:
    known = accepts.rope_scaling
    if known is None or model.rope_scaling in known:
        return
    if _older_rope(model, accepts) and "scale_linear" in known:
        yield Reason(
            code="rope-linear",
            message=f"Its context is stretched {model.rope_factor:g} times; the engine would not notice.",
            outcome=Outcome.COPY,
            change="The copy says it in the older way, too.",
        )
    else:
        how = model.rope_scaling
        yield _no("rope", f"It stretches its context in a way the engine does not know ({how}).", _ANOTHER)


def _tied(model: BaseModel, accepts: Accepts) -> Iterator[Reason]:
    if model.tied and not accepts.tied:
        yield Reason(
            code="tied",
            message="Its output layer is shared with its token embedding; the engine needs two.",
            outcome=Outcome.COPY,
            change="The copy gets an output layer of its own with the same numbers.",
        )


def _grouped(model: BaseModel, accepts: Accepts) -> Iterator[Reason]:
    if model.grouped and not accepts.gqa:
        yield Reason(
            code="gqa",
            message=f"Its {model.heads} attention heads share {model.kv_heads} key/value heads (GQA), "
            "which the engine would silently train wrongly.",
            outcome=Outcome.COPY,
            change="In the copy every head has a key/value head of its own; it computes the same.",
        )


def _pre_tokenizer(model: BaseModel, accepts: Accepts) -> Iterator[Reason]:
    known = accepts.pre_tokenizers
    if model.vocabulary != "gpt2" or known is None or model.pre_tokenizer in known:
        return
    if not model.pre_tokenizer:
        yield Reason(
            code="pre-tokenizer-missing",
            message="The file does not say how its tokenizer splits text; the engine will guess.",
            outcome=Outcome.AS_IT_IS,
            hint="Training works, but a newer file of the same model gives better results.",
        )
        return
    same = equivalent(model.pre_tokenizer, known)
    message = f"Its tokenizer splits text by rules that the engine does not know by name ({model.pre_tokenizer})."
    if same:
        change = f"The copy names {same} instead, which splits in the same way."
        yield Reason(code="pre-tokenizer", message=message, outcome=Outcome.COPY, change=change)
    else:
        yield _no("pre-tokenizer-unknown", message, _ANOTHER)


def _formats(model: BaseModel, accepts: Accepts) -> Iterator[Reason]:
    known = accepts.tensor_types
    others = [name for name in model.tensor_types if known is not None and name not in known]
    packed = [name for name in others if GgmlType[name] not in UNPACKABLE]
    if packed:
        yield _no("format", f"It stores numbers as {_listed(packed)}, which cannot be unpacked.", _ANOTHER)
    elif others:
        yield Reason(
            code="format",
            message=f"It stores numbers as {_listed(others)}, which the engine cannot train on.",
            outcome=Outcome.COPY,
            change="The copy holds them unpacked.",
        )


_Check = Callable[[BaseModel, Accepts], Iterator[Reason]]
_FIRST: tuple[_Check, ...] = (_kind, _architecture)
_CHECKS: tuple[_Check, ...] = (*_FIRST, _tensors, _rope, _tied, _grouped, _pre_tokenizer, _formats)
_ANOTHER = "Choose another model."
_AGAIN = "Download the file again, or choose another file of this model."


def _no(code: str, message: str, hint: str) -> Reason:
    return Reason(code=code, message=message, outcome=Outcome.NO, hint=hint)


def _listed(names: frozenset[str] | list[str]) -> str:
    return ", ".join(sorted(names))


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
