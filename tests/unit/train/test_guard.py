"""Harmful batches are told from hard ones."""

from __future__ import annotations

import math

from mothertongue.train.guard import Guard


def learnt(limit: float = 6.0) -> Guard:
    guard = Guard(limit)
    for step in range(200):
        assert guard.judge(3.0 + 0.1 * (-1) ** step, 1.0) == "good"
    return guard


def test_a_loss_far_above_the_recent_ones_is_left_out() -> None:
    assert learnt().judge(3.5, 1.0) == "good"
    assert learnt().judge(4.0, 1.0) == "skip"
    assert learnt(limit=0).judge(40.0, 1.0) == "good"


def test_three_unusual_losses_in_a_row_are_a_new_level() -> None:
    guard = learnt()
    assert [guard.judge(4.5, 1.0) for _ in range(5)] == ["skip", "skip", "skip", "good", "good"]


def test_what_is_no_number_is_left_out_and_three_in_a_row_are_a_broken_model() -> None:
    guard = learnt()
    assert guard.judge(math.nan, 1.0) == "skip"
    assert guard.judge(3.0, math.inf) == "skip"
    assert guard.judge(3.0, 1.0) == "good"
    assert [guard.judge(math.inf, 1.0) for _ in range(3)] == ["skip", "skip", "broken"]


def test_nothing_is_unusual_before_enough_was_seen_or_in_a_new_phase() -> None:
    guard = Guard(6.0)
    assert [guard.judge(loss, 1.0) for loss in (9.0, 3.0, 50.0)] == ["good"] * 3
    guard = learnt()
    guard.forget()
    assert guard.judge(9.0, 1.0) == "good"
