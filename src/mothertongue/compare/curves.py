"""From finished trainings to curves, savings, and the figures of a report."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mothertongue.compare.saving import Point, Reach, saving
from mothertongue.compare.training import Result

SCRATCH = "scratch"


@dataclass(frozen=True)
class Spot:
    """An arm at a budget: means over the seeds, the ends of their bits, and what it saves against scratch."""

    arm: str
    budget: float
    point: Point
    bits: tuple[float, ...]  # one for each seed
    saving: Reach | None  # of the means; None for scratch itself, or without it
    savings: tuple[float, ...] = ()  # seed by seed, paired by the order of the text; bounds among them as they are


def tflop_per_second(results: Sequence[Result]) -> float:
    """Operations that trainings make in a processor second: what a second of making initial rows is worth."""
    speeds = [result.training_tflop / result.training_seconds for result in results if result.training_seconds > 0]
    return statistics.median(speeds) if speeds else 0.0


def point_of(result: Result, speed: float) -> Point:
    """Everything that a training has cost, and its bits."""
    rows = result.rows_seconds * speed
    return Point(result.training_tflop + result.probes_tflop + rows, result.bits_per_byte)


def curve(results: Sequence[Result], arm: str, speed: float, *, seed: int | None = None) -> list[Point]:
    """The points of an arm, one for each budget: of one seed, or the mean of all."""
    chosen = [result for result in results if result.arm == arm and seed in (None, result.seed)]
    groups = [
        [point_of(result, speed) for result in chosen if result.budget == budget]
        for budget in sorted({result.budget for result in chosen})
    ]
    return [_mean(group) for group in groups]


def spots(results: Sequence[Result]) -> list[Spot]:
    """Every arm at every budget, arms in the order of the results, budgets rising."""
    speed = tflop_per_second(results)
    scratch = curve(results, SCRATCH, speed)
    by_seed = {seed: curve(results, SCRATCH, speed, seed=seed) for seed in {result.seed for result in results}}
    found = []
    for arm in dict.fromkeys(result.arm for result in results):
        mine = [result for result in results if result.arm == arm]
        for budget in sorted({result.budget for result in mine}):
            group = [result for result in mine if result.budget == budget]
            points = [point_of(result, speed) for result in group]
            mean, compared = _mean(points), arm != SCRATCH
            pairs = [(point, by_seed[result.seed]) for point, result in zip(points, group, strict=True)]
            savings = [saving(point, other).factor for point, other in pairs if other and compared]
            bits = tuple(point.bits for point in points)
            reach = saving(mean, scratch) if scratch and compared else None
            found.append(Spot(arm, budget, mean, bits, reach, tuple(savings)))
    return found


def figures_of(found: Sequence[Spot]) -> dict[str, float]:
    """Flat figures: bits, spread of the seeds and saving of each arm at each budget."""
    figures = {}
    for spot in found:
        name = f"{spot.arm.replace('-', '_').replace('+', '_with_')}"
        figures[f"{name}_bits_at_{spot.budget:g}"] = round(spot.point.bits, 5)
        if len(spot.bits) > 1:
            figures[f"{name}_spread_at_{spot.budget:g}"] = round(max(spot.bits) - min(spot.bits), 5)
        if spot.saving:
            figures[f"{name}_saving_at_{spot.budget:g}"] = round(spot.saving.factor, 3)
    return figures


def notes_of(found: Sequence[Spot]) -> list[str]:
    """What a reader of the figures must know: factors that are bounds."""
    return [
        f"{spot.arm} at {spot.budget:g} tokens per parameter saves {spot.saving.bound} {spot.saving.factor:.3g} times: "
        f"scratch was not trained {'longer' if spot.saving.bound == 'at least' else 'more briefly'}."
        for spot in found
        if spot.saving and spot.saving.bound
    ]


def best_arm(found: Sequence[Spot]) -> str:
    """The arm with the fewest bits at the longest budget that it has in common with the others; "" if there is none."""
    arms = {spot.arm for spot in found}
    shared = set.intersection(*({spot.budget for spot in found if spot.arm == arm} for arm in arms)) if arms else set()
    last: Mapping[str, float] = {
        spot.arm: spot.point.bits for spot in found if shared and spot.budget == max(shared) and spot.arm != SCRATCH
    }
    return min(last, key=last.__getitem__, default="")


def _mean(points: Sequence[Point]) -> Point:
    """The mean of points of one budget: bits as they are, compute by its logarithm."""
    tflop = math.exp(statistics.fmean(math.log(point.tflop) for point in points))
    return Point(tflop, statistics.fmean(point.bits for point in points))
