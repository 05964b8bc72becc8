"""One base model that can be chosen: what it is for, its size, whether it fits this PC, and the button that gets it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from loragui import units
from loragui.gui.desktop import open_page
from loragui.gui.widgets.basic import Badge, button, label, row
from loragui.offers import Offer
from loragui.settings.suits import Fit, Suits


class ModelOffer(QWidget):
    """A row of the list. ``taken`` says that the person wants it."""

    taken = Signal(object)
    """The ``Offer``."""

    def __init__(self, offer: Offer, *, mine: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.offer = offer
        name = label(offer.name)
        name.setProperty("role", "strong")
        parts: list[QWidget | int] = [name]
        if mine:
            parts.append(Badge(self.tr("Chosen"), "good"))
        fit = fit_badge(offer.fit)
        if fit is not None:
            parts.append(fit)
        parts.append(1)
        if not mine:
            parts.append(self._button())
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(row(*parts))
        for text in (offer.about, self._facts()):
            if text:
                box.addWidget(label(text, role="quiet", wrap=True))

    def _facts(self) -> str:
        offer = self.offer
        parts = [self.tr("{size} file").format(size=units.size(offer.bytes))]
        if offer.fit is not None:
            parts.append(offer.fit.sentence)
        if offer.copy_of:
            parts.append(self.tr("Converted copy of {name}.").format(name=offer.copy_of))
        if offer.licence:
            parts.append(self.tr("Licence: {licence}.").format(licence=offer.licence))
        if offer.page:
            parts.append(self.tr("Take the file {file} there, then choose it below.").format(file=offer.file))
        return " · ".join(parts)

    def _button(self) -> QWidget:
        offer = self.offer
        if offer.path is not None:
            return button(self.tr("&Use it"), self._take, about=self.tr("Use {name}").format(name=offer.name))
        if offer.page:
            return button(
                self.tr("&Open its page"), self._open, about=self.tr("Open the page of {name}").format(name=offer.name)
            )
        return button(self.tr("&Download"), self._take, about=self.tr("Download {name}").format(name=offer.name))

    def _take(self) -> None:
        self.taken.emit(self.offer)

    def _open(self) -> None:
        open_page(self.offer.page)


def fit_badge(fit: Suits | None) -> Badge | None:
    """“Fits”, “Tight” or “Too large for this PC”."""
    if fit is None:
        return None
    made = Badge()
    words = {
        Fit.FITS: (made.tr("Fits"), "good"),
        Fit.TIGHT: (made.tr("Tight"), "warn"),
        Fit.TOO_LARGE: (made.tr("Too large for this PC"), "bad"),
    }
    text, level = words[fit.fit]
    made.setText(text)
    made.setProperty("level", level)
    made.setToolTip(fit.sentence)
    return made
