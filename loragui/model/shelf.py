"""The base models that lie in a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loragui.errors import AppError
from loragui.gguf.read import read
from loragui.model.convert import NOTE_SOURCE
from loragui.model.inspect import MODEL, BaseModel, inspect
from loragui.paths import Workspace


@dataclass(frozen=True, kw_only=True)
class OnDisk:
    """A base model's file. ``copy_of`` is the name of the file that it was converted from, empty for an original."""

    model: BaseModel
    copy_of: str = ""


def shelf(workspace: Workspace) -> tuple[OnDisk, ...]:
    """The readable base models of the workspace, by file name; what is no base model is left out."""
    if not workspace.models.is_dir():
        return ()
    found = (_look(path) for path in sorted(workspace.models.glob("*.gguf")))
    return tuple(one for one in found if one is not None)


def _look(path: Path) -> OnDisk | None:
    try:
        model = inspect(path)
        source = read(path).text(NOTE_SOURCE)
    except (AppError, OSError):
        return None
    return OnDisk(model=model, copy_of=source) if model.kind == MODEL else None
