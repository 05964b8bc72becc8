from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loragui import acquire, workshop
from loragui import project as projects
from loragui.engine import catalogue, installed
from loragui.engine.tools import Found
from loragui.jobs import events
from loragui.jobs.events import RunStarted
from loragui.jobs.folder import RunFolder
from loragui.machine import Machine
from loragui.paths import Workspace
from tests import paper

PC = Machine(
    system="Debian", system_version="12", architecture="x86_64", cpu_name="CPU", physical_cores=4, logical_cores=8,
    instruction_sets=("AVX2",), ram_total_bytes=16 << 30, ram_available_bytes=8 << 30,
)  # fmt: skip
NOTHING: dict[str, Found | None] = {}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with one project that uses the engine "paper"."""
    opened = paper.project(tmp_path)
    return Workspace(opened.folder.parents[1])


def test_ways_tools_and_engines_of_a_bare_pc(workspace: Workspace) -> None:
    seen = workshop.look(workspace, PC, found=NOTHING)
    assert [way.recipe.id for way in seen.ways] == [
        recipe.id for recipe in catalogue.recipes() if catalogue.this_system() in recipe.on
    ]
    assert seen.recommendation.recipe == catalogue.recipe("wheels")
    lacking = {way.recipe.id: {problem.code for problem in way.problems} for way in seen.ways}
    assert lacking["wheels"] == set()
    assert lacking["gcc"] == {"tool-missing"}
    assert {row.tool.id for row in seen.tools} >= {"git", "gcc", "cuda", "clblast"}
    gcc = next(row for row in seen.tools if row.tool.id == "gcc")
    assert gcc.found is None
    assert catalogue.recipe("gcc").name in gcc.needed_by
    assert gcc.ways


def test_an_engine_names_the_projects_that_use_it(workspace: Workspace) -> None:
    (row,) = workshop.look(workspace, PC, found=NOTHING).engines
    (folder,) = [path for path in workspace.projects.iterdir() if (path / projects.FILE).is_file()]
    assert row.users == (projects.load(folder).name,)
    assert row.newer is None
    assert row.tuning is None


def test_engines_of_older_lists_stand_beside_what_replaces_them(workspace: Workspace) -> None:
    engine = installed.load(workspace.engines / "paper")
    installed.save(replace(engine, recipe="wheels", pin="b2321"))
    (row,) = workshop.look(workspace, PC, found=NOTHING).engines
    assert row.newer == (catalogue.recipe("wheels"), catalogue.pin("b2896"))
    work = acquire.engine_work(*row.newer[:1], workspace, found=NOTHING, pin=row.newer[1])
    assert work.makes != engine.folder, "the old one stays for those who use it"


def test_an_engine_whose_revision_no_list_knows_any_more_still_says_what_it_takes(workspace: Workspace) -> None:
    engine = installed.load(workspace.engines / "paper")
    installed.save(replace(engine, recipe="gone", pin="b9999"))
    (row,) = workshop.look(workspace, PC, found=NOTHING).engines
    assert (row.recipe, row.newer, row.again) == (None, None, None)
    assert installed.load(engine.folder).accepts == engine.accepts
    assert engine.accepts["architectures"] == ["llama"]


def test_a_damaged_engine_is_listed_with_its_problem(workspace: Workspace) -> None:
    (workspace.engines / "paper" / "finetune").unlink()
    seen = workshop.look(workspace, PC, found=NOTHING)
    assert seen.usable == ()
    assert seen.engines[0].found.problem is not None
    assert seen.engines[0].users, "so that nobody removes it unawares"


@pytest.mark.parametrize("recipe_id", ["wheels", "cmake"])
def test_a_build_that_did_not_come_to_its_end_is_found(workspace: Workspace, recipe_id: str) -> None:
    assert workshop.look(workspace, PC, found=NOTHING).unfinished is None
    compilers = {name: Found(path=f"/usr/bin/{name}") for name in ("gcc", "gxx")}
    work = acquire.engine_work(catalogue.recipe(recipe_id), workspace, found=compilers)
    work.folder.save_plan(work.plan)
    folder = RunFolder(work.folder.path)
    begun = events.to_line(RunStarted(title=work.plan.title, attempt=1, plan=work.plan.fingerprint), 1.0)
    folder.events_file.write_text(begun + "\n")
    assert folder.look().state == "broken"
    found = workshop.look(workspace, PC, found=NOTHING).unfinished
    assert found is not None
    assert found.path == folder.path


def test_a_damaged_engine_is_built_again_as_what_it_was(workspace: Workspace) -> None:
    """Its name is all that is left of it."""
    (workspace.engines / "paper").rename(workspace.engines / "b2321-gcc")
    (workspace.engines / "b2321-gcc" / "engine.json").unlink()
    (row,) = workshop.look(workspace, PC, found=NOTHING).engines
    assert row.again == (catalogue.recipe("gcc"), catalogue.pin("b2321"))


def test_an_engine_is_built_again_of_its_own_revision_or_not_at_all(workspace: Workspace) -> None:
    engine = installed.load(workspace.engines / "paper")
    for recipe, pin, again in (("gcc", "b2321", True), ("wheels", "b2321", False), ("gcc", "b9999", False)):
        installed.save(replace(engine, recipe=recipe, pin=pin))
        (row,) = workshop.look(workspace, PC, found=NOTHING).engines
        assert row.again == ((catalogue.recipe(recipe), catalogue.pin(pin)) if again else None)


def test_an_engine_with_a_name_of_its_own_is_replaced_under_that_name(workspace: Workspace) -> None:
    work = acquire.engine_work(catalogue.recipe("wheels"), workspace, found=NOTHING, name="paper", anew=True)
    assert work.makes == workspace.engines / "paper"
    assert work.plan.facts["name"] == "paper"
