from __future__ import annotations

import json
from pathlib import Path

import pytest

from loragui.cli.jobs import JOBS
from loragui.cli.readers import READERS
from loragui.engine import catalogue, recipes
from loragui.engine.sources import GIT, Source
from loragui.engine.tools import Found, facts
from loragui.paths import Workspace

PARTS = {
    name: f"C:/tool/{name}"
    for name in ("nvcc", "gcc", "g++", "make", "bin", "library", "include", "dll", "generator", "architectures")
}
EVERYTHING = {tool.id: Found(path=f"C:/{tool.id}", parts=PARTS) for tool in facts.tools()}


@pytest.mark.parametrize(
    ("recipe", "system"), [(recipe, system) for recipe in catalogue.recipes() for system in recipe.on]
)
def test_the_runner_knows_every_reader_and_job_of_every_recipe(
    recipe: catalogue.Recipe, system: str, tmp_path: Path
) -> None:
    for source in (Source(), Source(kind=GIT), Source(kind="folder", place=str(tmp_path))):
        plan = recipes.build_plan(
            recipe, catalogue.pin(recipe.pins[0]), Workspace(tmp_path), found=EVERYTHING, system=system, source=source
        )
        for step in plan.steps:
            READERS[step.command.reader](tmp_path, json.loads(json.dumps(dict(step.command.reader_args))))
            if step.command.argv[-3:-2] == ("job",):
                assert step.command.argv[-2] in JOBS
