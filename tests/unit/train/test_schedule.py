from __future__ import annotations

from typing import Any

import pytest

from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import GROUPS
from mothertongue.train.config import TrainConfig
from mothertongue.train.schedule import Phase, guillou, one_cycle, phases, plateau


def test_guillou_is_the_schedule_of_the_card() -> None:
    # learn.fit_one_cycle(1, 2e-3); freeze_to(-2): slice(1e-3/2.6**4, 1e-3); freeze_to(-3): slice(5e-4/2.6**4, 5e-4);
    # unfreeze: fit_one_cycle(2, slice(1e-4/2.6**4, 1e-4)) - one cycle over both last epochs
    plan = guillou(500)
    assert [phase.steps for phase in plan] == [100, 100, 100, 200]
    assert [tuple(phase.rates) for phase in plan] == [
        ("embeddings",),
        ("top", "embeddings"),
        ("middle", "top", "embeddings"),
        ("bottom", "middle", "top", "embeddings"),
    ]
    for phase, rate in zip(plan, (2e-3, 1e-3, 5e-4, 1e-4), strict=True):
        spread = dict(zip(GROUPS, (2.6**-4, 2.6 ** (-8 / 3), 2.6 ** (-4 / 3), 1.0), strict=True))
        assert phase.rates == pytest.approx({group: rate * spread[group] for group in phase.rates})
    assert len({phase.name for phase in plan}) == 4


def test_guillous_lowest_blocks_hardly_learn() -> None:
    plan = guillou(500)
    assert all("bottom" not in phase.rates for phase in plan[:-1])
    last = plan[-1]
    fastest = max(last.rates["bottom"] * last.shape(step, last.steps) for step in range(last.steps))
    assert 2.1e-6 < fastest < 2.2e-6


def test_guillous_cycles_move_rate_and_momentum_oppositely() -> None:
    for phase in guillou(500):
        assert phase.momentum is not None
        shares = [phase.shape(step, phase.steps) for step in range(phase.steps)]
        momenta = [phase.momentum(step, phase.steps) for step in range(phase.steps)]
        top = shares.index(max(shares))
        assert top == pytest.approx(phase.steps / 4, abs=2)
        assert momenta.index(min(momenta)) == top
        assert (shares[0], momenta[0], momenta[-1]) == (pytest.approx(1 / 25), 0.95, pytest.approx(0.95))


def test_guillou_in_too_few_steps_is_refused() -> None:
    with pytest.raises(ConfigError, match="five epochs; 4 steps cannot hold them"):
        phases(TrainConfig(preset="guillou"), 4, 1e-3)


def test_a_plateau_counted_by_hand() -> None:
    assert [round(plateau(step, 10, warmup=0.2, decay=0.5), 3) for step in range(10)] == [
        0.5, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2,
    ]  # fmt: skip


def test_one_cycle_peaks_where_the_warmup_ends() -> None:
    shares = [one_cycle(step, 401) for step in range(401)]
    assert shares[100] == pytest.approx(1.0)
    assert shares[50] == pytest.approx((1 + 1 / 25) / 2)
    assert shares[250] == pytest.approx((1 + 1e-5) / 2)


def test_embeddings_first_means_two_phases_that_each_warm_up() -> None:
    embeddings, everything = phases(TrainConfig(embeddings_first=0.25, warmup=0.1, decay=0.5), 400, 1e-3)
    assert (embeddings.steps, everything.steps) == (100, 300)
    assert embeddings.shape(0, 100) == pytest.approx(0.1)
    assert embeddings.shape(99, 100) == 1.0
    assert everything.shape(0, 300) == pytest.approx(1 / 30)
    assert everything.shape(299, 300) == pytest.approx(1 / 150)


def test_blocks_join_from_the_top_each_third_slower_than_the_one_above() -> None:
    config = TrainConfig(embeddings_first=0.1, unfreezing=0.4, discriminative=2.0, embedding_rate=3.0)
    plan = phases(config, 100, 1e-2)
    assert [(phase.name, phase.steps) for phase in plan] == [
        ("embeddings", 10),
        ("top third too", 20),
        ("middle third too", 20),
        ("everything", 50),
    ]
    assert [len(phase.rates) for phase in plan] == [1, 2, 3, 4]
    assert plan[-1].rates == pytest.approx({"bottom": 2.5e-3, "middle": 5e-3, "top": 1e-2, "embeddings": 3e-2})


def test_one_cycle_moves_the_momentum_too() -> None:
    (phase,) = phases(TrainConfig(schedule="one-cycle", warmup=0.25), 100, 1e-2)
    assert phase.momentum is not None
    assert [round(phase.momentum(step, 100), 2) for step in (0, 25, 99)] == [0.95, 0.85, 0.95]


@pytest.mark.parametrize("settings", [{}, {"schedule": "one-cycle"}, {"schedule": "cosine", "embeddings_first": 0.2}])
def test_the_last_steps_read_long_sequences_at_the_rates_they_have_anyway(settings: dict[str, Any]) -> None:
    config = TrainConfig(long_share=0.25, **settings)
    whole, plan = phases(config, 40, 1e-3), phases(config, 40, 1e-3, 64)
    assert [phase.length for phase in plan] == [0] * len(whole) + [64]
    assert (plan[-1].name, plan[-1].steps, plan[-1].rates) == ("long", 10, whole[-1].rates)
    for course in (shares, momenta):
        assert [each for phase in plan for each in course(phase)] == [each for phase in whole for each in course(phase)]


def shares(phase: Phase) -> list[float]:
    return [phase.shape(step, phase.steps) for step in range(phase.steps)]


def momenta(phase: Phase) -> list[float]:
    return [phase.momentum(step, phase.steps) if phase.momentum else 0.0 for step in range(phase.steps)]


@pytest.mark.parametrize(
    ("settings", "steps", "longest"),
    [({}, 40, 0), ({"long_share": 0.0}, 40, 64), ({}, 4, 64), ({}, 1, 64), ({"preset": "guillou"}, 40, 64)],
)
def test_otherwise_all_sequences_have_one_length(settings: dict[str, Any], steps: int, longest: int) -> None:
    plan = phases(TrainConfig(**settings), steps, 1e-3, longest)
    assert {phase.length for phase in plan} == {0}
    assert sum(phase.steps for phase in plan) == steps


def test_freezing_that_leaves_too_little_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"embeddings_first \+ unfreezing = 1 "):
        TrainConfig(embeddings_first=0.5, unfreezing=0.5)
