"""How an engine is built: the recommended way, every other one below it, and where llama.cpp comes from."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QSignalBlocker, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QFileDialog, QLabel, QRadioButton, QWidget

from loragui import units
from loragui.engine import catalogue, recipes
from loragui.engine.catalogue import Pin, Recipe
from loragui.engine.ready import RELEASE
from loragui.engine.sources import GIT, Source
from loragui.gui.desktop import open_page
from loragui.gui.widgets.basic import Card, Details, button, label, name_of, row, set_text
from loragui.workshop import BuildWay, Workshop

translate = QCoreApplication.translate
WIDE = 360


class EngineWays(Card):
    """Chooses recipe, revision and source; the first two can be left as they are recommended."""

    changed = Signal()
    build_wanted = Signal()
    """Build what is chosen, beside the engines that are there."""
    ready_wanted = Signal(object)
    """The person has finished programs, in this ``Path``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("How it is built"))
        self.recipe: Recipe | None = None
        self._workshop: Workshop | None = None
        self._folder = Path()
        self._name, self._why, self._cost = label(wrap=True), label(wrap=True), label(role="quiet", wrap=True)
        self._name.setProperty("role", "strong")
        self.others = Details(self.tr("&Other ways to build"))
        self._group = QButtonGroup(self)
        self.radios: dict[str, QRadioButton] = {}
        self._texts: dict[str, QLabel] = {}
        for part in (self._name, self._why, self._cost, self.others):
            self.box.addWidget(part)
        self._build = button(self.tr("Build t&his engine"), self.build_wanted.emit)
        self._cannot = label(role="quiet", wrap=True)
        self._more_wanted = False
        self.revision, self.source = QComboBox(), QComboBox()
        self._build_more()
        self.box.addLayout(row(self._build, self._cannot))
        self.offer_build(wanted=False)

    def offer_build(self, *, wanted: bool) -> None:
        """Whether to offer building what is chosen, as the window's main button does something else."""
        self._more_wanted = wanted
        self._render_build()

    def _render_build(self) -> None:
        shown = self._more_wanted and self.recipe is not None
        why = self._why_not() if shown else ""
        self._build.setVisible(shown)
        self._build.setEnabled(not why)
        about = self.tr("It will stand beside the engines that are there.")
        set_text(self._cannot, why or about)
        self._cannot.setVisible(shown)

    def _why_not(self) -> str:
        recipe, pin, workshop = self.recipe, self.pin, self._workshop
        if recipe is None or pin is None or workshop is None:
            return ""
        way, name = workshop.way(recipe), recipes.engine_name(pin, recipe)
        if way is not None and way.problems:
            return str(way.problems[0])
        there = any(engine.name == name for engine in workshop.usable)
        return self.tr("This engine is there already: see below.") if there else ""

    def _build_more(self) -> None:
        more = Details(self.tr("&Where llama.cpp comes from"))
        for combo in (self.revision, self.source):
            combo.setMinimumWidth(WIDE)
            combo.currentIndexChanged.connect(lambda _index: self._chosen())
        self.source.addItem(self.tr("Its source package (checked)"), Source())
        self.source.addItem(self.tr("Its repository, with Git"), Source(kind=GIT))
        self.source.activated.connect(self._picked)
        more.box.addLayout(row(name_of(self.revision, self.tr("&Revision")), self.revision, 1))
        more.box.addLayout(row(name_of(self.source, self.tr("So&urce")), self.source, 1))
        pick = self.tr("A &folder of mine …")
        take = self.tr("Use finished &programs …")
        about = self.tr("Take a release zip of llama.cpp instead of building. It is checked and tried all the same.")
        page = button(self.tr("Op&en the page of releases"), partial(open_page, RELEASE))
        ready = button(take, self._pick_ready, about=about)
        more.box.addLayout(row(button(pick, self._pick_folder), ready, page, 1))
        self._about_source = label(role="quiet", wrap=True)
        more.box.addWidget(self._about_source)
        self.box.addWidget(more)

    @property
    def pin(self) -> Pin | None:
        """The chosen revision."""
        chosen: Pin | None = self.revision.currentData()
        return chosen

    @property
    def from_where(self) -> Source:
        """The chosen source."""
        chosen: Source = self.source.currentData()
        return chosen

    def show_workshop(self, workshop: Workshop) -> None:
        """Show what this PC can do."""
        self._workshop = workshop
        if {way.recipe.id for way in workshop.ways} != set(self.radios):
            self._fill(workshop.ways)
        for way in workshop.ways:
            self.radios[way.recipe.id].setEnabled(not way.problems)
            self._texts[way.recipe.id].setText(_about(way))
        if self.recipe is None and workshop.recommendation.recipe is not None:
            self._choose(workshop.recommendation.recipe, on=True)
        self._render()

    def _fill(self, ways: tuple[BuildWay, ...]) -> None:
        for way in ways:
            made, text = QRadioButton(way.recipe.name), label(role="quiet", wrap=True)
            text.setIndent(24)
            made.setAccessibleDescription(way.recipe.why)
            made.toggled.connect(partial(self._toggled, way.recipe))
            self.radios[way.recipe.id], self._texts[way.recipe.id] = made, text
            self._group.addButton(made)
            self.others.box.addWidget(made)
            self.others.box.addWidget(text)

    def _toggled(self, recipe: Recipe, on: bool) -> None:  # noqa: FBT001 - Qt's signal
        self._choose(recipe, on=on)

    def _choose(self, recipe: Recipe, *, on: bool) -> None:
        if not on or recipe == self.recipe:
            return
        self.recipe = recipe
        if recipe.id in self.radios:
            self.radios[recipe.id].setChecked(True)
        with QSignalBlocker(self.revision):
            self.revision.clear()
            for name in recipe.pins:
                pin = catalogue.pin(name)
                self.revision.addItem(pin.name, pin)
        self._chosen()

    def _chosen(self) -> None:
        self._render()
        self.changed.emit()

    def _render(self) -> None:
        self._render_build()
        recipe, pin, workshop = self.recipe, self.pin, self._workshop
        if recipe is None or pin is None or workshop is None:
            if workshop is not None:
                set_text(self._why, workshop.recommendation.reason)
            return
        best = workshop.recommendation.recipe
        mine = best is not None and recipe.id == best.id
        set_text(self._name, recipe.name if mine else self.tr("{way} (your choice)").format(way=recipe.name))
        set_text(self._why, workshop.recommendation.reason if mine else recipe.why)
        text = self.tr("{pin}. {why} Takes {size} of disk while it is built.")
        why = recipe.pin_why if pin.id == recipe.pins[0] else pin.why
        needed = units.size(recipes.disk_needed(recipe, pin))
        set_text(self._cost, text.format(pin=pin.name, why=why, size=needed))
        source = self.from_where
        told = self.tr("Whatever way you choose, the files must be those that we know, or the build is refused.")
        set_text(self._about_source, f"{source.place}\n{told}" if source.place else told)

    def _picked(self, _index: int) -> None:
        self._render()

    def _pick_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("The folder of llama.cpp's source"), str(self._folder))
        if chosen:
            self.take_folder(Path(chosen))

    def take_folder(self, folder: Path) -> None:
        """Build from the person's own copy of the source, which is only read."""
        self._folder = folder
        self.source.addItem(folder.name, Source.of_folder(folder))
        self.source.setCurrentIndex(self.source.count() - 1)

    def _pick_ready(self) -> None:
        kinds = self.tr("Archives (*.zip *.7z);;All files (*)")
        chosen, _kind = QFileDialog.getOpenFileName(self, self.tr("A release of llama.cpp"), str(self._folder), kinds)
        if chosen:
            self._folder = Path(chosen).parent
            self.ready_wanted.emit(Path(chosen))


def _about(way: BuildWay) -> str:
    """Why one would go that way, and what it lacks on this PC."""
    parts = [way.recipe.why]
    if not way.recipe.tried:
        untried = translate("EngineWays", "We could not try this way ourselves; what it builds is tried, as always.")
        parts.append(untried)
    parts.extend(problem.message for problem in way.problems)
    return " ".join(parts)
