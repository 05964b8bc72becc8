"""Settings: a profile, the few settings that matter, what the training takes, and everything else under Details."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from dataclasses import dataclass

from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QWidget

from loragui import acts
from loragui.acts import Open
from loragui.data.folder import load_report
from loragui.engine.tuning import suggested_threads
from loragui.errors import AppError, Problem
from loragui.gui.page import Act, Page
from loragui.gui.session import Session
from loragui.gui.widgets.basic import Card, Details, label, name_of, row, rule
from loragui.gui.widgets.calm import calm
from loragui.gui.widgets.problem import ProblemBox
from loragui.gui.widgets.settings_field import SettingField, with_mnemonics
from loragui.gui.widgets.settings_profile import SettingsProfile
from loragui.gui.widgets.settings_takes import SettingsTakes
from loragui.machine import Machine
from loragui.project import Hyperparameters
from loragui.settings import profiles
from loragui.settings.epochs import epochs, iterations_for
from loragui.settings.estimate import Estimate
from loragui.settings.parameters import Level, Parameter, Value, parameters
from loragui.settings.profiles import Profile
from loragui.steps import Step


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What these settings mean: the estimate, how many samples there are, and which threads suit this PC."""

    settings: Hyperparameters
    threads: int
    samples: int | None = None
    estimate: Estimate | None = None


