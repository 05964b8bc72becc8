"""Engines that are ready to use: one folder each in the workspace, with ``engine.json`` beside the programs.

A folder appears by one rename after everything in it was checked (see ``build.py``), and it can be moved.
Folders whose names begin with a dot are work in progress or rubbish, never engines.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loragui.engine import catalogue
from loragui.errors import AppError, Problem
from loragui.jobs.pyjob import os_problem
from loragui.paths import Workspace, write_json

SCHEMA = 2
"""1 had no options, library, accepts, losses and live."""
FILE = "engine.json"


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An installed engine. ``flags`` are those that each program's help named, ``size`` in bytes, ``built`` ISO time.

    ``environment`` is laid over the environment of every program of it; None removes a variable. ``options`` and
    ``library`` are those of the build. ``accepts`` is what it can train (see ``model/accepts.py``): it stands here
    because the list of a later version may not know this revision any more. ``losses`` are those of its self-test.
    An engine that is not ``live`` keeps its output back for some 40 iterations: it was not built with unbuffer.c.
    """

    name: str
    folder: Path
    pin: str
    commit: str
    recipe: str
    built: str
    size: int
    programs: Mapping[str, str]
    flags: Mapping[str, tuple[str, ...]]
    environment: Mapping[str, str | None]
    options: tuple[str, ...] = ()
    library: str = "none"
    accepts: Mapping[str, Any] = field(default_factory=dict)
    losses: tuple[float, ...] = ()
    live: bool = True

    def program(self, name: str) -> Path:
        """The file of the program ``name`` (``finetune``). AppError when this engine has none."""
        if name not in self.programs:
            raise AppError(
                f"The engine {self.name} has no program {name}.",
                "Build the engine again.",
                code="engine-damaged",
            )
        return self.folder / self.programs[name]


def save(engine: Engine) -> None:
    """Write the engine's file into its folder."""
    row = {
        "schema": SCHEMA,
        "name": engine.name,
        "pin": engine.pin,
        "commit": engine.commit,
        "recipe": engine.recipe,
        "built": engine.built,
        "size": engine.size,
        "programs": dict(engine.programs),
        "flags": {name: list(flags) for name, flags in engine.flags.items()},
        "environment": dict(engine.environment),
        "options": list(engine.options),
        "library": engine.library,
        "accepts": dict(engine.accepts),
        "losses": list(engine.losses),
        "live": engine.live,
    }
    write_json(engine.folder / FILE, row)


def load(folder: Path) -> Engine:
    """The engine in ``folder``. AppError when there is none, it is damaged, or a newer loragui built it."""
    path = folder / FILE
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        _check_schema(row, path)
        row = _lifted(row)
        engine = _parse(row, folder.absolute())
    except FileNotFoundError as error:
        raise AppError(
            f"{folder} holds no engine.", "Choose another engine, or build one.", code="no-engine"
        ) from error
    except OSError as error:
        raise AppError.of(os_problem(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(folder, repr(error)) from error
    missing = [file for file in engine.programs.values() if not (folder / file).is_file()]
    if missing:
        raise _damaged(folder, f"missing: {', '.join(missing)}")
    return engine


def _check_schema(row: Any, path: Path) -> None:
    schema = row["schema"]
    if not isinstance(schema, int):
        raise TypeError("no schema number")
    if schema > SCHEMA:
        raise AppError.newer(path, "Update loragui, or build the engine anew.")


def _parse(row: Mapping[str, Any], folder: Path) -> Engine:
    return Engine(
        name=str(row["name"]),
        folder=folder,
        pin=str(row["pin"]),
        commit=str(row["commit"]),
        recipe=str(row["recipe"]),
        built=str(row["built"]),
        size=int(row["size"]),
        programs={str(name): str(file) for name, file in row["programs"].items()},
        flags={str(name): tuple(map(str, flags)) for name, flags in row["flags"].items()},
        environment={str(n): None if value is None else str(value) for n, value in row["environment"].items()},
        options=tuple(map(str, row["options"])),
        library=str(row["library"]),
        accepts=dict(row["accepts"]),
        losses=tuple(map(float, row["losses"])),
        live=bool(row["live"]),
    )


def _lifted(row: dict[str, Any]) -> dict[str, Any]:
    """A row of schema 1 as one of today. Only b2896 was built then."""
    if row["schema"] > 1:
        return row
    library = "openblas" if "OPENBLAS_NUM_THREADS" in row["environment"] else "none"
    known = {pin.id: dict(pin.accepts) for pin in catalogue.pins()}
    accepts = known.get(row["pin"], known[catalogue.pins()[0].id])  # nothing at all would stand for everything
    return {**row, "options": [], "library": library, "accepts": accepts, "losses": [], "live": True}


def _damaged(folder: Path, details: str) -> AppError:
    return AppError(
        f"The engine in {folder} is damaged.",
        "Build it again. If an antivirus program took a file away, allow it there first.",
        details=details,
        code="engine-damaged",
    )


@dataclass(frozen=True, kw_only=True)
class Found:
    """A folder of the workspace that should hold an engine: the engine, or what is wrong with it."""

    folder: Path
    engine: Engine | None = None
    problem: Problem | None = None


def survey(workspace: Workspace) -> tuple[Found, ...]:
    """Every engine folder of the workspace, by name; damaged ones with their problem."""
    if not workspace.engines.is_dir():
        return ()
    found = []
    for folder in sorted(workspace.engines.iterdir()):
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        try:
            found.append(Found(folder=folder, engine=load(folder)))
        except AppError as error:
            found.append(Found(folder=folder, problem=error.problem))
    return tuple(found)


def engines(workspace: Workspace) -> tuple[Engine, ...]:
    """The usable engines of the workspace, by name."""
    return tuple(found.engine for found in survey(workspace) if found.engine is not None)


def remove(workspace: Workspace, name: str) -> None:
    """Delete an engine's folder. It stops being an engine at once, even if the deleting is interrupted."""
    folder = workspace.engines / name
    if not name or Path(name).name != name or name.startswith(".") or not folder.is_dir() or folder.is_symlink():
        raise AppError(
            f"There is no engine {name} in {workspace.engines}.",
            "Look at the list of engines.",
            code="no-engine",
        )
    doomed = workspace.engines / f".removed-{name}"
    try:
        shutil.rmtree(doomed, ignore_errors=True)
        folder.replace(doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise AppError(
            f"The engine {name} could not be deleted.",
            "End what uses it (a running training), then try again.",
            details=repr(error),
            code="engine-busy",
        ) from error
