"""A project that is ready to train, with an engine on paper: its programs are empty files and are never started."""

from __future__ import annotations

from pathlib import Path

from loragui import acts
from loragui import project as projects
from loragui.data.job import format_job, prepare_plan
from loragui.engine import catalogue, installed
from loragui.engine.installed import Engine
from loragui.paths import resource_path
from loragui.project import DataChoice, FileRef, Hyperparameters, Project
from tests import tiny

CONTEXT = 512


def project(root: Path) -> acts.Open:
    """The project, with its engine, a tiny model and the demo's training text below ``root``."""
    folder = projects.create(root / "projects", "Demo")
    place = root / "engines" / "paper"
    place.mkdir(parents=True)
    programs = {name: name for name in ("finetune", "main", "quantize", "export-lora")}
    for name in programs:
        (place / name).touch()
    pin = catalogue.pins()[0]
    installed.save(
        Engine(
            name="paper", folder=place, pin=pin.id, commit=pin.commit, recipe="gcc", built="2026-11-25", size=1,
            programs=programs, flags=dict.fromkeys(programs, ()), environment={},
        )
    )  # fmt: skip
    base = tiny.write(root / "base.gguf", tiny.Tiny())
    chosen = Project(
        name="Demo",
        engine=FileRef.of(place, folder),
        base_model=FileRef.of(base, folder),
        data=DataChoice(files=(FileRef.of(resource_path("demo"), folder),)),
        hyperparameters=Hyperparameters(context_size=CONTEXT),
    )
    projects.save(folder, chosen)
    plan = prepare_plan([resource_path("demo")], out=folder / "data", base_model=base, context_size=CONTEXT)
    format_job(plan.facts, lambda _event: None)
    return acts.open_project(folder)


def tree(root: Path) -> dict[str, bytes | None]:
    """Every file below ``root`` with its bytes, and every folder."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in sorted(root.rglob("*"))
    }
