"""The profile that the settings are taken from, what was changed since, and the way back to it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from loragui.gui.widgets.basic import Card, button, label, name_of, row, set_text
from loragui.project import Hyperparameters
from loragui.settings import profiles
from loragui.settings.parameters import parameter
from loragui.settings.profiles import Profile


class SettingsProfile(Card):
    """A choice of profiles. ``chosen`` comes with a ``Profile`` that is to be applied."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("Profile"))
        self.profile: Profile | None = None
        self.combo = QComboBox()
        self.combo.setAccessibleName(self.tr("Profile"))
        self.combo.setMinimumWidth(240)
        self.combo.addItem(self.tr("Your own values"), "")
        for found in profiles.profiles():
            self.combo.addItem(found.name, found.id)
        self.combo.activated.connect(self._activated)
        name = name_of(self.combo, self.tr("&Take the settings of"))
        self._about, self._changed = label(role="quiet", wrap=True), label(wrap=True)
        self.back = button(self.tr("Back to the &profile"), self._back)
        self.box.addLayout(row(name, self.combo, 1))
        self.box.addWidget(self._about)
        self.box.addWidget(self._changed)
        self.box.addLayout(row(self.back, 1))

    def show_settings(self, settings: Hyperparameters, samples: int | None) -> None:
        """Show which profile these settings are, or how they differ from the one that was chosen last."""
        self.profile = profiles.matching(settings, samples) or self.profile
        at = self.combo.findData(self.profile.id if self.profile else "")
        self.combo.setCurrentIndex(max(0, at))
        changed = profiles.changed(self.profile, settings, samples) if self.profile else ()
        set_text(self._about, self.profile.about if self.profile else "")
        self._about.setVisible(self.profile is not None)
        self._changed.setVisible(bool(changed))
        self.back.setVisible(bool(changed))
        names = ", ".join(parameter(name).label for name in changed)
        set_text(self._changed, self.tr("Changed by you: {names}.").format(names=names))

    def _activated(self, index: int) -> None:
        name = str(self.combo.itemData(index))
        self.profile = profiles.profile(name) if name else None
        if self.profile is not None:
            self.chosen.emit(self.profile)

    def _back(self) -> None:
        if self.profile is not None:
            self.chosen.emit(self.profile)
