from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from loragui.errors import AppError
from loragui.gui import theme
from loragui.gui.plot import HistogramPlot, LossPlot, Pointed
from loragui.gui.plot_colors import PlotColors, mixed, plot_colors
from loragui.training.series import LossSeries

COLORS = PlotColors(
    background="#ffffff", foreground="#000000", grid="#dddddd", raw="#0000ff", smooth="#ff0000", mark="#00ff00",
    overlays=("#aa00aa", "#00aaaa"),
)  # fmt: skip


def grown(count: int, series: LossSeries | None = None, gaps: tuple[int, ...] = ()) -> LossSeries:
    """A falling, noisy curve of ``count`` points, two seconds each."""
    series = LossSeries() if series is None else series
    noise = np.random.default_rng(1).normal(scale=0.2, size=count).tolist()
    for number in range(len(series) + 1, count + 1):
        loss = math.nan if number in gaps else 1 + 4 * math.exp(-5 * number / count) + noise[number - 1]
        series.append(number, 2.0 * number, loss)
    return series


@pytest.fixture
def plot(qtbot: QtBot, styled: QApplication) -> LossPlot:
    """A plot that can be seen."""
    made = LossPlot()
    qtbot.addWidget(made)
    made.apply_colors(COLORS)
    made.resize(800, 400)
    made.show()
    return made


def shown(plot: LossPlot) -> tuple[float, float]:
    """The part of the curve that is shown; the axis goes on for half a mark at either end."""
    low, high = plot.zoom or plot._whole()
    left, right = plot.box.viewRange()[0]
    room = (high - low) * 9 / plot.box.width()
    assert (left, right) == pytest.approx((low - room, high + room))
    return round(low, 6), round(high, 6)


def drawn(plot: LossPlot) -> int:
    """How many points of the raw curve are drawn."""
    x, _ = plot._raw.getData()
    return 0 if x is None else len(x)


def has(plot: LossPlot | HistogramPlot, *colors: str) -> bool:
    """Whether every one of these colours is somewhere in the plot itself, not in its legend."""
    image = plot.view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint32)
    return all((pixels == QColor(color).rgb()).any() for color in colors)


