"""Rates are found by trying few of them, and nothing is tried twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mothertongue.compare.ground import Ground, fresh_like
from mothertongue.compare.rates import Rates, find_rates, plan_of, search
from mothertongue.train.config import TrainConfig


def far_from(rate: float, embedding: float, seen: list[Rates]) -> Callable[[Rates], float]:
    def run(rates: Rates) -> float:
        seen.append(rates)
        return math.log(rates.learning_rate / rate) ** 2 + math.log(rates.embedding_rate / embedding) ** 2

    return run


@pytest.mark.parametrize(("rate", "embedding"), [(2e-3, 1.0), (3e-2, 1.0), (1e-4, 1.0), (5e-3, 6.0), (2e-3, 0.2)])
def test_the_best_of_a_smooth_hill_is_found_with_enough_tries(rate: float, embedding: float) -> None:
    seen: list[Rates] = []
    best = search(far_from(rate, embedding, seen), Rates(2e-3), tries=20)
    assert abs(math.log(best.learning_rate / rate)) <= math.log(2.5) / 2 + 1e-6
    assert abs(math.log(best.embedding_rate / embedding)) <= math.log(2.5) / 2 + 1e-6
    assert len(seen) == len(set(seen)) <= 10


@pytest.mark.parametrize("tries", [1, 2, 3, 4])
def test_no_more_is_tried_than_asked_for(tries: int) -> None:
    seen: list[Rates] = []
    best = search(far_from(1e-1, 9.0, seen), Rates(2e-3), tries=tries)
    assert len(seen) == tries and best == seen[-1]


def test_a_rate_that_breaks_the_model_is_never_the_best() -> None:
    best = search(lambda rates: math.inf if rates.learning_rate > 3e-3 else 1.0, Rates(2e-3), tries=4)
    assert best.learning_rate <= 2e-3


@pytest.mark.parametrize(("first", "other", "rate"), [("adamw", "muon", 2.5e-3), ("muon", "adamw", 4e-4)])
def test_another_optimizer_is_taken_at_its_own_rate_and_only_if_it_is_better(
    first: str, other: str, rate: float
) -> None:
    def best(gain: float, its_rate: float) -> Rates:
        def run(rates: Rates) -> float:
            return gain + abs(rates.learning_rate - its_rate) if rates.optimizer == other else 0.0

        return search(run, Rates(1e-3, optimizer=first), tries=9, optimizers=(first, other))

    assert best(-1.0, its_rate=rate) == Rates(rate, optimizer=other)
    assert best(-1.0, its_rate=1e-3) == Rates(1e-3, optimizer=other)
    assert best(1.0, its_rate=rate) == Rates(1e-3, optimizer=first)


def test_probes_are_real_trainings_and_are_kept(
    tmp_path: Path, open_small: Callable[..., Ground], monkeypatch: pytest.MonkeyPatch
) -> None:
    ground = open_small()
    config = TrainConfig(steps=6, batch_size=2, sequence_length=16, dev_kilobytes=0.0)
    fresh = partial(fresh_like, ground.checkpoint, ground.vocabulary, seed=0)
    find = partial(find_rates, fresh, ground.windows(0), config, ground.score, tmp_path / "probes", tries=3)
    tried = find()
    assert len(tried) == 3 and tried[0].bits_per_byte == min(one.bits_per_byte for one in tried)
    assert all(one.tflop > 0 for one in tried)
    monkeypatch.setattr("mothertongue.compare.rates.fit", lambda *args, **more: pytest.fail("it trains again"))
    assert find() == tried


def test_optimizers_are_compared_at_equal_compute(tmp_path: Path, open_small: Callable[..., Ground]) -> None:
    ground = open_small()
    config = TrainConfig(steps=100, batch_size=2, sequence_length=16, dev_kilobytes=0.0, optimizer="muon")
    fresh = partial(fresh_like, ground.checkpoint, ground.vocabulary, seed=0)
    text = ground.windows(0)
    tried = find_rates(fresh, text, config, ground.score, tmp_path, tries=1, optimizers=("muon", "adamw"))
    assert {one.rates.optimizer for one in tried} == {"muon", "adamw"}
    assert max(one.tflop for one in tried) == pytest.approx(min(one.tflop for one in tried), rel=0.01)


def test_guillous_phases_keep_their_proportions_at_other_rates() -> None:
    config = TrainConfig(steps=50, preset="guillou", learning_rate=4e-3)
    first, *_, last = plan_of(config)
    assert first.rates == {"embeddings": 4e-3} and last.rates["embeddings"] == pytest.approx(2e-4)
    assert sum(phase.steps for phase in plan_of(config)) == 50
