"""Bits per byte against compute, a line for each arm: the further left of scratch, the more is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from mothertongue.compare.curves import SCRATCH, Spot

INK = "#222222"
COLOURS = ("#1f4e79", "#b5541c", "#3c7d4b", "#7b4a9e", "#b8960c", "#5b8fb9", "#8c564b")
MARKS = "osD^vP*"


def draw_curves(panels: Mapping[str, Sequence[Spot]], out: Path, *, counted: str = "all counted") -> None:
    """A panel for each name; scratch is black, seeds are a thin line from the best to the worst.

    `counted` says what is in the spots' compute.
    """
    figure = Figure(figsize=(max(6.0, 4.6 * len(panels)), 4.2), facecolor="white", layout="constrained")
    arms = list(dict.fromkeys(spot.arm for found in panels.values() for spot in found if spot.arm != SCRATCH))
    for number, (name, found) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), number, xscale="log")
        for arm in dict.fromkeys(spot.arm for spot in found):
            mine = sorted((spot for spot in found if spot.arm == arm), key=lambda spot: spot.point)
            place = 0 if arm == SCRATCH else arms.index(arm)
            colour = INK if arm == SCRATCH else COLOURS[place % len(COLOURS)]
            x, y = [spot.point.tflop for spot in mine], [spot.point.bits for spot in mine]
            style = "--" if arm == SCRATCH else "-"
            axes.plot(x, y, style, color=colour, marker="." if arm == SCRATCH else MARKS[place % len(MARKS)],
                      markersize=5, linewidth=1.4, label=arm)  # fmt: skip
            axes.vlines(x, [min(s.bits) for s in mine], [max(s.bits) for s in mine], color=colour, linewidth=0.9)
        axes.set_title(name, loc="left", fontsize=11, color=INK)
        axes.set_xlabel(f"compute, {counted} (TFLOP)", fontsize=9, color=INK)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(color="#e4e4e4", linewidth=0.6)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        if number == 1:
            axes.set_ylabel("bits per byte: lower is better", fontsize=9, color=INK)
            axes.legend(frameon=False, fontsize=9)
    partial = out.with_name(f".{out.name}")
    figure.savefig(partial, format="png", dpi=150, metadata={"Software": None})
    partial.replace(out)
