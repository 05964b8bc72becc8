"""Training data: the person's chats and texts become training text, and everything that was decided is shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QWidget

from loragui import acts
from loragui.acts import Open
from loragui.data.template import load_template, template_names
from loragui.data.view import TextView, view
from loragui.errors import AppError, Problem
from loragui.gui.page import Act, Page
from loragui.gui.session import Session
from loragui.gui.watcher import RunWatcher
from loragui.gui.widgets.basic import Card, Details, label, name_of, row
from loragui.gui.widgets.data_files import DataFiles
from loragui.gui.widgets.data_findings import DataFindings
from loragui.gui.widgets.data_samples import DataSamples
from loragui.gui.widgets.drop import Drops
from loragui.gui.widgets.problem import ProblemBox
from loragui.gui.widgets.run_panel import RunPanel
from loragui.jobs.folder import FAILED, RunFolder
from loragui.jobs.plan import Plan
from loragui.project import FileRef
from loragui.steps import Step

PAUSE_MS = 600
"""How long a change of files rests before the text is made from them."""

_DAMAGED = frozenset({"report-damaged", "preview-damaged", "findings-damaged"})
"""Codes of a text whose parts do not fit each other, or that an older version made."""


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What is chosen and what was made of it. ``damaged``: a text is there that must be made again."""

    paths: tuple[Path, ...] = ()
    gone: tuple[Path, ...] = ()
    view: TextView | None = None
    damaged: bool = False
    problem: Problem | None = None


