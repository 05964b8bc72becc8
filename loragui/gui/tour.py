"""“Try it with the demo”: the pages' own main buttons are pressed one after the other, and a banner says what happens.

Nothing is done that the person could not do: the tour only presses what is there, so it shows the way as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from loragui import demo
from loragui.errors import AppError
from loragui.gui.memory import Memory
from loragui.gui.session import Session
from loragui.gui.theme import GAP, MARGIN
from loragui.gui.watcher import RunWatcher
from loragui.gui.widgets.basic import button, label
from loragui.jobs.folder import DONE
from loragui.steps import Step

PAUSE_MS = 1500
"""How long a page stands before its button is pressed, so that one can read what it says."""
BEAT_MS = 2000
"""How often is looked whether there is something to press, beside whenever something changes."""
PATIENCE = 5
"""Presses for the same step that may lead nowhere; then the person takes over."""
REFUSED = 0.25
"""What it counts when there is nothing to press: the page may still be reading."""
translate = QCoreApplication.translate


def sentence(step: Step) -> str:
    """What the tour says while it is at ``step``."""
    return {
        Step.ENGINE: translate("Tour", "First the engine, the program that trains. It is built on this PC, once."),
        Step.MODEL: translate("Tour", "Now a small base model: it can already write, and learns a new habit from us."),
        Step.DATA: translate("Tour", "Our example chats become training text: one sample for each reply."),
        Step.SETTINGS: translate("Tour", "The settings are filled in already: small, so that it takes minutes."),
        Step.TRAIN: translate(
            "Tour", "It trains. The falling curve shows that it learns; a checkpoint is saved often."
        ),
        Step.RESULT: translate("Tour", "What was learned is merged into the model, then both are asked the same."),
    }[step]


class Tour(QObject):
    """Goes the whole way in the demonstration's project, and goes on after the window was closed."""

    changed = Signal()

    def __init__(
        self, session: Session, memory: Memory, show: Callable[[Step], None], press: Callable[[], bool], parent: QWidget
    ) -> None:
        """``show`` goes to a step; ``press`` presses the main button there and says whether that could be done."""
        super().__init__(parent)
        self.active = False
        self.sentence = ""
        self._session, self._memory, self._show, self._do = session, memory, show, press
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._press)
        self._step: Step | None = None
        self._presses = 0.0
        self._beat = QTimer(self)
        self._beat.setInterval(BEAT_MS)
        self._beat.timeout.connect(self._look)
        session.gates_changed.connect(self._look)
        session.run_ended.connect(self._ended)
        session.runs_changed.connect(self._look)

    def begin(self) -> None:
        """Open the demonstration's project and start."""
        pc = self._session.machine
        if pc is None:
            return
        workspace = self._session.workspace
        self._session.background.run(self, lambda: demo.ensure(workspace, pc), self._open)

    def _open(self, folder: Path) -> None:
        try:
            self._session.store.open(folder)
        except AppError as error:
            self._session.trouble.emit(error.problem)
            return
        self._memory.tour = folder
        self._memory.stand(folder, None)  # from here on it goes on after any end of the program
        self._start()

    def resume(self) -> None:
        """Go on with a tour that was under way when the window was closed."""
        opened = self._session.store.opened
        if opened is not None and opened.folder == self._memory.tour:
            self._start()

    def _start(self) -> None:
        self.active = True
        self._step, self._presses = None, 0
        self._beat.start()
        self._say(translate("Tour", "The demo goes the whole way by itself. You may look around meanwhile."))
        self._look()

    def stop(self) -> None:
        """Leave the rest to the person; what runs goes on."""
        self.active = False
        self._memory.tour = None
        self._pause.stop()
        self._beat.stop()
        self._say("")

    def _say(self, text: str) -> None:
        if text != self.sentence or not text:
            self.sentence = text
            self.changed.emit()

    def _ended(self, run: RunWatcher) -> None:
        if not self._session.is_here(run):
            return
        self._presses = 0.0
        if self.active and run.state != DONE:
            self._give_up()

    def _busy(self) -> bool:
        """Whether something is going on that is to be waited for; work in other projects is not."""
        return self._pause.isActive() or any(map(self._session.is_here, self._session.running()))

    def _give_up(self) -> None:
        self.stop()
        self._say(translate("Tour", "The demo has stopped here. Press the button below to go on by yourself."))

    def _look(self) -> None:
        session, opened = self._session, self._session.store.opened
        if not self.active or opened is None or not session.gates or self._busy():
            return
        if opened.folder != self._memory.tour:
            self.stop()
            return
        gates, folder = session.gates, opened.folder
        session.background.run(self, lambda: demo.next_step(folder, gates), self._go)

    def _go(self, step: Step | None) -> None:
        if not self.active or self._busy():
            return
        if step is None:
            self.stop()
            self._say(translate("Tour", "That was the whole way. Now make a project with your own texts."))
            return
        self._presses = self._presses if step is self._step else 0
        self._step = step
        if self._presses >= PATIENCE:
            self._give_up()
            return
        self._say(sentence(step))
        self._show(step)
        self._pause.start()

    def _press(self) -> None:
        """Press, unless what was to be done has been done meanwhile."""
        step, gates = self._step, self._session.gates
        done = step is not None and step is not Step.RESULT and step in gates and gates[step].done
        if self.active and not done and not self._busy():
            self._presses += 1 if self._do() else REFUSED


class TourBanner(QFrame):
    """One line above the page with what the tour is doing."""

    stopped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setAccessibleName(self.tr("Demo"))
        self._text = label(role="message", wrap=True)
        self._stop = button(self.tr("&Leave the demo"), self.stopped.emit)
        box = QHBoxLayout(self)
        box.setContentsMargins(MARGIN, GAP, MARGIN, GAP)
        box.addWidget(self._text, 1)
        box.addWidget(self._stop)
        self.hide()

    def show_sentence(self, text: str, *, over: bool) -> None:
        """Show what is going on; an empty text hides the banner."""
        self._text.setText(text)
        self._stop.setText(self.tr("&Close") if over else self.tr("&Leave the demo"))
        self.setVisible(bool(text))
