"""A project that is ready to train, with an engine on paper: its programs are empty files and are never started."""

from __future__ import annotations

from pathlib import Path

from loragui import acts
from loragui import project as projects
from loragui.data.job import format_job
from loragui.engine import catalogue, installed
from loragui.engine.installed import Engine
from loragui.jobs import events
from loragui.jobs.events import RunEnded, RunStarted
from loragui.jobs.folder import DONE
from loragui.paths import resource_path
from loragui.project import DataChoice, FileRef, Hyperparameters, Project
from tests import tiny
from tests.engine.conftest import flags

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
            programs=programs, flags={name: flags(name) for name in programs}, environment={},
            accepts=pin.accepts,
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
    return text(acts.open_project(folder))


def text(opened: acts.Open) -> acts.Open:
    """Make the project's training text, and a run folder that says so."""
    run, plan = acts.format_data(opened)
    run.save_plan(plan)
    format_job({**plan.facts, "out": opened.data}, lambda _event: None)
    ended = (RunStarted(title=plan.title, plan=plan.fingerprint), RunEnded(state=DONE))
    run.events_file.write_text("".join(events.to_line(event, 1.0) + "\n" for event in ended), encoding="utf-8")
    return opened


def tree(root: Path) -> dict[str, bytes | None]:
    """Every file below ``root`` with its bytes, and every folder."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in sorted(root.rglob("*"))
    }
