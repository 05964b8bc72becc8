"""The loss curve and the histogram of sample lengths. The only rooms that load pyqtgraph, which takes a second.

What is drawn is thinned out to about two points per pixel first and drawn at most once a second, only while it can be
seen: every painting costs time and a little memory, and a training lasts for days. Pens are one or two pixels wide and
not antialiased, because Qt needs a hundred times as long for a wide antialiased line through noise.
"""

from loragui.gui.plot.histogram import HistogramPlot
from loragui.gui.plot.loss import LossPlot, Pointed

__all__ = ["HistogramPlot", "LossPlot", "Pointed"]
