"""From two curves of bits against compute to a factor: how much compute is saved at the same quality?

A curve is a list of points, each a training of its own. Between two points bits change in a straight line over the
logarithm of compute; beyond the first and the last nothing is known, and the factor is a bound.

>>> scratch = [Point(1, 4.0), Point(10, 3.0), Point(100, 2.0)]
>>> round(saving(Point(2, 2.5), scratch).factor, 2)
15.81
>>> saving(Point(2, 1.5), scratch)
Reach(factor=50.0, bound='at least')
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, order=True)
class Point:
    """A training: its compute and the bits per byte it reached."""

    tflop: float
    bits: float


@dataclass(frozen=True)
class Reach:
    """Compute as a multiple of another; `bound` is "", "at least" or "at most"."""

    factor: float
    bound: str = ""

    def __str__(self) -> str:
        return {"at least": "≥ ", "at most": "≤ "}.get(self.bound, "") + f"{self.factor:.3g}"


def compute_for(curve: Sequence[Point], bits: float) -> Reach:
    """The compute (in TFLOP) at which `curve` first reaches `bits`."""
    points = sorted(curve)
    if points[0].bits <= bits:
        return Reach(points[0].tflop, "" if points[0].bits == bits else "at most")
    for worse, better in pairwise(points):
        if better.bits <= bits:
            share = (worse.bits - bits) / (worse.bits - better.bits)
            return Reach(worse.tflop * (better.tflop / worse.tflop) ** share)
    return Reach(points[-1].tflop, "at least")


def saving(point: Point, scratch: Sequence[Point]) -> Reach:
    """How many times the compute of `point` the curve `scratch` needs for the same bits."""
    needed = compute_for(scratch, point.bits)
    return Reach(needed.factor / point.tflop, needed.bound)


def bits_at(curve: Sequence[Point], tflop: float) -> float:
    """Bits of `curve` at a compute between its first and last point; nan beyond them."""
    points = sorted(curve)
    for low, high in pairwise(points):
        if low.tflop <= tflop <= high.tflop and low.tflop < high.tflop:
            share = math.log(tflop / low.tflop) / math.log(high.tflop / low.tflop)
            return low.bits + share * (high.bits - low.bits)
    return points[0].bits if points and points[0].tflop == tflop else math.nan
