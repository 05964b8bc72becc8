from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QCheckBox, QLabel, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from loragui import acts
from loragui.engine import tuning
from loragui.engine.tuning import Tuning
from loragui.gui.page import Page
from loragui.gui.pages.settings import SettingsPage
from loragui.gui.session import Session
from loragui.gui.widgets.basic import Details
from loragui.gui.widgets.settings_field import SettingField, with_mnemonics
from loragui.project import Hyperparameters
from loragui.settings.parameters import Kind, Level, parameters
from loragui.settings.profiles import profile
from loragui.steps import Step
from tests.gui.pages.reading import texts

PageOf = Callable[[Session], SettingsPage]
Settle = Callable[[Session], None]


@pytest.fixture
def page_of(show: Callable[[Page], None]) -> Callable[[Session], SettingsPage]:
    def make(session: Session) -> SettingsPage:
        made = SettingsPage(session)
        show(made)
        for fold in made.findChildren(Details):
            fold.toggle.setChecked(True)  # what is rare is made only then
            fold.toggle.setChecked(False)
        return made

    return make


def settings(session: Session) -> Hyperparameters:
    return session.store.project.hyperparameters


def type_into(qtbot: QtBot, page: SettingsPage, name: str, text: str) -> None:
    editor = page.fields[name].editor
    editor.setFocus()
    qtbot.keyClick(editor, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Qt.Key.Key_Return)


def test_every_parameter_has_a_control_and_its_explanation(opened: Session, page_of: PageOf) -> None:
    page = page_of(opened)
    assert set(page.fields) == {found.id for found in parameters()}
    shown = {label.text() for label in page.findChildren(QLabel)}
    assert {found.explanation for found in parameters()} <= shown


