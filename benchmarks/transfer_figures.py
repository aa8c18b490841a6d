"""The figures of benchmarks/transfer.py, from the trainings of one language; those that cannot be said are absent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from mothertongue.compare.curves import Spot, curve, spots, tflop_per_second
from mothertongue.compare.rates import Rates
from mothertongue.compare.saving import Point, bits_at, compute_for
from mothertongue.compare.training import Result

PREFIXES = {"cs": "cs", "bg": "bg", "el": "xx"}
ASKED_SAVINGS = (1.0, 5.0, 20.0)
PLANNED = Rates(2e-3)  # what `mothertongue plan` writes for models up to 256 wide (run/derive.py)


def figures_of_language(prefix: str, results: Sequence[Result]) -> dict[str, float]:
    """`cs_saving_at_1` and so on. A saving that is a lower bound has `..._is_least` = 1 beside it.

    `.._without_probes` counts rows and training alone: both sides know good rates beforehand. Beside Guillou's recipe
    that is so anyway: his rates are published, ours are those that `plan` writes; `.._with_probes` counts our search.
    `align_minus_focus` is of the budget at which align compares worst. `steps_vs_wechsel` is the share of the steps of
    wechsel's longest training with which align with its dictionary reaches the same bits; `.._at_N`: of shorter ones.
    """
    found = {(spot.arm, spot.budget): spot for spot in spots(results)}
    known = without_probes(results)
    planned = [each for each in known if each.arm != "align" or rates_of(each) == PLANNED]
    figures = _savings(results) | {f"{key}_without_probes": value for key, value in _savings(known).items()}
    figures |= _guillou(planned) | {f"{key}_with_probes": value for key, value in _guillou(results).items()}
    steps = [replace(each, training_tflop=each.steps, rows_seconds=0.0) for each in known]
    dictionary = curve(steps, "align+dictionary", 0.0)
    for other in ("focus", "wechsel") if dictionary else ():
        theirs = [spot for spot in spots(steps) if spot.arm == other]
        for spot in theirs:
            figures |= _share(f"steps_vs_{other}_at_{spot.budget:g}", dictionary, spot.point)
        if theirs:
            figures |= _share(f"steps_vs_{other}", dictionary, theirs[-1].point)
    for other in ("focus", "wechsel", "mean"):
        pairs = [(found["align", budget], spot) for (arm, budget), spot in found.items()
                 if arm == other and ("align", budget) in found]  # fmt: skip
        if pairs:
            ours, theirs = max(pairs, key=lambda pair: pair[0].point.bits - pair[1].point.bits)
            figures[f"align_minus_{other}"] = ours.point.bits - theirs.point.bits
            figures[f"align_minus_{other}_spread"] = _spread(ours, theirs)
    return {f"{prefix}_{key}": round(value, 5) for key, value in figures.items() if math.isfinite(value)}


def without_probes(results: Sequence[Result]) -> list[Result]:
    """The same trainings for someone who knows good rates beforehand."""
    return [replace(each, probes_tflop=0.0) for each in results]


def rates_of(result: Result) -> Rates:
    """The rates that a training had."""
    return Rates(result.learning_rate, result.embedding_rate, result.optimizer)


def _savings(results: Sequence[Result]) -> dict[str, float]:
    """What align saves at each budget, and whether that is a lower bound."""
    figures: dict[str, float] = {}
    for spot in spots(results):
        if spot.arm == "align" and spot.saving:
            name = f"saving_at_{spot.budget:g}"
            figures[name] = spot.saving.factor
            if spot.saving.bound and spot.budget in ASKED_SAVINGS:
                figures[f"{name}_is_least"] = float(spot.saving.bound == "at least")
    return figures


def _guillou(results: Sequence[Result]) -> dict[str, float]:
    """How align stands beside Guillou's recipe, with his rates and with probed ones."""
    figures: dict[str, float] = {}
    found, align = spots(results), curve(results, "align", tflop_per_second(results))
    for arm, name in (("guillou", "guillou"), ("guillou-probed", "guillou_probed")):
        if (last := _last(found, arm)) and align:
            figures |= _against(name, last.point, align)
    return figures


def _against(name: str, point: Point, align: Sequence[Point]) -> dict[str, float]:
    """Share of a recipe's compute with which align reaches its bits, and how much lower align is at equal compute."""
    gain = 1 - bits_at(align, point.tflop) / point.bits
    return _share(f"{name}_compute_share", align, point) | {f"gain_over_{name}": gain}


def _share(name: str, ours: Sequence[Point], theirs: Point) -> dict[str, float]:
    """The share of their compute with which `ours` reaches their bits; `..._is_most`, `..._is_least`: a bound."""
    needed = compute_for(ours, theirs.bits)
    bound = {"at most": "most", "at least": "least"}.get(needed.bound)
    return {name: needed.factor / theirs.tflop} | ({f"{name}_is_{bound}": 1.0} if bound else {})


def _last(found: Sequence[Spot], arm: str) -> Spot | None:
    """The longest training of an arm."""
    return max((spot for spot in found if spot.arm == arm), key=lambda spot: spot.budget, default=None)


def _spread(one: Spot, other: Spot) -> float:
    """The larger of both spreads over the seeds."""
    return max(max(spot.bits) - min(spot.bits) for spot in (one, other))
