"""The base models that can be chosen: what each is for, its size, whether it fits this PC, and the button to get it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from loragui import units
from loragui.gui.desktop import open_page
from loragui.gui.theme import GAP
from loragui.gui.widgets.basic import Badge, Card, button, clear, label, row, rule, set_level, set_text
from loragui.offers import Offer
from loragui.settings.suits import Fit, Suits


class ModelOffers(Card):
    """All of them below each other."""

    taken = Signal(object)
    """The ``Offer`` that the person wants."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("Models to choose from"))
        self._list = QVBoxLayout()
        self._list.setSpacing(GAP + GAP // 2)
        self.box.addLayout(self._list)
        self.rows: tuple[ModelOffer, ...] = ()

    def show_offers(self, offers: tuple[Offer, ...], mine: Path | None) -> None:
        """Show these; ``mine`` is the chosen one's file. Rows that stay keep the focus and their place."""
        if [offer.id for offer in offers] != [shown.offer.id for shown in self.rows]:
            self._rebuild(offers)
        for shown, offer in zip(self.rows, offers, strict=True):
            shown.show_offer(offer, mine=mine is not None and offer.path == mine)

    def _rebuild(self, offers: tuple[Offer, ...]) -> None:
        clear(self._list)
        self.rows = tuple(ModelOffer(offer) for offer in offers)
        for number, made in enumerate(self.rows):
            if number:
                self._list.addWidget(rule())
            made.taken.connect(self.taken)
            self._list.addWidget(made)


class ModelOffer(QWidget):
    """A row of the list. ``taken`` says that the person wants it."""

    taken = Signal(object)
    """The ``Offer``."""

    def __init__(self, offer: Offer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.offer = offer
        self._name = label(offer.name, role="strong")
        self._mine, self._fit = Badge(self.tr("Chosen"), "good"), Badge()
        self.get = button("", self._take)
        self._texts = [label(role="quiet", wrap=True) for _ in range(4)]
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(row(self._name, self._mine, self._fit, 1, self.get))
        for text in self._texts:
            box.addWidget(text)

    def show_offer(self, offer: Offer, *, mine: bool) -> None:
        """Show how it stands now; ``mine`` is the project's."""
        self.offer = offer
        self._mine.setVisible(mine)
        show_fit(self._fit, offer.fit)
        text, about = self._doing()
        set_text(self.get, text)
        self.get.setToolTip(about)
        self.get.setAccessibleName(about)
        self.get.setVisible(not mine)
        fit = offer.fit.sentence if offer.fit is not None else ""
        for part, words in zip(self._texts, (offer.about, fit, self._facts(), self._where()), strict=True):
            set_text(part, words)
            part.setVisible(bool(words))

    def _facts(self) -> str:
        offer = self.offer
        parts = [self.tr("{size} file").format(size=units.size(offer.bytes))]
        if offer.licence:
            parts.append(self.tr("Licence: {licence}").format(licence=offer.licence))
        if offer.copy_of:
            parts.append(self.tr("Converted copy of {name}").format(name=offer.copy_of))
        return " · ".join(parts)

    def _where(self) -> str:
        offer = self.offer
        if not offer.page or offer.path is not None:
            return ""
        return self.tr("Take the file {file} there, then choose it below.").format(file=offer.file)

    def _doing(self) -> tuple[str, str]:
        """What the button says, and the whole of it for who asks."""
        name = self.offer.name
        if self.offer.path is not None:
            return self.tr("&Use it"), self.tr("Use {name}").format(name=name)
        if self.offer.page:
            return self.tr("&Open its page"), self.tr("Open the page of {name}").format(name=name)
        return self.tr("&Download"), self.tr("Download {name}").format(name=name)

    def _take(self) -> None:
        if self.offer.page and self.offer.path is None:
            open_page(self.offer.page)
        else:
            self.taken.emit(self.offer)


def fit_badge(fit: Suits | None) -> Badge | None:
    """“Fits”, “Tight” or “Too large for this PC”."""
    if fit is None:
        return None
    made = Badge()
    show_fit(made, fit)
    return made


def show_fit(badge: Badge, fit: Suits | None) -> None:
    """Put it into a badge that is there; None hides it."""
    words = {
        Fit.FITS: (badge.tr("Fits"), "good"),
        Fit.TIGHT: (badge.tr("Tight"), "warn"),
        Fit.TOO_LARGE: (badge.tr("Too large for this PC"), "bad"),
    }
    if fit is None:
        badge.hide()
        return
    text, level = words[fit.fit]
    set_text(badge, text)
    set_level(badge, level)
    badge.setToolTip(fit.sentence)