def test_each_kind_of_control_edits_the_project(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    page = page_of(opened)
    type_into(qtbot, page, "rank", "24")
    type_into(qtbot, page, "learning_rate", "1e-4")
    assert (settings(opened).rank, settings(opened).learning_rate) == (24, 1e-4)
    flash = page.fields["flash_attention"].editor
    assert isinstance(flash, QCheckBox)
    flash.click()
    assert settings(opened).flash_attention is False
    rope = page.fields["rope_freq_base"]
    assert rope.parameter.kind is Kind.OPTIONAL_FLOAT
    rope.findChildren(QCheckBox)[0].click()
    assert settings(opened).rope_freq_base is not None
    type_into(qtbot, page, "rope_freq_base", "26000")
    assert settings(opened).rope_freq_base == 26000
    rope.findChildren(QCheckBox)[0].click()
    assert settings(opened).rope_freq_base is None
    query = page.fields["rank_query"].findChildren(QCheckBox)[0]
    assert (query.text(), query.isChecked()) == ("As the rank", True)
    query.click()
    type_into(qtbot, page, "rank_query", "6")
    assert settings(opened).rank_query == 6
    type_into(qtbot, page, "rank_query", "6.5")
    assert not page.fields["rank_query"].wrong.isHidden()
    assert settings(opened).rank_query == 6


def test_rare_settings_lie_in_a_fold_of_their_own(opened: Session, page_of: PageOf) -> None:
    page = page_of(opened)
    for level, told in ((Level.ADVANCED, "all other settings"), (Level.EXPERT, "an engine can be told")):
        (fold,) = (each for each in page.findChildren(Details) if told in each.toggle.text())
        inside = {field.parameter for field in fold.findChildren(SettingField)}
        assert inside == {found for found in parameters() if found.level is level}


def test_rare_settings_are_made_when_their_fold_is_opened(opened: Session, show: Callable[[Page], None]) -> None:
    """They would double the time until the page is there."""
    opened.store.edit(hyperparameters=replace(settings(opened), rank_query=6))
    page = SettingsPage(opened)
    show(page)
    assert "rank_query" not in page.fields
    (fold,) = (each for each in page.findChildren(Details) if "an engine can be told" in each.toggle.text())
    fold.toggle.setChecked(True)
    editor = page.fields["rank_query"].editor
    assert isinstance(editor, QAbstractSpinBox | QLineEdit)
    assert (editor.text(), page.fields["rank_query"].isVisible()) == ("6", True)


def test_a_wrong_value_is_told_and_never_stored(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    page = page_of(opened)
    before = settings(opened)
    for wrong in ("abc", "-1", "99"):
        type_into(qtbot, page, "learning_rate", wrong)
        field = page.fields["learning_rate"]
        assert field.wrong.isVisible()
        assert "It can be" in field.wrong.text()
        assert settings(opened) == before
    type_into(qtbot, page, "learning_rate", "0,0002")
    assert not page.fields["learning_rate"].wrong.isVisible()
    assert settings(opened).learning_rate == 0.0002


def test_iterations_and_epochs_go_together(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    page = page_of(opened)
    assert page.seen is not None
    samples = page.seen.samples
    assert samples
    type_into(qtbot, page, "iterations", str(2 * samples))
    page.fields["iterations"].setFocus()
    qtbot.waitUntil(lambda: page.epochs.value() == 2.0)
    page.epochs.setFocus()
    page.epochs.setValue(3.0)
    assert settings(opened).iterations == 3 * samples


def test_a_profile_is_taken_changed_and_taken_again(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    page = page_of(opened)
    at = page.profile.combo.findData("quick-test")
    page.profile.combo.setCurrentIndex(at)
    page.profile.combo.activated.emit(at)
    for name, value in profile("quick-test").values.items():
        assert getattr(settings(opened), name) == value
    assert not page.profile.back.isVisible()
    type_into(qtbot, page, "rank", "33")
    assert page.profile.combo.currentData() == "quick-test"
    assert "Changed by you: Rank." in texts(page)
    assert page.fields["rank"].reset.isVisible()
    qtbot.mouseClick(page.fields["rank"].reset, Qt.MouseButton.LeftButton)
    assert settings(opened).rank == profile("quick-test").values["rank"]
    type_into(qtbot, page, "rank", "33")
    qtbot.mouseClick(page.profile.back, Qt.MouseButton.LeftButton)
    assert settings(opened).rank == profile("quick-test").values["rank"]


def test_the_estimate_follows_each_edit(opened: Session, page_of: PageOf, qtbot: QtBot, settle: Settle) -> None:
    page = page_of(opened)
    assert opened.store.opened is not None
    assert opened.machine is not None
    for rank in (8, 256):
        opened.store.edit_settings(rank=rank)
        settle(opened)
        wanted = acts.estimate(opened.store.opened, opened.machine)
        assert page.seen is not None
        assert page.seen.estimate == wanted
    assert "computed" in texts(page)


def test_the_latest_settings_win(opened: Session, page_of: PageOf, settle: Settle) -> None:
    page = page_of(opened)
    for rank in range(1, 40):
        opened.store.edit_settings(rank=rank)
    settle(opened)
    assert page.seen is not None
    assert page.seen.settings.rank == 39


def test_reset_goes_back_to_the_measured_threads(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    assert opened.store.opened is not None
    assert opened.machine is not None
    pc = opened.machine
    found = Tuning(
        date="", cpu=pc.cpu_name, cores=pc.physical_cores, threads=5, blas_threads=None, seconds_default=2,
        seconds_best=1,
    )  # fmt: skip
    tuning.save(opened.store.opened.engine().folder, found)
    opened.store.edit_settings(threads=3)
    page = page_of(opened)
    assert page.fields["threads"].reset.toolTip() == "Back to 5"
    page.fields["threads"].reset.click()
    assert settings(opened).threads == 5


def test_undo_shows_the_value_before(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    page = page_of(opened)
    before = settings(opened).rank
    type_into(qtbot, page, "rank", "77")
    opened.store.undo()
    editor = page.fields["rank"].editor
    assert isinstance(editor, QSpinBox)
    assert editor.value() == before


def test_the_wheel_changes_nothing_in_passing(opened: Session, page_of: PageOf) -> None:
    page = page_of(opened)
    editor = page.fields["rank"].editor
    page.fields["iterations"].editor.setFocus()
    point = QPointF(5, 5)
    wheel = QWheelEvent(
        point, point, QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(editor, wheel)
    assert isinstance(editor, QSpinBox)
    assert editor.value() == settings(opened).rank


def test_another_context_size_asks_for_new_training_text(
    opened: Session, page_of: PageOf, qtbot: QtBot, settle: Settle
) -> None:
    page = page_of(opened)
    act = page.act()
    assert act is not None
    assert act.text == "Continue to training"
    type_into(qtbot, page, "context_size", "320")
    settle(opened)
    assert page.outdated.isVisible()
    act = page.act()
    assert act is not None
    assert act.text == "Make the training text again"
    with qtbot.waitSignal(page.go) as gone:
        qtbot.mouseClick(page.outdated.remedy, Qt.MouseButton.LeftButton)
    assert gone.args == [Step.DATA]


def test_a_value_typed_just_before_leaving_counts(opened: Session, page_of: PageOf, qtbot: QtBot) -> None:
    page = page_of(opened)
    editor = page.fields["learning_rate"].editor
    assert isinstance(editor, QLineEdit)
    editor.setFocus()
    editor.selectAll()
    qtbot.keyClicks(editor, "0.0005")
    page.hide()
    assert settings(opened).learning_rate == 0.0005


def test_mnemonics_are_distinct() -> None:
    names = with_mnemonics(["Rank", "Rate", "Real", "Range", "R"], taken="e")
    letters = [name[name.index("&") + 1].lower() for name in names if "&" in name]
    assert len(set(letters)) == len(letters)
    assert "e" not in letters
    assert [name.replace("&", "") for name in names] == ["Rank", "Rate", "Real", "Range", "R"]
