from __future__ import annotations

import json
import sys
from pathlib import Path

from loragui import project as projects
from loragui.jobs import client
from loragui.jobs.events import Metric, RunEnded, RunStarted
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan
from loragui.jobs.plan import Step as RunStep
from loragui.overview import going_on, project_rows
from loragui.paths import Workspace
from loragui.steps import Step
from tests import paper
from tests.result.finished import tell


def test_projects_with_their_states(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert project_rows(workspace) == ()
    opened = paper.project(tmp_path)
    training = opened.runs / "0001"
    from loragui import acts

    folder = acts.train(opened)
    assert folder.path == training
    tell(folder, RunStarted(title="Training"), Metric(iteration=7, total=40, loss=2.0), RunEnded(state="stopped"))
    other = projects.create(workspace.projects, "Other")
    elsewhere = projects.create(tmp_path / "elsewhere", "Far away")
    broken = projects.create(workspace.projects, "Broken")
    (broken / "project.json").write_text("{", encoding="utf-8")
    rows = {row.name: row for row in project_rows(workspace, [elsewhere, tmp_path / "gone"])}
    assert set(rows) == {"Demo", "Other", "Far away", "broken"}
    assert (rows["Demo"].state, rows["Demo"].iteration, rows["Demo"].total) == ("stopped", 7, 40)
    assert (rows["Other"].state, rows["Other"].folder) == ("new", other)
    assert rows["broken"].state == "damaged"
    assert "damaged" in rows["broken"].message


def test_work_that_goes_on_is_found(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert going_on(workspace) == ()
    project = projects.create(workspace.projects, "One")
    command = Command(argv=(sys.executable, "-c", "import time; time.sleep(600)"))
    for folder, kind in ((workspace.jobs / "fetch", "model-fetch"), (project / "data" / "run", "data-format")):
        run = RunFolder(folder)
        run.save_plan(Plan(kind=kind, title="x", steps=(RunStep(id="s", title="s", command=command),)))
        client.start(run)
    found = going_on(workspace)
    assert [(one.step, one.project) for one in found] == [(Step.MODEL, None), (Step.DATA, project)]
    for one in found:
        client.request_stop(one.run)
        list(client.follow(one.run))
    assert going_on(workspace) == ()


def test_a_project_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for name in ("One", "Two"):
        projects.create(workspace.projects, name)
    runs = workspace.projects / "two" / "runs"
    runs.mkdir(exist_ok=True)
    (runs / "0001" / "events.jsonl").mkdir(parents=True)  # no file can be read there
    (runs / "0001" / "plan.json").write_text(
        json.dumps(Plan(kind="train", title="T", steps=()).to_json()), encoding="utf-8"
    )
    rows = {row.name: row for row in project_rows(workspace)}
    assert rows["One"].state == "new"
    assert rows["Two"].state == "damaged"
    assert rows["Two"].message


def test_a_project_is_listed_once_by_whatever_way_it_is_reached(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "link")
    (tmp_path / "real").mkdir()
    workspace.root.symlink_to(tmp_path / "real")
    folder = projects.create(workspace.projects, "One")
    assert [row.folder for row in project_rows(workspace, [folder.resolve(), folder])] == [folder]