class DataPage(Page):
    """Chooses the data and shows the training text. The text is made anew by itself when the choice changes."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.seen = _Seen()
        self.run: RunWatcher | None = None
        self._again = False
        self.heading(
            self.tr("Training data"),
            self.tr(
                "Your chats become short samples: what was said before, and the reply that the model shall learn to "
                "write. A few dozen good chats are enough for a voice; more and more varied is better."
            ),
        )
        self.problem = ProblemBox()
        self.panel = RunPanel(
            stop_cost=self.tr("Reading begins anew next time; it takes no longer than now."), again=self._make
        )
        self.files = DataFiles()
        self.files.added.connect(self._add)
        self.files.removed.connect(self._remove)
        self.samples = DataSamples(session)
        self.findings = DataFindings(session)
        self.files.picked.connect(self.findings.show_file)
        for part in (self.problem, self.files, self.panel, self.samples, self.findings, self._templates()):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self._drops = Drops(self, self.files)
        self._drops.dropped.connect(self._add)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PAUSE_MS)
        self._soon.timeout.connect(self._make)
        session.store.changed.connect(self.refresh)
        session.gates_changed.connect(self._gates)
        session.run_ended.connect(self._ended)
        session.runs_changed.connect(self._look_for_run)

    def _templates(self) -> Details:
        made = Details(self.tr("&How samples are written"))
        card = Card()
        self.template = QComboBox()
        self.template.setMinimumWidth(300)
        self.template.setAccessibleName(self.tr("Template"))
        self._about = label(role="quiet", wrap=True)
        for name in template_names():
            found = load_template(name)
            self.template.addItem(found.title, name)
        self.template.activated.connect(self._choose_template)
        card.box.addLayout(row(name_of(self.template, self.tr("Te&mplate")), self.template, 1))
        card.box.addWidget(self._about)
        made.box.addWidget(card)
        return made

    def enter(self) -> None:
        """Look at files and text anew; make the text when it is not that of the files."""
        self.refresh()
        self._look_for_run()
        self._gates()

    def refresh(self) -> None:
        """Read what there is in the background."""
        opened = self.session.store.opened
        if opened is not None:
            self.latest.ask(lambda: _look(opened), self._take)

    def _take(self, seen: _Seen) -> None:
        self.seen = seen
        self.files.show_chosen(seen.paths, seen.gone)
        self._show_text(seen.view)
        name = self.session.store.project.data.template
        at = self.template.findData(name)
        if at < 0:
            self.template.addItem(Path(name).name, name)
            at = self.template.count() - 1
        self.template.setCurrentIndex(at)
        self.problem.show_problem(self._trouble())
        self._gates()

    def _show_text(self, found: TextView | None) -> None:
        opened = self.session.store.opened
        self.files.show_found(found)
        self.samples.show_view(found)
        self.findings.show_view(found, opened.data if opened is not None else None)

    def _trouble(self) -> Problem | None:
        """What is wrong beside what the run itself says."""
        if self.seen.gone:
            return Problem(
                message=self.tr("{path} is not there any more.").format(path=self.seen.gone[0]),
                hint=self.tr("Put it back, or remove it from the list and add it in its new place."),
                code="file-missing",
            )
        return self.seen.problem

    def _gates(self) -> None:
        """Make the text by itself when it is missing or outdated, once; a failure waits for the person."""
        if self._wanted() and self.isVisible() and not self._failed() and not self._soon.isActive():
            self._soon.start()
        self.act_changed.emit()

    def _wanted(self) -> bool:
        """Whether there are files whose text is not there."""
        gate = self.session.gates.get(Step.DATA)
        there = self.session.store.opened is not None and bool(self.session.store.project.data.files)
        if not self.session.gates_are_current:
            return False  # they are asked again after each run, and then this is asked again, too
        missing = gate is not None and not gate.locked and (not gate.done or self.seen.damaged)
        return there and not self.seen.gone and missing

    def _failed(self) -> bool:
        return self.run is not None and self.run.state == FAILED and not self._again

    def act(self) -> Act | None:
        """Add files, make the text, or go on."""
        if self.session.running_step(Step.DATA) is not None or self._soon.isActive():
            return Act(text=self.tr("Reading …"), why=self.tr("You may close the window; it goes on."))
        gate = self.session.gates.get(Step.DATA)
        if gate is not None and gate.locked:
            return Act(text=self.tr("Make training text"), why=gate.locked[0].message)
        if gate is not None and gate.done and self.seen.paths:
            return self.next_act(Step.SETTINGS, self.tr("Continue to the settings"))
        if not self.seen.paths:
            return Act(text=self.tr("Add files …"), run=self.files.add_files.click)
        text = self.tr("Try again") if self._failed() else self.tr("Make training text")
        return Act(text=text, run=self._make)

    def _add(self, paths: tuple[Path, ...]) -> None:
        opened = self.session.store.opened
        if opened is not None:
            before = opened.project.data.files
            new = tuple(FileRef.of(path, opened.folder) for path in paths)
            self._choose(tuple(dict.fromkeys((*before, *new))))

    def _remove(self, paths: tuple[Path, ...]) -> None:
        gone = {str(path) for path in paths}
        rest = [
            ref
            for ref, path in zip(self.session.store.project.data.files, self.seen.paths, strict=False)
            if str(path) not in gone
        ]
        self._choose(tuple(rest))

    def _choose(self, files: tuple[FileRef, ...]) -> None:
        self._again = True
        self.session.store.edit_data(files=files)

    def _choose_template(self, index: int) -> None:
        self._again = True
        self.session.store.edit_data(template=str(self.template.itemData(index)))

    def _make(self) -> None:
        """Make the text of what is chosen now; a run for something else is stopped first."""
        self._soon.stop()
        opened = self.session.store.opened
        if opened is None:
            return
        running = self.session.running_step(Step.DATA)
        if running is not None:
            running.stop()  # the gates are asked again when it has ended, and that starts this one
            return
        self._again = False
        self.session.background.run(self, lambda: acts.format_data(opened), self._start, self.problem.show_problem)

    def _start(self, what: tuple[RunFolder, Plan]) -> None:
        folder, plan = what
        self._watch(self.session.watch(folder))
        if self.run is not None:
            self.run.start(plan)

    def _watch(self, run: RunWatcher) -> None:
        self.run = run
        self.panel.show_run(run)
        self.act_changed.emit()

    def _look_for_run(self) -> None:
        running = self.session.running_step(Step.DATA)
        if running is not None and running is not self.run:
            self._watch(running)
        self.act_changed.emit()

    def _ended(self, run: RunWatcher) -> None:
        if run is self.run:
            self.refresh()


def _look(opened: Open) -> _Seen:
    """The chosen files and the text that was made of them; runs in the background."""
    paths, gone = [], []
    for ref in opened.project.data.files:
        try:
            paths.append(ref.resolve(opened.folder))
        except AppError:
            paths.append(Path(ref.absolute))
            gone.append(Path(ref.absolute))
    found, problem = None, None
    if paths:
        try:
            acts.training_text(opened)
            found = view(opened.data)
        except AppError as error:
            problem = error.problem
    code = problem.code if problem is not None else ""
    shown = problem if code not in {"", "no-data", *_DAMAGED} else None
    return _Seen(paths=tuple(paths), gone=tuple(gone), view=found, damaged=code in _DAMAGED, problem=shown)
