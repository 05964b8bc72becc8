from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from loragui.gui.page import Page
from loragui.gui.pages.data import DataPage
from loragui.gui.session import Session
from loragui.jobs.folder import DONE, RunFolder
from loragui.paths import resource_path
from loragui.project import FileRef
from loragui.steps import Step
from tests.gui.drops import drag, drop, leave
from tests.gui.pages.reading import texts

PageOf = Callable[[Session], DataPage]
Settle = Callable[[Session], None]


@pytest.fixture
def page_of(show: Callable[[Page], None]) -> Callable[[Session], DataPage]:
    def make(session: Session) -> DataPage:
        made = DataPage(session)
        show(made)
        return made

    return make


def chat(path: Path, turns: int = 8, broken: bool = False) -> Path:
    rows = [{"user_name": "Mia", "character_name": "Orla", "create_date": "2026-1-1", "chat_metadata": {}}]
    rows += [
        {"name": ("Mia", "Orla")[n % 2], "is_user": n % 2 == 0, "send_date": "x", "mes": f"The lamp is lit, night {n}."}
        for n in range(turns)
    ]
    lines = [json.dumps(row) for row in rows]
    if broken:
        lines.insert(4, '{"name": "Mia", "mes": "half a li')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def made(session: Session) -> bool:
    """Whether the text of what is chosen is there."""
    gate = session.gates.get(Step.DATA)
    current = session.gates_are_current and not session.busy
    return session.running_step(Step.DATA) is None and current and gate is not None and gate.done


def test_without_files_the_button_adds_some(opened: Session, page_of: PageOf, settle: Settle) -> None:
    opened.store.edit_data(files=())
    settle(opened)
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert act.text == "Add files …"
    assert "drop them" in texts(page)


def test_a_finished_text_is_shown(opened: Session, page_of: PageOf) -> None:
    page = page_of(opened)
    shown = texts(page)
    assert "samples with" in shown
    assert "Sample 1 of" in shown
    assert page.samples.plot is not None
    names = [row[0] for row in page.files.table.rows.rows]
    assert "1-tom.jsonl" in names
    formats = {row[0]: row[1] for row in page.files.table.rows.rows}
    assert formats["1-tom.jsonl"] == "SillyTavern chat"
    act = page.act()
    assert act is not None
    assert act.text == "Continue to the settings"


def test_dropped_files_become_training_text_by_themselves(
    opened: Session, page_of: PageOf, qtbot: QtBot, settle: Settle, tmp_path: Path
) -> None:
    opened.store.edit_data(files=())
    settle(opened)
    page = page_of(opened)
    good, bad = chat(tmp_path / "a.jsonl"), chat(tmp_path / "b.jsonl", turns=6, broken=True)
    before = good.read_bytes(), bad.read_bytes()
    drop(page, good, bad)
    qtbot.waitUntil(lambda: made(opened) and page.seen.view is not None, timeout=30_000)
    rows = {row[0]: row for row in page.files.table.rows.rows}
    assert rows["a.jsonl"][2] == "8"
    assert rows["b.jsonl"][4] != ""
    assert (good.read_bytes(), bad.read_bytes()) == before
    run = RunFolder(opened.store.opened.data / "run") if opened.store.opened else None
    assert run is not None
    assert run.look().state == DONE
    assert run.look().attempt == 2, "once on paper, once here"


def test_the_card_lights_up_while_files_hang_over_the_page(opened: Session, page_of: PageOf, tmp_path: Path) -> None:
    page = page_of(opened)
    drag(page, tmp_path)
    assert page.files.property("drop")
    leave(page)
    assert not page.files.property("drop")


