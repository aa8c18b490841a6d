"""Draws docs/pictures/*.png from the code itself: every shape of the learning rate, and who learns when.

Run it after changing a schedule: python docs/pictures.py
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from mothertongue.model.anatomy import GROUPS
from mothertongue.train.config import TrainConfig
from mothertongue.train.schedule import Phase, Shape, cosine, one_cycle, one_cycle_momentum, phases, plateau

PICTURES = Path(__file__).parent / "pictures"
INK, FROZEN = "#222222", "#eceef0"
COLOURS = dict(zip(GROUPS, ("#1f4e79", "#4f8a8b", "#d9a441", "#b5541c"), strict=True))
STYLES = dict(zip(GROUPS, ("-", "--", "-.", ":"), strict=True))  # told apart in print as well
NAMES = {
    ("bottom",): "lowest third of the blocks",
    ("middle",): "middle third",
    ("top",): "top third",
    ("embeddings",): "embeddings, final norm, head",
    ("bottom", "middle", "top"): "all blocks",
}
STEPS = 1000
DEFAULTS = TrainConfig()


def draw_shapes(file: Path) -> None:
    """The shapes that `schedule` names, as they are by default."""
    shapes: dict[str, Shape] = {
        "plateau": partial(plateau, warmup=DEFAULTS.warmup, decay=DEFAULTS.decay),
        "cosine": partial(cosine, warmup=DEFAULTS.warmup),
        "one-cycle": partial(one_cycle, warmup=DEFAULTS.warmup),
        "guillou: each phase": one_cycle,
    }
    figure = _figure(9.6, 2.6)
    figure.get_layout_engine().set(wspace=0.08)
    for number, (name, shape) in enumerate(shapes.items(), 1):
        axes = figure.add_subplot(1, len(shapes), number, ylim=(-0.03, 1.1), xlim=(0, 1), xticks=[0, 0.5, 1])
        axes.plot(*_curve(shape), color=INK)
        axes.set_title(name, loc="left", fontsize=10)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        _plain(axes)
    axes.plot(*_curve(one_cycle_momentum), color=COLOURS["embeddings"], linestyle="--")
    axes.text(0.97, 0.97, "beta1 of AdamW", ha="right", fontsize=8, color=COLOURS["embeddings"])
    axes.text(0.36, 0.3, "learning rate", ha="center", fontsize=8, color=INK)
    figure.supylabel("share of the peak rate", fontsize=9)
    figure.supxlabel("share of the steps", fontsize=9)
    figure.savefig(file, dpi=150)


def draw_plan(plan: Sequence[Phase], title: str, file: Path, *, scale: str) -> None:
    """Above: each group's learning rate. Below: which groups learn (coloured) and which are frozen (grey)."""
    figure = _figure(8.2, 4.4)
    rates, who = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    lines: dict[tuple[str, ...], Line2D] = {}
    start = 0
    for phase in plan:
        xs = range(start, start + phase.steps)
        shares = [phase.shape(step, phase.steps) for step in range(phase.steps)]
        for rate, groups in _by_rate(phase).items():
            look = {"color": COLOURS[groups[0]], "linestyle": STYLES[groups[0]], "label": NAMES[groups]}
            lines[groups] = rates.plot(xs, [rate * share for share in shares], linewidth=1.8, **look)[0]
        _draw_groups(who, phase, start)
        start += phase.steps
        if phase is not plan[-1]:
            for axes in (rates, who):
                axes.axvline(start, color=INK, linewidth=0.6)
    if scale == "log":
        rates.set(yscale="log", ylim=(1e-7, 4e-3))
    else:
        rates.yaxis.set_major_formatter("{x:g}")
        rates.locator_params(axis="y", nbins=5)
    rates.set(ylabel="learning rate", xlim=(0, start))
    rates.legend(
        handles=list(lines.values()), frameon=False, fontsize=8, ncols=4, loc="lower left", bbox_to_anchor=(0, 1)
    )
    rates.set_title(title, loc="left", fontsize=11, pad=26)
    who.set(yticks=range(len(GROUPS)), yticklabels=GROUPS, ylim=(-0.5, len(GROUPS) - 0.5), xlabel="optimizer step")
    for axes in (rates, who):
        _plain(axes)
    figure.savefig(file, dpi=150)


def _by_rate(phase: Phase) -> dict[float, tuple[str, ...]]:
    """Rate -> the groups that learn at it, so that equal lines are drawn once."""
    return {
        rate: tuple(group for group in GROUPS if phase.rates.get(group) == rate)
        for rate in sorted(set(phase.rates.values()), reverse=True)
    }


def _draw_groups(axes: Axes, phase: Phase, start: int) -> None:
    for row, group in enumerate(GROUPS):
        learns = group in phase.rates
        axes.barh(row, phase.steps, left=start, height=0.8, color=COLOURS[group] if learns else FROZEN)
        if not learns:
            axes.text(start + phase.steps / 2, row, "frozen", ha="center", va="center", fontsize=7, color="#5a6066")
    axes.text(start + phase.steps / 2, len(GROUPS) - 0.4, phase.name, ha="center", va="bottom", fontsize=8, color=INK)


def _curve(shape: Shape) -> tuple[list[float], list[float]]:
    return [step / STEPS for step in range(STEPS)], [shape(step, STEPS) for step in range(STEPS)]


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def draw_all(folder: Path) -> None:
    """Every picture of docs/why/training.md."""
    folder.mkdir(exist_ok=True)
    draw_shapes(folder / "schedules.png")
    modern = TrainConfig(embeddings_first=0.2, embedding_rate=2.0)
    title = "embeddings_first = 0.2, embedding_rate = 2, learning_rate = 1e-3"
    draw_plan(phases(modern, STEPS, 1e-3), title, folder / "embeddings-first.png", scale="linear")
    fastai = TrainConfig(
        embeddings_first=0.15,
        unfreezing=0.3,
        discriminative=2.6,
        embedding_rate=2.0,
        schedule="one-cycle",
        warmup=0.25,
        decay=0.0,
    )
    title = 'embeddings_first = 0.15, unfreezing = 0.3, discriminative = 2.6, schedule = "one-cycle"'
    draw_plan(phases(fastai, STEPS, 1e-3), title, folder / "unfreezing.png", scale="linear")
    draw_plan(
        phases(TrainConfig(preset="guillou"), STEPS, 0.0), 'preset = "guillou"', folder / "guillou.png", scale="log"
    )


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
