"""Words for values of the core that a person reads, in the person's language."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from loragui.settings.estimate import Source

translate = QCoreApplication.translate


def source_words(source: Source) -> str:
    """Where an estimated figure comes from."""
    return {
        "measured in the guide": translate("Source", "measured in the guide"),
        "measured on this PC": translate("Source", "measured on this PC"),
        "computed": translate("Source", "computed"),
    }[source]
