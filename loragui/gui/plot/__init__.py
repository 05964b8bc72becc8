"""The loss curve and the histogram of sample lengths. The only rooms that load pyqtgraph, which takes a second.

What is drawn is thinned out to about two points per pixel first and drawn at most once a second, only while it can be
seen: every painting costs time and a little memory, and a training lasts for days. A wide antialiased line is drawn as
separate segments, because as one path through noise it takes Qt up to a hundred times as long.
"""

from loragui.gui.plot.histogram import HistogramPlot
from loragui.gui.plot.loss import LossPlot, Pointed

__all__ = ["HistogramPlot", "LossPlot", "Pointed"]