def test_the_reply_is_marked_and_the_keys_leaf_through(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    page = page_of(opened)
    samples = page.samples
    view = page.seen.view
    assert view is not None
    first, second = view.preview.samples[0], view.preview.samples[1]
    assert samples.text.toPlainText() == first.prompt + first.reply
    cursor = samples.text.textCursor()
    cursor.setPosition(len(first.prompt) + len(first.reply) - 1)
    marked = cursor.charFormat().background().color()
    cursor.setPosition(1)
    assert cursor.charFormat().background().color() != marked
    qtbot.keyClick(samples.next, Qt.Key.Key_Space)
    assert samples.text.toPlainText() == second.prompt + second.reply
    qtbot.keyClick(samples.previous, Qt.Key.Key_Space)
    assert samples.text.toPlainText() == first.prompt + first.reply
    assert not samples.previous.isEnabled()


def test_findings_are_filtered_and_saved(
    opened: Session, page_of: PageOf, qtbot: QtBot, settle: Settle, tmp_path: Path
) -> None:
    page = page_of(opened)
    findings = page.findings
    qtbot.waitUntil(lambda: bool(findings.table.rows.rows))
    total = len(findings.table.rows.rows)
    assert findings.filter.count() > 2
    findings.filter.setCurrentIndex(1)
    qtbot.waitUntil(lambda: 0 < len(findings.table.rows.rows) < total)
    code = findings.filter.currentText()
    assert code.endswith(f"({len(findings.table.rows.rows)})")
    findings.filter.setCurrentIndex(0)
    findings.show_file(str(resource_path("demo", "chats", "5-jonas.jsonl")))
    qtbot.waitUntil(lambda: {row[0].partition(":")[0] for row in findings.table.rows.rows} == {"5-jonas.jsonl"})
    findings.table.selectRow(0)
    assert findings.table.rows.rows[0][1] in texts(page)
    findings.save_table(tmp_path / "found.csv")
    settle(opened)
    with (tmp_path / "found.csv").open(encoding="utf-8-sig", newline="") as source:
        assert len(list(csv.reader(source))) == total + 1


def test_a_file_that_is_gone_is_told(opened: Session, page_of: PageOf, settle: Settle, tmp_path: Path) -> None:
    assert opened.store.opened is not None
    opened.store.edit_data(files=(FileRef.of(tmp_path / "nowhere.jsonl", opened.store.opened.folder),))
    settle(opened)
    page = page_of(opened)
    assert page.problem.isVisible()
    assert "nowhere.jsonl" in texts(page)
    assert opened.running_step(Step.DATA) is None


def test_nothing_to_train_on_is_told_with_a_way_out(
    opened: Session, page_of: PageOf, qtbot: QtBot, settle: Settle, tmp_path: Path
) -> None:
    (tmp_path / "empty.txt").write_text("no chat", encoding="utf-8")
    opened.store.edit_data(files=())
    settle(opened)
    page = page_of(opened)
    drop(page, tmp_path / "empty.txt")
    qtbot.waitUntil(lambda: page.panel.problem.isVisible(), timeout=30_000)
    settle(opened)
    assert page.panel.problem.problem is not None
    assert page.panel.problem.problem.code == "no-samples"
    act = page.act()
    assert act is not None
    assert act.text == "Try again"
    assert opened.running_step(Step.DATA) is None, "it does not try for ever"
    drop(page, chat(tmp_path / "a.jsonl"))
    qtbot.waitUntil(lambda: made(opened), timeout=30_000)


def test_removing_a_file_makes_the_text_anew(
    opened: Session, page_of: PageOf, qtbot: QtBot, tmp_path: Path, settle: Settle
) -> None:
    assert opened.store.opened is not None
    folder = opened.store.opened.folder
    files = tuple(FileRef.of(chat(tmp_path / name), folder) for name in ("a.jsonl", "b.jsonl"))
    opened.store.edit_data(files=files)
    settle(opened)
    page = page_of(opened)
    page.files.list.setCurrentRow(0)
    page.files.list.setFocus()
    qtbot.waitUntil(page.files.list.hasFocus)
    qtbot.keyClick(page.files.list, Qt.Key.Key_Delete)
    assert [Path(file.absolute).name for file in opened.store.project.data.files] == ["b.jsonl"]
    qtbot.waitUntil(lambda: made(opened) and page.seen.view is not None, timeout=30_000)
    assert [row[0] for row in page.files.table.rows.rows] == ["b.jsonl"]
