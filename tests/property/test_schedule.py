"""Whatever the settings, a schedule stays between nothing and its peak and comes down at the end."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mothertongue.model.anatomy import GROUPS
from mothertongue.train.config import TrainConfig
from mothertongue.train.schedule import Shape, cosine, guillou, one_cycle, one_cycle_momentum, phases, plateau, shape_of

SHARE = st.floats(0, 1)
STEPS = st.integers(1, 400)


def values(shape: Shape, steps: int) -> list[float]:
    return [shape(step, steps) for step in range(steps)]


@given(STEPS, SHARE, SHARE)
def test_a_plateau_rises_stays_and_falls(steps: int, warmup: float, decay: float) -> None:
    assume(warmup + decay <= 1)
    shares = values(partial(plateau, warmup=warmup, decay=decay), steps)
    assert all(0 < share <= 1 for share in shares)
    assert max(shares) > 0.5
    assert shares[-1] <= 1 / max(1, decay * steps) + 1e-9
    top = shares.index(max(shares))
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert shares[top:] == sorted(shares[top:], reverse=True)


@given(STEPS, SHARE)
def test_a_cosine_rises_and_falls(steps: int, warmup: float) -> None:
    shares = values(partial(cosine, warmup=warmup), steps)
    assert all(0 < share <= 1 for share in shares)
    top = shares.index(max(shares))
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert shares[top:] == sorted(shares[top:], reverse=True)
    if warmup <= 0.5 and steps >= 100:
        assert max(shares) == pytest.approx(1, abs=1e-3)
        assert shares[-1] < 0.01


@given(STEPS, SHARE)
def test_one_cycle_begins_at_a_25th_and_ends_near_zero(steps: int, warmup: float) -> None:
    shares = values(partial(one_cycle, warmup=warmup), steps)
    assert all(0 < share <= 1 for share in shares)
    if steps >= 2 and 0.01 <= warmup <= 0.99:
        assert shares[0] == pytest.approx(1 / 25)
        assert shares[-1] == pytest.approx(1e-5)
    momenta = values(partial(one_cycle_momentum, warmup=warmup), steps)
    assert all(0.85 <= momentum <= 0.95 for momentum in momenta)


@given(STEPS, SHARE, SHARE, st.sampled_from(["plateau", "one-cycle", "cosine"]))
def test_every_schedule_that_settings_allow_can_be_computed(steps: int, warmup: float, decay: float, name: str) -> None:
    assume(warmup + decay <= 1)
    shape = shape_of(TrainConfig(schedule=name, warmup=warmup, decay=decay))
    assert all(0 < share <= 1 for share in values(shape, steps))


@given(STEPS, st.floats(0, 0.9), st.floats(0.01, 100))
def test_phases_add_up_to_the_steps(steps: int, embeddings_first: float, embedding_rate: float) -> None:
    config = TrainConfig(embeddings_first=embeddings_first, embedding_rate=embedding_rate)
    plan = phases(config, steps, 1e-3)
    assert sum(phase.steps for phase in plan) == steps
    assert all(phase.steps > 0 for phase in plan)
    assert set(plan[-1].rates) == set(GROUPS)
    assert plan[-1].rates["embeddings"] == pytest.approx(1e-3 * embedding_rate)
    if len(plan) == 2:
        assert set(plan[0].rates) == {"embeddings"}
        assert plan[0].steps == pytest.approx(embeddings_first * steps, abs=1)


@given(st.integers(5, 2000))
def test_guillous_epochs_are_equally_long(steps: int) -> None:
    plan = guillou(steps)
    assert sum(phase.steps for phase in plan) == steps
    assert all(abs(phase.steps - steps * epochs / 5) <= 1 for phase, epochs in zip(plan, (1, 1, 1, 2), strict=True))
