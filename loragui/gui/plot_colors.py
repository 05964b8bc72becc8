"""The colours of a plot, apart from the plot itself, so that nothing has to load it only to name them."""

from __future__ import annotations

from dataclasses import dataclass

from loragui.gui.theme import Colors


@dataclass(frozen=True, kw_only=True)
class PlotColors:
    """Colours as ``#rrggbb``. ``raw`` is every loss, ``smooth`` their average, ``mark`` a checkpoint or a limit."""

    background: str
    foreground: str
    grid: str
    raw: str
    smooth: str
    mark: str
    overlays: tuple[str, ...]


def plot_colors(colors: Colors) -> PlotColors:
    """The colours of a plot on a card."""
    return PlotColors(
        background=colors.card,
        foreground=colors.quiet,
        grid=mixed(colors.line, colors.card, 0.55),
        raw=mixed(colors.accent, colors.card, 0.38),
        smooth=colors.accent,
        mark=colors.good,
        overlays=colors.overlays,
    )


def mixed(color: str, other: str, share: float) -> str:
    """``share`` of ``color`` and the rest of ``other``: pale without being transparent, which is slow to draw."""
    pairs = zip(bytes.fromhex(color[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + bytes(round(share * one + (1 - share) * two) for one, two in pairs).hex()
