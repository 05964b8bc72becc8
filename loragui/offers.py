"""Which base models a person can choose from on this PC, and what the chosen one means: fit, verdict, copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loragui import acquire, acts
from loragui.errors import AppError
from loragui.gguf.read import read
from loragui.machine import Machine
from loragui.model import catalogue, fetch
from loragui.model.convert import seems_copy
from loragui.model.inspect import BaseModel
from loragui.model.judge import Verdict
from loragui.model.shelf import shelf
from loragui.paths import Workspace
from loragui.project import Hyperparameters
from loragui.settings.size import size_from, size_of
from loragui.settings.suits import Suits, suits


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A base model that can be chosen. With a ``path`` it is on this PC; with ``download_bytes`` it can be downloaded
    here; with a ``page`` the person gets it there.

    ``bytes`` is the size of its file. ``copy_of`` names the file that it was converted from.
    """

    id: str
    name: str
    about: str = ""
    licence: str = ""
    bytes: int = 0
    fit: Suits | None = None
    path: Path | None = None
    download_bytes: int = 0
    page: str = ""
    file: str = ""
    copy_of: str = ""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The project's base model: what it is, what the engine can do with it, and its finished copy if there is one."""

    model: BaseModel
    verdict: Verdict
    fit: Suits | None = None
    copy: Path | None = None


def model_offers(workspace: Workspace, settings: Hyperparameters, pc: Machine) -> tuple[Offer, ...]:
    """Recommended models first, then others that lie in the workspace, then those to be got by hand."""
    found = [_recommended(entry, workspace, settings, pc) for entry in catalogue.recommended()]
    known = {offer.path for offer in found}
    for one in shelf(workspace):
        model = one.model
        if model.path not in known:
            fit = _fit_of(model.path, settings, pc)
            found.append(
                Offer(
                    id=f"disk:{model.path.name}", name=model.path.name, bytes=model.size, fit=fit, path=model.path,
                    licence=model.licence, copy_of=one.copy_of,
                )
            )  # fmt: skip
    return (*found, *(_by_hand(entry, settings, pc) for entry in catalogue.known()))


def _recommended(entry: catalogue.Recommended, workspace: Workspace, settings: Hyperparameters, pc: Machine) -> Offer:
    path = fetch.model_path(entry, workspace)
    return Offer(
        id=entry.id, name=entry.name, about=entry.why, licence=entry.licence, bytes=entry.bytes,
        fit=suits(size_from(entry.size_facts), settings, pc), path=path if path.is_file() else None,
        download_bytes=entry.download_bytes, file=entry.file,
    )  # fmt: skip


def _by_hand(entry: catalogue.Known, settings: Hyperparameters, pc: Machine) -> Offer:
    return Offer(
        id=entry.id, name=entry.name, about=entry.why, licence=entry.licence, bytes=entry.bytes,
        fit=suits(size_from(entry.size_facts), settings, pc), page=entry.page, file=entry.file,
    )  # fmt: skip


def _fit_of(path: Path, settings: Hyperparameters, pc: Machine) -> Suits | None:
    try:
        return suits(size_of(read(path)), settings, pc)
    except AppError:
        return None  # the verdict says what is wrong with it


def chosen(
    path: Path, accepts: Mapping[str, Any], settings: Hyperparameters, pc: Machine, workspace: Workspace
) -> Chosen:
    """What choosing the file ``path`` for an engine that ``accepts`` these bases means. AppError for a bad file."""
    verdict = acts.verdict_of(path, accepts)
    copy = None
    if verdict.recipe is not None:
        made = acquire.copy_work(path, verdict, workspace).makes
        copy = made if seems_copy(made, verdict.model, verdict.recipe) else None
    return Chosen(model=verdict.model, verdict=verdict, fit=_fit_of(path, settings, pc), copy=copy)
