"""The picture of the compression benchmark: bits per byte against size and against speed, the Pareto front drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points that no other one betters in both: less of the first and less of the second.

    >>> front([(1, 5), (2, 3), (3, 4), (4, 1)])
    [(1, 5), (2, 3), (4, 1)]
    """
    kept: list[tuple[float, float]] = []
    for point in sorted(points):
        if not kept or point[1] < kept[-1][1]:
            kept.append(point)
    return kept


def draw(rows: Sequence[dict[str, Any]], file: Path) -> None:
    """One row of axes for each language: size and milliseconds per token against held-out bits per byte."""
    from matplotlib.figure import Figure

    rows = [row for row in rows if "bits_per_byte" in row]
    languages = sorted({row["language"] for row in rows})
    arms = sorted({row["arm"] for row in rows})
    if not languages:
        return
    figure = Figure(figsize=(11, 4.5 * len(languages)), layout="constrained")
    axes = figure.subplots(len(languages), 2, squeeze=False)
    for language, (left, right) in zip(languages, axes, strict=True):
        mine = [row for row in rows if row["language"] == language]
        timed = [row for row in mine if row.get("tokens_per_second")]
        _scatter(left, mine, [row["megabytes"] for row in mine], f"{language}: MB on disk", arms)
        _scatter(right, timed, [1e3 / row["tokens_per_second"] for row in timed], f"{language}: ms per token", arms)
    figure.savefig(file, dpi=110)


def _scatter(axes: Any, rows: Sequence[dict[str, Any]], across: Sequence[float], name: str, arms: list[str]) -> None:
    """Each of `arms` looks the same everywhere; what began without a predecessor is far above: told, not drawn."""
    from matplotlib.ticker import LogLocator, NullFormatter

    for number, arm in enumerate(arms):
        points = [(x, row["bits_per_byte"]) for x, row in zip(across, rows, strict=True) if row["arm"] == arm]
        if points and arm == "scratch":
            axes.scatter([], [], label=f"scratch: {points[0][1]:.2f}, above", color="none")
        elif points:
            look = {"s": 28, "color": f"C{number % 10}", "marker": "oxs^v"[number // 5]}
            axes.scatter(*zip(*points, strict=True), label=arm, **look)
    best = front([(x, row["bits_per_byte"]) for x, row in zip(across, rows, strict=True)])
    if best:
        axes.plot(*zip(*best, strict=True), color="grey", linewidth=1, zorder=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(name)
    axes.set_ylabel("bits per byte, held out")
    axes.legend(fontsize=7)
