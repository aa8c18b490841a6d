"""Bars of bits per byte: dark for models, grey for what needs no model. Readable in print and without colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, PAPER = "#222222", "white"
MODEL, BASELINE = "#1f4e79", "#b8bec4"
COMPARED = "#8fb3d4"  # light, so that the lines of the baselines are seen across it
LINES = {"5-gram": "--", "xz": ":"}
BAR_INCHES = 0.36


def draw_bars(rows: Sequence[Mapping[str, Any]], out: Path, *, caption: str = "") -> None:
    """One report: a bar for each row that has bits_per_byte, in the order of the rows."""
    values = {str(row["name"]): float(row["bits_per_byte"]) for row in rows}
    figure = _figure(width=7.0, height=1.25 + BAR_INCHES * max(1, len(rows)))
    axes = figure.add_subplot()
    span = max([*values.values(), 1.0])
    _bars(axes, values, [MODEL if name == "model" else BASELINE for name in values], span=span)
    for place, value in enumerate(values.values()):
        axes.text(value + span * 0.012, place, f"{value:.3f}", va="center", ha="left", fontsize=9, color=INK)
    axes.set_title("Bits per byte of held-out text: lower is better", loc="left", fontsize=11, color=INK)
    axes.set_xlabel(caption, fontsize=9, color=INK)
    _save(figure, out)


def draw_comparison(
    groups: Mapping[str, Mapping[str, float]], lines: Mapping[str, Mapping[str, float]], out: Path
) -> None:
    """Several models: a panel for each group, in it a bar for each model and a vertical line for each baseline."""
    every = [value for panel in (*groups.values(), *lines.values()) for value in panel.values()]
    most = max(len(values) for values in groups.values())
    figure = _figure(width=max(7.0, 4.6 * len(groups)), height=1.5 + BAR_INCHES * most)
    for number, (group, values) in enumerate(groups.items(), start=1):
        axes = figure.add_subplot(1, len(groups), number)
        _bars(axes, values, [COMPARED] * len(values), span=max([*every, 1.0]))
        for place, value in enumerate(values.values()):  # inside, where no line crosses them
            axes.text(0.02 * axes.get_xlim()[1], place, f"{value:.3f}", va="center", fontsize=9, color=INK, zorder=4)
        _baselines(axes, lines.get(group, {}))
        axes.set_title(group, loc="left", fontsize=11, color=INK, pad=20 if lines.get(group) else 6)
    figure.supxlabel("bits per byte of held-out text: lower is better", fontsize=9, color=INK)
    _save(figure, out)


def _baselines(axes: Axes, lines: Mapping[str, float]) -> None:
    for order, (name, value) in enumerate(sorted(lines.items(), key=lambda line: line[1])):
        axes.axvline(value, color=INK, linewidth=1.3, linestyle=LINES.get(name, "-."), zorder=3)
        # the lower one is named to the left of its line, the others to the right: two labels never meet
        side, shift = ("right", -2) if order == 0 and len(lines) > 1 else ("left", 2)
        axes.annotate(
            f"{name} {value:.3f}",
            (value, 1.0),
            xytext=(shift, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha=side,
            va="bottom",
            fontsize=9,
            color=INK,
        )


def _bars(axes: Axes, values: Mapping[str, float], colours: Sequence[str], *, span: float) -> None:
    places = range(len(values))
    axes.barh(places, list(values.values()), height=0.68, color=colours, edgecolor=INK, linewidth=0.6, zorder=2)
    axes.set_yticks(list(places), list(values), fontsize=10, color=INK)
    axes.set_ylim(len(values) - 0.4, -0.6)  # the first row on top
    axes.set_xlim(0, span * 1.14)  # bars begin at zero: half as long is half as many bits
    axes.tick_params(axis="x", labelsize=8, colors=INK)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e4e4e4", linewidth=0.7, zorder=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _figure(*, width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), facecolor=PAPER, layout="constrained")


def _save(figure: Figure, out: Path) -> None:
    partial = out.with_name(f".{out.name}")
    kind = out.suffix.lstrip(".") or "png"
    # no date and no version inside: the same figures make the same file
    empty: dict[str, Any] = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(
        kind, {}
    )
    with rc_context({"svg.hashsalt": "mothertongue"}):
        figure.savefig(partial, format=kind, dpi=150, metadata=empty)
    partial.replace(out)