class SettingsPage(Page):
    """Edits the project's hyperparameters."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.seen: _Seen | None = None
        self.heading(
            self.tr("Settings"),
            self.tr("How your model learns. Choose a profile; change only what you want to. Nothing here is final."),
        )
        self.fields: dict[str, SettingField] = {}
        self.outdated = ProblemBox()
        self.profile = SettingsProfile()
        self.profile.chosen.connect(self._apply)
        self.takes = SettingsTakes()
        others = Details(self.tr("&Details: all other settings"))
        experts = Details(self.tr("E&xperts: everything else that an engine can be told"))
        self._fill(others, Level.ADVANCED)
        experts.first_unfolded.connect(lambda: self._fill(experts, Level.EXPERT))
        for part in (self.outdated, self.profile, self._matters(), self.takes, others, experts):
            self.body.addWidget(part)
        self.body.addStretch(1)
        for moved in (session.store.changed, session.machine_changed, session.gates_changed):
            moved.connect(self._render)
        session.store.changed.connect(self.refresh)
        session.machine_changed.connect(self.refresh)
        self._render()

    def _matters(self) -> Card:
        card = Card(self.tr("What matters"))
        simple = [found for found in parameters() if found.level is Level.SIMPLE]
        names = with_mnemonics([found.label for found in simple], taken="bothpdx")
        for number, (found, name) in enumerate(zip(simple, names, strict=True)):
            if number:
                card.box.addWidget(rule())
            card.box.addWidget(self._field(found, name))
            if found.id == "iterations":
                card.box.addLayout(self._epochs())
        return card

    def _epochs(self) -> QHBoxLayout:
        self.epochs = calm(QDoubleSpinBox())
        self.epochs.setRange(0.01, 100_000)
        self.epochs.setDecimals(2)
        self.epochs.setSingleStep(0.5)
        self.epochs.setKeyboardTracking(False)
        self.epochs.setAccessibleName(self.tr("Passes over your texts (epochs)"))
        self.epochs.valueChanged.connect(self._epochs_edited)
        name = name_of(self.epochs, self.tr("or &give passes over your texts (epochs):"))
        self._samples = label(role="quiet")
        return row(name, self.epochs, self._samples, 1)

    def _fill(self, details: Details, level: Level) -> None:
        """Put the settings of that level into ``details``, in their groups."""
        rest = [found for found in parameters() if found.level is level]
        for group in dict.fromkeys(found.group for found in rest):
            card = Card(str(group.value))
            own = [found for found in rest if found.group is group]
            for number, found in enumerate(own):
                if number:
                    card.box.addWidget(rule())
                card.box.addWidget(self._field(found, found.label))
            details.box.addWidget(card)
        if self.seen is not None:
            self._render()

    def _field(self, found: Parameter, name: str) -> SettingField:
        made = SettingField(found, name)
        made.edited.connect(self._edited)
        self.fields[found.id] = made
        return made

    def enter(self) -> None:
        """Show the settings as they are now."""
        self._render()
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """A value that was typed just before leaving counts."""
        super().hideEvent(event)
        for field in self.fields.values():
            field.commit()

    def refresh(self) -> None:
        """Estimate in the background; the latest settings win."""
        opened, pc = self.session.store.opened, self.session.machine
        if opened is not None:
            self.latest.ask(lambda: _look(opened, pc), self._take)

    def _take(self, seen: _Seen) -> None:
        opened = self.session.store.opened
        if opened is not None and seen.settings == opened.project.hyperparameters:
            self.seen = seen
            self._render()

    def _render(self) -> None:
        opened, seen = self.session.store.opened, self.seen
        if opened is None:
            return
        settings = opened.project.hyperparameters
        samples = seen.samples if seen is not None else None
        self.profile.show_settings(settings, samples)
        usual = self._usual(samples)
        for name, field in self.fields.items():
            field.show_value(getattr(settings, name), getattr(usual, name))
        self._show_epochs(settings, samples)
        self.takes.show_estimate(seen.estimate if seen is not None else None, self.session.machine)
        self._show_problems()
        self.act_changed.emit()

    def _usual(self, samples: int | None) -> Hyperparameters:
        """What “Reset” goes back to: the profile's value, or the default."""
        chosen = self.profile.profile
        settings = self.session.store.project.hyperparameters
        threads = self.seen.threads if self.seen is not None else settings.threads
        plain = dataclasses.replace(Hyperparameters(), threads=threads, seed=settings.seed)
        return profiles.apply(chosen, plain, samples=samples) if chosen is not None else plain

    def _show_epochs(self, settings: Hyperparameters, samples: int | None) -> None:
        self.epochs.setEnabled(bool(samples))
        self._samples.setText(self.tr("of {count} samples").format(count=f"{samples:,}") if samples else "")
        if samples and not self.epochs.hasFocus():
            self.epochs.blockSignals(True)  # noqa: FBT003 - Qt's own form
            self.epochs.setValue(epochs(settings, samples))
            self.epochs.blockSignals(False)  # noqa: FBT003 - Qt's own form

    def _show_problems(self) -> None:
        gates = self.session.gates
        found = gates[Step.SETTINGS].missing if gates else ()
        self.takes.problems.show_problems(found)
        outdated = self._outdated()
        self.outdated.show_problem(outdated, self._to_data, self.tr("&Make the training text again"))

    def _outdated(self) -> Problem | None:
        gate = self.session.gates.get(Step.DATA)
        return next((p for p in gate.missing if p.code == "data-outdated"), None) if gate is not None else None

    def _to_data(self) -> None:
        self.go.emit(Step.DATA)

    def _edited(self, what: tuple[str, Value]) -> None:
        name, value = what
        self.session.store.edit_settings(**{name: value})

    def _epochs_edited(self, wanted: float) -> None:
        samples = self.seen.samples if self.seen is not None else None
        if samples:
            settings = self.session.store.project.hyperparameters
            self.session.store.edit_settings(iterations=iterations_for(wanted, settings, samples))

    def _apply(self, chosen: Profile) -> None:
        samples = self.seen.samples if self.seen is not None else None
        settings = self.session.store.project.hyperparameters
        self.session.store.edit(hyperparameters=profiles.apply(chosen, settings, samples=samples))

    def act(self) -> Act | None:
        """Go on when nothing speaks against it."""
        text = self.tr("Continue to training")
        gate = self.session.gates.get(Step.SETTINGS)
        if gate is None:
            return Act(text=text)
        outdated = self._outdated()
        if outdated is not None:
            return Act(text=self.tr("Make the training text again"), run=self._to_data, why=outdated.message)
        blocking = [problem for problem in (*gate.locked, *gate.missing) if problem.blocking]
        if blocking:
            return Act(text=text, why=str(blocking[0]))
        return self.next_act(Step.TRAIN, text)


def _look(opened: Open, pc: Machine | None) -> _Seen:
    """Samples, estimate and threads; runs in the background. What is missing is told by the gates."""
    settings = opened.project.hyperparameters
    samples, found, engine = None, None, None
    with suppress(AppError):
        samples = load_report(opened.data).totals.samples
    with suppress(AppError):
        found = acts.estimate(opened, pc) if pc is not None else None
    with suppress(AppError):
        engine = opened.engine().folder
    threads = suggested_threads(engine, pc) if pc is not None else settings.threads
    return _Seen(settings=settings, samples=samples, estimate=found, threads=threads)