# -- what is drawn ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 10, 1_000_000])
def test_ten_points_and_a_million_are_drawn_whole(plot: LossPlot, qtbot: QtBot, count: int) -> None:
    series = grown(count)
    series.checkpoints.extend(range(2, count, max(1, count // 5000)))
    plot.show_series(series)
    qtbot.waitUntil(lambda: drawn(plot) > 0)
    assert drawn(plot) == count if count < 100 else 400 < drawn(plot) <= 2 * plot.width() + 4
    assert shown(plot) == (1, max(count, 2))
    _, drawn_y = plot._raw.getData()
    assert (drawn_y.min(), drawn_y.max()) == (series.loss.min(), series.loss.max())
    low, high = plot.box.viewRange()[1]
    assert low < series.loss.min() <= series.loss.max() < high
    assert len(plot._marks.data) <= 120
    assert has(plot, "#00ff00") == (count > 1)
    assert has(plot, "#ff0000"), "also where a single point is no line yet"


def test_nothing_to_draw_is_no_error(plot: LossPlot) -> None:
    plot.show_series(LossSeries())
    plot.draw()
    plot.point_at(5)
    plot.look_at(0.2, 0.4)
    assert not has(plot, "#ff0000")


def test_a_loss_that_is_no_number_leaves_a_gap(plot: LossPlot) -> None:
    gaps = tuple(range(100, 200))
    series = grown(300, gaps=gaps)
    series.checkpoints.append(150)
    plot.show_series(series)
    plot.draw()
    assert has(plot, "#ff0000")
    assert len(plot._marks.data) == 0, "a mark needs a place on the curve"
    plot.look_at(110, 190)
    assert not has(plot, "#ff0000")
    plot.point_at(150)
    assert "loss –, smoothed –" in plot.readout.text()


def test_earlier_trainings_are_drawn_and_named(plot: LossPlot) -> None:
    plot.show_series(grown(100))
    plot.set_overlays((("First <try>", grown(150)), ("Second", grown(50))))
    assert "First &lt;try&gt;" in plot.legend.text()
    assert "Second" in plot.legend.text()
    assert shown(plot) == (1, 150)
    visible = [item.isVisible() for item in plot._others]
    plot.set_overlays((("Second", grown(50)),))
    assert "First" not in plot.legend.text()
    assert shown(plot) == (1, 100)
    assert (visible, [item.isVisible() for item in plot._others]) == ([True, True], [True, False])


def test_over_time_the_axis_says_times(plot: LossPlot) -> None:
    plot.show_series(grown(1000))
    plot.set_axis("time")
    assert shown(plot) == (2, 2000)
    assert "Time" in plot.below.text()
    _, marks = plot.bottom.tickValues(0, 7200, 700)[0]
    assert plot.bottom.tickStrings(marks[:3], 1, 1800) == ["0", "30 min", "1 h"]
    plot.set_axis("iteration")
    assert shown(plot) == (1, 1000)


# -- when it is drawn ------------------------------------------------------------------------------------------


def test_fast_points_are_drawn_now_and_then_but_the_last_ones_always(plot: LossPlot, qtbot: QtBot) -> None:
    series = grown(10)
    plot.show_series(series)
    qtbot.waitUntil(lambda: drawn(plot) == 10)
    for count in range(11, 31):
        plot.show_series(grown(count, series))
        QApplication.processEvents()
    assert drawn(plot) == 10, "drawn a moment ago, so it rests"
    qtbot.waitUntil(lambda: drawn(plot) == 30)


def test_a_hidden_plot_rests_and_catches_up(plot: LossPlot, qtbot: QtBot) -> None:
    series = grown(10)
    plot.show_series(series)
    qtbot.waitUntil(lambda: drawn(plot) == 10)
    plot.hide()
    plot.show_series(grown(20, series))
    qtbot.waitUntil(lambda: not plot._timer.isActive())
    assert drawn(plot) == 10
    plot.show()
    qtbot.waitUntil(lambda: drawn(plot) == 20)


# -- zoom ------------------------------------------------------------------------------------------------------


def test_it_follows_until_it_is_zoomed_and_again_afterwards(plot: LossPlot) -> None:
    series = grown(100)
    plot.show_series(series)
    plot.draw()
    assert shown(plot) == (1, 100)
    grown(200, series)
    plot.draw()
    assert shown(plot) == (1, 200)
    plot.look_at(50, 80)
    grown(300, series)
    plot.draw()
    assert shown(plot) == (50, 80)
    plot.reset_zoom()
    assert shown(plot) == (1, 300)
    plot.look_at(50, 80)
    plot.show_series(grown(40))
    plot.draw()
    assert shown(plot) == (1, 40), "another training is shown whole"


def test_zoom_stays_within_the_curve_and_shows_a_few_points(plot: LossPlot) -> None:
    plot.show_series(grown(1000))
    plot.look_at(990, 1090)
    assert shown(plot) == (900, 1000)
    plot.look_at(500, 500.001)
    low, high = shown(plot)
    assert high - low == pytest.approx(5, rel=0.01)
    assert drawn(plot) >= 5
    plot.look_at(-50, 5000)
    assert plot.zoom is None


def test_keys_zoom_and_move(plot: LossPlot, qtbot: QtBot) -> None:
    plot.show_series(grown(1001))
    plot.draw()
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert shown(plot) == (1, 1001), "there is nowhere to go"
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    assert shown(plot) == (251, 751)
    for _ in range(5):
        qtbot.keyClick(plot, Qt.Key.Key_Right)
    assert shown(plot) == (501, 1001)
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert shown(plot) == (376, 876)
    qtbot.keyClick(plot, Qt.Key.Key_Minus)
    assert shown(plot) == (1, 1001)
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    qtbot.keyClick(plot, Qt.Key.Key_0)
    assert plot.zoom is None


def center(plot: LossPlot) -> QPoint:
    place: QPoint = plot.view.mapFromScene(plot.box.sceneBoundingRect().center())
    return place


def test_the_wheel_zooms_and_a_double_click_shows_all(plot: LossPlot, qtbot: QtBot) -> None:
    plot.show_series(grown(1000))
    plot.draw()
    QApplication.processEvents()
    port = plot.view.viewport()
    at = QPointF(center(plot))
    for turn in (120, -120, 120):
        wheel = QWheelEvent(
            at, QPointF(port.mapToGlobal(at)), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        before = plot.zoom
        QApplication.sendEvent(port, wheel)
        assert (plot.zoom is None) == (turn < 0), before
    low, high = shown(plot)
    assert 1 < low < 500 < high < 1000
    qtbot.mouseDClick(port, Qt.MouseButton.LeftButton, pos=center(plot))
    assert plot.zoom is None


# -- the mouse -------------------------------------------------------------------------------------------------


def test_the_point_under_the_mouse_is_told(plot: LossPlot, qtbot: QtBot) -> None:
    series = grown(1001)
    plot.show_series(series)
    plot.draw()
    told: list[Pointed | None] = []
    plot.pointed.connect(told.append)
    QApplication.processEvents()
    qtbot.mouseMove(plot.view.viewport(), center(plot))
    QApplication.processEvents()
    assert told
    found = told[-1]
    assert found is not None
    assert found.iteration == pytest.approx(501, abs=3)
    assert (found.time, found.loss) == (2 * found.iteration, series.loss[found.iteration - 1])
    assert f"Iteration {found.iteration}: loss {found.loss:.3f}" in plot.readout.text()
    assert plot.cross.isVisible()
    plot.point_at(None)
    assert told[-1] is None
    assert not plot.cross.isVisible()


def test_no_menu_of_the_drawing_library_comes_up(plot: LossPlot, qtbot: QtBot) -> None:
    plot.show_series(grown(100))
    plot.draw()
    qtbot.mouseClick(plot.view.viewport(), Qt.MouseButton.RightButton, pos=center(plot))
    QApplication.processEvents()
    assert QApplication.activePopupWidget() is None


# -- colours and pictures --------------------------------------------------------------------------------------


def test_colors_change_at_once(plot: LossPlot) -> None:
    series = grown(1000)
    series.checkpoints.append(500)
    plot.show_series(series)
    plot.draw()
    assert has(plot, "#ffffff", "#ff0000", "#00ff00")
    dark = plot_colors(theme.DARK_COLORS)
    plot.apply_colors(dark)
    assert has(plot, dark.background, dark.smooth, dark.mark, dark.grid)
    assert not has(plot, "#ff0000")
    assert dark.smooth in plot.legend.text()


def test_a_pale_color_lies_between() -> None:
    assert mixed("#ff0080", "#000000", 0.5) == "#800040"
    assert [mixed("#123456", "#fedcba", share) for share in (1, 0)] == ["#123456", "#fedcba"]


def test_a_picture_is_written_as_shown(plot: LossPlot, tmp_path: Path) -> None:
    plot.show_series(grown(1000))
    plot.save_png(tmp_path / "größe.png")
    image = QImage(str(tmp_path / "größe.png"))
    assert image.width() == pytest.approx(800 * plot.devicePixelRatioF(), abs=8)
    assert image.pixelColor(0, 0) == QColor("#ffffff")
    with pytest.raises(AppError, match="could not be written"):
        plot.save_png(tmp_path / "nowhere" / "a.png")


# -- sample lengths --------------------------------------------------------------------------------------------


def test_sample_lengths_are_bars_below_a_limit(qtbot: QtBot, styled: QApplication) -> None:
    plot = HistogramPlot()
    qtbot.addWidget(plot)
    plot.apply_colors(COLORS)
    plot.resize(600, 300)
    plot.show_histogram((0, 100, 200, 256), (3, 0, 1200), 256, "context size")
    plot.show()
    assert has(plot, "#ff0000", "#00ff00")
    assert "context size" in plot.legend.text()
    plot.point_at(230)
    assert "200 to 256 tokens: 1,200 samples" in plot.readout.text()
    plot.point_at(300)
    assert "samples" not in plot.readout.text()
    plot.show_histogram((), (), 256, "context size")
    assert not has(plot, "#ff0000")
