"""Histograms as SVG. Their words are ours alone: a source's name, which a stranger may have chosen, stands in the HTML
and never in a picture (matplotlib would read a $ in it as a formula).
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

BAR, MEAN, INK = "#3a6ea5", "#c2410c", "#57534e"
_BINS = 40
_FEW_DECADES = 300


def histogram(values: Sequence[float], *, label: str, log: bool = False, wide: bool = True) -> str:
    """An SVG of how often each value occurs, with a line at the median; the outer 0.5 % on each side share a bar.
    `log`: the axis grows by factors.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    numbers = np.asarray(values, dtype=np.float64)
    edges = _edges(numbers, log=log)
    with rc_context({"svg.hashsalt": "mothertongue", "svg.fonttype": "path", "font.size": 8}):
        figure = Figure(figsize=(4.2, 2.1) if wide else (2.9, 1.35), layout="constrained")
        axes = figure.add_subplot()
        axes.hist(np.clip(numbers, edges[0], edges[-1]), bins=edges.tolist(), color=BAR, rwidth=0.92)
        axes.axvline(float(np.median(numbers)), color=MEAN, linewidth=1.2)
        if log:
            axes.set_xscale("log")
            narrow = edges[-1] / edges[0] < _FEW_DECADES  # powers of ten alone would leave one number or none
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,), numticks=15))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
        axes.locator_params(axis="y", nbins=4, integer=True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(colors=INK, length=2, labelcolor=INK)
        axes.grid(axis="y", color="#e7e5e4", linewidth=0.6)
        axes.set_axisbelow(True)
        if label:
            axes.set_xlabel(label, color=INK)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _edges(
    numbers: np.ndarray[tuple[int, ...], np.dtype[np.float64]], *, log: bool
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    low, high = (float(edge) for edge in np.quantile(numbers, [0.005, 0.995]))
    if log:
        low, high = max(1.0, low), max(1.0, high)
        return np.geomspace(low / 1.05, high * 1.05, _BINS + 1)
    space = max((high - low) * 0.02, abs(high) * 1e-6, 1e-9)
    return np.linspace(low - space, high + space, _BINS + 1)


def _short(value: float) -> str:
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"
