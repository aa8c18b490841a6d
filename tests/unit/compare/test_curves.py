"""From results to figures: what is counted, what is paired, what is only a bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from mothertongue.compare.curves import best_arm, curve, figures_of, notes_of, spots, tflop_per_second
from mothertongue.compare.picture import draw_curves
from mothertongue.compare.training import Result


def result(arm: str, budget: float, bits: float, *, seed: int = 0, rows: float = 0.0, probes: float = 0.0) -> Result:
    return Result(arm, budget, seed, bits, 10, 1000, 10 * budget, probes, rows, 5 * budget, 1e-3, 1.0, "adamw")


RESULTS = [
    *(result("scratch", budget, bits) for budget, bits in ((0.1, 4.0), (1, 3.0), (10, 2.0))),
    *(result("align", budget, bits) for budget, bits in ((0.1, 3.0), (1, 2.5), (10, 1.9))),
]


def test_compute_counts_rows_and_probes() -> None:
    results = [result("align", 1, 2.5, rows=3.0, probes=4.0)]
    assert tflop_per_second(results) == pytest.approx(2.0)
    assert curve(results, "align", 2.0)[0].tflop == pytest.approx(10 + 2 * 3 + 4)


def test_a_saving_is_of_the_means_and_beyond_the_end_a_bound() -> None:
    found = {(spot.arm, spot.budget): spot for spot in spots(RESULTS)}
    assert found["align", 0.1].saving and found["align", 0.1].saving.factor == pytest.approx(10)
    last = found["align", 10].saving
    assert last and last.bound == "at least" and last.factor == pytest.approx(1)
    assert found["scratch", 1].saving is None
    assert len(notes_of(spots(RESULTS))) == 1 and "at least 1 times" in notes_of(spots(RESULTS))[0]


def test_savings_are_also_paired_seed_by_seed() -> None:
    more = [*RESULTS, *(result("scratch", b, v, seed=1) for b, v in ((0.1, 3.5), (1, 2.5), (10, 1.5)))]
    spot = next(
        spot for spot in spots([*more, result("align", 1, 2.5, seed=1)]) if spot.arm == "align" and spot.budget == 1
    )
    assert spot.savings == (pytest.approx(10**0.5), pytest.approx(1.0))
    assert spot.bits == (2.5, 2.5)


def test_an_interrupted_training_does_not_tell_the_speed() -> None:
    broken = Result("scratch", 1, 1, 3.0, 10, 1000, 10.0, 0, 0, 0.0, 1e-3, 1.0, "adamw")
    assert tflop_per_second([broken]) == 0.0 and tflop_per_second([broken, result("scratch", 1, 3.0)]) == 2.0


def test_figures_have_names_that_a_table_can_ask_for() -> None:
    figures = figures_of(spots([*RESULTS, result("guillou-probed", 1, 3.1), result("align+dictionary", 1, 2.4)]))
    assert figures["align_saving_at_0.1"] == pytest.approx(10) and figures["scratch_bits_at_10"] == 2.0
    assert {"guillou_probed_bits_at_1", "align_with_dictionary_saving_at_1"} <= set(figures)


def test_the_best_arm_is_told_at_the_longest_common_budget() -> None:
    assert best_arm(spots([*RESULTS, result("mean", 0.1, 2.9)])) == "mean"
    assert best_arm(spots(RESULTS)) == "align"
    assert best_arm(spots(RESULTS[:3])) == "" and best_arm([]) == ""


def test_the_picture_is_drawn_for_one_language_and_for_several(tmp_path: Path) -> None:
    for count in (1, 3):
        draw_curves({f"language {n}": spots(RESULTS) for n in range(count)}, tmp_path / "curve.png")
        assert (tmp_path / "curve.png").read_bytes()[:4] == b"\x89PNG"
    assert [file.name for file in tmp_path.iterdir()] == ["curve.png"]
