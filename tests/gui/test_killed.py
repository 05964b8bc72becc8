"""``kill -9`` of the window, in each place and during each kind of work: nothing is lost, and it opens where it was."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from loragui import acts
from loragui import project as projects
from loragui.data.folder import load_report
from loragui.engine.installed import Engine
from loragui.gui.app import Program
from loragui.gui.memory import Memory
from loragui.gui.session import Session
from loragui.gui.widgets.run_panel import RunPanel
from loragui.gui.window import Window
from loragui.jobs import client
from loragui.jobs.folder import DONE
from loragui.model.shelf import shelf
from loragui.paths import Workspace
from loragui.project import DataChoice, FileRef, Hyperparameters
from loragui.steps import Step
from loragui.training.runs import kind_of, run_folders
from tests import paper, tiny

Kill = Callable[..., None]
Reopen = Callable[[], Window]


@pytest.fixture
def kill(workspace: Workspace, tmp_path: Path) -> Iterator[Kill]:
    """Open the project's window in another process at a place, let it work if asked to, and kill it."""
    children: list[subprocess.Popen[str]] = []

    def run(project: Path, step: Step | None, *, press: bool = False) -> None:
        words = [str(workspace.root), str(project), step.name if step else "", *(["press"] if press else [])]
        env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        command = [sys.executable, "-m", "tests.gui.victim", *words]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        children.append(child)
        assert child.stdout is not None
        assert child.stderr is not None
        for wanted in ("ready", "working")[: 1 + press]:
            line = child.stdout.readline().strip()
            assert line == wanted, f"{line}\n{child.stderr.read()}"
        child.kill()
        child.wait()

    yield run
    for child in children:
        child.kill()
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def reopen(workspace: Workspace, styled: object, qtbot: QtBot) -> Iterator[Reopen]:
    """Start the window again, as a person does, and wait until it has looked around."""
    programs: list[Program] = []

    def run() -> Window:
        program = Program(workspace)
        assert program.single.first, "the killed window's claim is gone"
        programs.append(program)
        window = program.open(workspace, None)
        qtbot.waitUntil(lambda: bool(window.session.gates) and not window.session.busy, timeout=20_000)
        return window

    yield run
    for program in programs:
        assert program.window is not None
        for going in program.window.session.running():
            client.request_stop(going.folder)
            for _ in client.follow(going.folder):
                pass
        program.finish()
        program.window.hide()
        program.window.deleteLater()
        program.deleteLater()


@pytest.mark.parametrize("step", [None, *Step])
def test_in_every_place(workspace: Workspace, kill: Kill, reopen: Reopen, step: Step | None) -> None:
    opened = paper.project(workspace.root)
    before = paper.tree(opened.folder)
    kill(opened.folder, step)
    assert paper.tree(opened.folder) == before
    window = reopen()
    assert window.session.store.opened is not None
    assert window.session.store.opened.folder == opened.folder
    locked = step is not None and window.session.gates[step].locked
    assert window.place is step or locked


@pytest.fixture
def live(workspace: Workspace, engine: Engine) -> acts.Open:
    """A project whose training with the real engine takes long."""
    opened = paper.project(workspace.root)
    base = tiny.write(workspace.root / "larger.gguf", tiny.Tiny(embedding=128, feed_forward=256))
    session = Session(workspace)
    session.store.open(opened.folder)
    session.store.edit(
        engine=FileRef.of(engine.folder, opened.folder),
        base_model=FileRef.of(base, opened.folder),
        hyperparameters=Hyperparameters(
            context_size=paper.CONTEXT, iterations=100_000, rank=4, alpha=4, threads=1, save_every=4
        ),
    )
    session.finish()
    return paper.text(acts.open_project(opened.folder))


@pytest.mark.real
def test_during_a_training(live: acts.Open, kill: Kill, reopen: Reopen, qtbot: QtBot) -> None:
    kill(live.folder, Step.TRAIN, press=True)
    window = reopen()
    assert window.place is Step.TRAIN
    run = window.session.running_step(Step.TRAIN)
    assert run is not None
    with qtbot.waitSignal(run.fresh, timeout=60_000):
        pass
    assert run.running
    assert acts.open_project(live.folder).project == live.project


