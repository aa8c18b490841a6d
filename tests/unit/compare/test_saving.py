"""Where two curves meet: interpolation in the logarithm of compute, bounds beyond the ends."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mothertongue.compare.saving import Point, Reach, bits_at, compute_for, saving

SCRATCH = [Point(1, 4.0), Point(10, 3.0), Point(100, 2.0)]


def test_halfway_in_bits_is_halfway_in_the_logarithm_of_compute() -> None:
    assert compute_for(SCRATCH, 3.5).factor == pytest.approx(math.sqrt(10))
    assert saving(Point(2, 2.5), SCRATCH).factor == pytest.approx(10**1.5 / 2)
    assert saving(Point(2, 2.5), SCRATCH).bound == ""


def test_at_a_point_of_the_curve_it_is_that_point() -> None:
    assert compute_for(SCRATCH, 4.0) == Reach(1) and compute_for(SCRATCH, 2.0) == Reach(100)
    assert saving(Point(10, 3.0), SCRATCH) == Reach(1.0)


def test_beyond_the_ends_it_is_a_bound() -> None:
    assert saving(Point(5, 1.9), SCRATCH) == Reach(20, "at least") and str(Reach(20, "at least")) == "≥ 20"
    assert saving(Point(5, 4.5), SCRATCH) == Reach(0.2, "at most") and str(Reach(0.2, "at most")) == "≤ 0.2"


def test_a_curve_that_goes_up_again_counts_where_it_first_is_as_low() -> None:
    assert compute_for([Point(1, 4.0), Point(10, 3.0), Point(100, 3.5), Point(1000, 2.0)], 3.0) == Reach(10)


def test_points_may_come_in_any_order() -> None:
    assert compute_for(SCRATCH[::-1], 3.5) == compute_for(SCRATCH, 3.5)


@given(st.floats(1, 100))
def test_bits_of_a_compute_lead_back_to_it(tflop: float) -> None:
    assert compute_for(SCRATCH, bits_at(SCRATCH, tflop)).factor == pytest.approx(tflop, rel=1e-6)


def test_bits_beyond_the_curve_are_not_known() -> None:
    assert math.isnan(bits_at(SCRATCH, 0.9)) and math.isnan(bits_at(SCRATCH, 101)) and math.isnan(bits_at([], 1))
    assert bits_at([Point(3, 2.0)], 3) == 2.0
