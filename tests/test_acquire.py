from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from loragui import acquire, steps
from loragui.engine import catalogue, installed
from loragui.engine.recipes import engine_name
from loragui.errors import AppError
from loragui.model import catalogue as models
from loragui.model.inspect import inspect
from loragui.model.judge import Accepts, judge
from loragui.paths import Workspace
from loragui.project import FileRef
from loragui.steps import Step
from tests import paper
from tests.model import models as kinds

PIN = catalogue.pins()[0]
ACCEPTS = Accepts.of(PIN.accepts)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def recipe() -> catalogue.Recipe:
    return acquire.recommended_recipe()


def built(workspace: Workspace, name: str) -> Path:
    """An engine on paper of that name."""
    paper.project(workspace.root)
    engine = installed.load(workspace.engines / "paper")
    place = engine.folder.rename(workspace.engines / name)
    installed.save(dataclasses.replace(engine, name=name, folder=place))
    return place


def test_an_engine_is_built_where_it_is_looked_for(workspace: Workspace, recipe: catalogue.Recipe) -> None:
    work = acquire.engine_work(recipe, workspace)
    name = engine_name(PIN, recipe)
    assert work.makes == workspace.engines / name
    assert work.folder.path == acquire.engine_folder(name, workspace).path == workspace.jobs / f"engine-{name}"
    assert steps.step_of(work.plan.kind) is Step.ENGINE
    assert acquire.built(recipe, workspace) is None
    place = built(workspace, name)
    found = acquire.built(recipe, workspace)
    assert found is not None
    assert found.folder == place
    assert not any(workspace.jobs.glob("*")), "nothing was begun"


def test_what_this_pc_cannot_build_is_refused(workspace: Workspace, recipe: catalogue.Recipe) -> None:
    other = dataclasses.replace(recipe, systems=("solaris-sparc",))
    with pytest.raises(AppError, match="not available for this kind of computer") as refused:
        acquire.engine_work(other, workspace)
    assert refused.value.problem.code == "other-system"
    missing = dataclasses.replace(recipe, needs=("no-such-compiler",))
    with pytest.raises(AppError, match="no-such-compiler"):
        acquire.engine_work(missing, workspace)


def test_the_recommended_way_can_be_gone_here(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = catalogue.recipes()
    needy = dataclasses.replace(first, needs=("no-such-compiler",))
    monkeypatch.setattr(catalogue, "recipes", lambda: (needy, *others))
    assert acquire.recommended_recipe() in others
    monkeypatch.setattr(catalogue, "recipes", lambda: (needy,))
    assert acquire.recommended_recipe() == needy, "so that something can say why not"


def test_the_revision_of_an_engine(workspace: Workspace) -> None:
    assert acquire.pin_of(None, workspace.root) == PIN.id
    place = built(workspace, "mine")
    chosen = FileRef.of(place, workspace.root)
    assert acquire.pin_of(chosen, workspace.root) == PIN.id
    place.rename(place.with_name("gone"))
    with pytest.raises(AppError):
        acquire.pin_of(chosen, workspace.root)


@pytest.mark.parametrize("entry", models.recommended(), ids=lambda entry: entry.id)
def test_a_recommended_model_is_downloaded_to_the_workspace(workspace: Workspace, entry: models.Recommended) -> None:
    work = acquire.model_work(entry, workspace)
    assert work.makes.parent == workspace.models
    assert work.folder.path == workspace.jobs / f"fetch-{entry.id}"
    assert steps.step_of(work.plan.kind) is Step.MODEL


def test_a_copy_stands_beside_its_source(workspace: Workspace, tmp_path: Path) -> None:
    source = kinds.write(tmp_path / "Some Model ä.gguf", kinds.Tiny())
    before = source.read_bytes()
    work = acquire.copy_work(source, judge(inspect(source), ACCEPTS), workspace)
    assert work.makes.parent == workspace.models
    assert work.makes != source
    assert work.folder.path.parent == workspace.jobs
    assert work.folder.path.name.isascii()
    assert steps.step_of(work.plan.kind) is Step.MODEL
    assert source.read_bytes() == before


def test_no_copy_of_what_needs_none_or_cannot_be_helped(workspace: Workspace, tmp_path: Path) -> None:
    fine = kinds.write(tmp_path / "fine.gguf", kinds.Tiny(kv_heads=4, tied=False, pre="starcoder"))
    with pytest.raises(AppError, match="can be trained as it is") as error:
        acquire.copy_work(fine, judge(inspect(fine), ACCEPTS), workspace)
    assert error.value.problem.code == "no-copy-needed"
    hopeless = kinds.write(tmp_path / "hopeless.gguf", kinds.Tiny(tied=False, pre="tekken"))
    verdict = judge(inspect(hopeless), ACCEPTS)
    assert verdict.reasons[0].code == "gqa", "a copy would mend this one"
    with pytest.raises(AppError) as error:
        acquire.copy_work(hopeless, verdict, workspace)
    assert error.value.problem.code == "pre-tokenizer-unknown"