@pytest.mark.real
def test_while_an_engine_is_built(
    workspace: Workspace, shared_workspace: Workspace, gcc_engine: Engine, kill: Kill, reopen: Reopen, qtbot: QtBot
) -> None:
    """With make, gcc and the real sources; the downloads are those of the shared workspace."""
    opened = paper.project(workspace.root)
    shutil.rmtree(workspace.engines)
    shutil.copytree(shared_workspace.cache / "packages", workspace.cache / "packages")
    projects.save(opened.folder, dataclasses.replace(opened.project, engine=None))
    kill(opened.folder, Step.ENGINE, press=True)
    window = reopen()
    assert window.place is Step.ENGINE
    run = window.session.running_step(Step.ENGINE)
    assert run is not None
    with qtbot.waitSignal(run.fresh, timeout=60_000):
        pass
    assert window.pages[Step.ENGINE].findChild(RunPanel).isVisible()


def test_while_a_model_is_converted(workspace: Workspace, kill: Kill, reopen: Reopen, qtbot: QtBot) -> None:
    opened = paper.project(workspace.root)
    shape = tiny.Tiny(tied=True, embedding=512, feed_forward=2048, layers=24, vocabulary=512)
    base = tiny.write(workspace.root / "tied.gguf", shape)
    before = base.read_bytes()
    chosen = dataclasses.replace(opened.project, base_model=FileRef.of(base, opened.folder))
    projects.save(opened.folder, chosen)
    kill(opened.folder, Step.MODEL, press=True)
    window = reopen()
    assert window.place is Step.MODEL
    qtbot.waitUntil(lambda: not window.session.running(), timeout=60_000)
    assert base.read_bytes() == before
    copies = [one for one in shelf(workspace) if one.copy_of == "tied.gguf"]
    assert len(copies) == 1
    page = window.pages[Step.MODEL]
    qtbot.waitUntil(lambda: (act := page.act()) is not None and act.text in USED, timeout=20_000)


USED = {"Use the converted copy", "Continue to the training data"}


def test_while_files_are_read(workspace: Workspace, kill: Kill, reopen: Reopen, qtbot: QtBot, tmp_path: Path) -> None:
    opened = paper.project(workspace.root)
    chat = long_chat(tmp_path / "long.jsonl", 20_000)
    data = DataChoice(files=(FileRef.of(chat, opened.folder),))
    projects.save(opened.folder, dataclasses.replace(opened.project, data=data))
    kill(opened.folder, Step.DATA, press=True)
    window = reopen()
    assert window.place is Step.DATA
    qtbot.waitUntil(lambda: window.session.gates_are_current and window.session.gates[Step.DATA].done, timeout=90_000)
    assert load_report(opened.data).totals.turns == 20_000


def long_chat(path: Path, turns: int) -> Path:
    rows = (
        {"name": ("Mia", "Orla")[n % 2], "is_user": n % 2 == 0, "mes": f"Night {n}: the lamp."} for n in range(turns)
    )
    head = {"user_name": "Mia", "character_name": "Orla", "chat_metadata": {}}
    path.write_text("\n".join(json.dumps(row) for row in (head, *rows)) + "\n", encoding="utf-8")
    return path


@pytest.mark.real
@pytest.mark.parametrize("work", ["merging", "asking"])
def test_while_it_merges_and_asks(live: acts.Open, kill: Kill, reopen: Reopen, qtbot: QtBot, work: str) -> None:
    short = dataclasses.replace(live.project.hyperparameters, iterations=4)
    opened = dataclasses.replace(live, project=dataclasses.replace(live.project, hyperparameters=short))
    projects.save(opened.folder, opened.project)
    training = acts.train(opened)
    assert client.run_to_end(training).state == DONE
    if work == "asking":
        assert client.run_to_end(acts.merge(opened, training, acts.MergeRequest())).state == DONE
    kill(opened.folder, Step.RESULT, press=True)
    window = reopen()
    assert window.place is Step.RESULT
    qtbot.waitUntil(lambda: not window.session.running(), timeout=60_000)
    kinds = [kind_of(folder) for folder in run_folders(opened.folder) if folder.look().state == DONE]
    assert kinds == (["train", "merge"] if work == "merging" else ["train", "merge", "prove"])


def test_memory_is_of_the_workspace(workspace: Workspace, tmp_path: Path) -> None:
    Memory(workspace).stand(tmp_path / "p", Step.DATA)
    assert Memory(workspace).place is Step.DATA
    assert Memory(Workspace(tmp_path / "other")).project is None
