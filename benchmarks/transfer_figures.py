"""The figures of benchmarks/transfer.py, from the trainings of one language; those that cannot be said are absent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mothertongue.compare.curves import Spot, curve, spots, tflop_per_second
from mothertongue.compare.saving import Point, bits_at, compute_for
from mothertongue.compare.training import Result

PREFIXES = {"cs": "cs", "bg": "bg", "el": "xx"}
ASKED_SAVINGS = (1.0, 5.0, 20.0)


def figures_of_language(prefix: str, results: Sequence[Result]) -> dict[str, float]:
    """`cs_saving_at_1` and so on. A saving that is a bound has `..._is_least` = 1 beside it."""
    speed, found = tflop_per_second(results), {(spot.arm, spot.budget): spot for spot in spots(results)}
    align = curve(results, "align", speed)
    figures: dict[str, float] = {}
    for (arm, budget), spot in found.items():
        if arm == "align" and spot.saving:
            figures[f"saving_at_{budget:g}"] = spot.saving.factor
            if spot.saving.bound and budget in ASKED_SAVINGS:
                figures[f"saving_at_{budget:g}_is_least"] = float(spot.saving.bound == "at least")
    for arm, name in (("guillou", "guillou"), ("guillou-probed", "guillou_probed")):
        if (last := _last(found, arm)) and align:
            figures |= _against(name, last.point, align)
    dictionary = curve(results, "align+dictionary", speed)
    if (last := _last(found, "wechsel")) and dictionary:
        figures["steps_vs_wechsel"] = compute_for(dictionary, last.point.bits).factor / last.point.tflop
    for other in ("focus", "wechsel", "mean"):
        if (last := _last(found, other)) and (same := found.get(("align", last.budget))):
            figures[f"align_minus_{other}"] = same.point.bits - last.point.bits
            figures[f"align_minus_{other}_spread"] = _spread(same, last)
    return {f"{prefix}_{key}": round(value, 5) for key, value in figures.items() if math.isfinite(value)}


def _against(name: str, point: Point, align: Sequence[Point]) -> dict[str, float]:
    """Share of a recipe's compute with which align reaches its bits, and how much lower align is at equal compute."""
    needed = compute_for(align, point.bits)
    gain = 1 - bits_at(align, point.tflop) / point.bits
    figures = {f"{name}_compute_share": needed.factor / point.tflop, f"gain_over_{name}": gain}
    return figures | ({f"{name}_compute_share_is_most": 1.0} if needed.bound == "at most" else {})


def _last(found: dict[tuple[str, float], Spot], arm: str) -> Spot | None:
    """The longest training of an arm."""
    return max((spot for (name, _), spot in found.items() if name == arm), key=lambda spot: spot.budget, default=None)


def _spread(one: Spot, other: Spot) -> float:
    """The larger of both spreads over the seeds."""
    return max(max(spot.bits) - min(spot.bits) for spot in (one, other))
