from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from transformers import PreTrainedModel

from mothertongue.compress.config import CompressConfig
from mothertongue.compress.distill import distillation_loss
from mothertongue.compress.layers import even_groups, leaders
from mothertongue.compress.schedule import LossCurve, draw, phases, replacing_schedule
from mothertongue.errors import ConfigError
from mothertongue.model.loss import next_token_loss
from mothertongue.run.settings import parse_settings


def test_a_linear_replacing_rate_rises_in_equal_parts_to_one_and_stays() -> None:
    rate = replacing_schedule("linear", 0.3, 8)
    rates = [rate(step) for step in range(10)]
    assert rates[0] == 0.3
    assert rates[7:] == [1.0, 1.0, 1.0]
    np.testing.assert_allclose(np.diff(rates[:8]), 0.1)


def test_a_constant_replacing_rate_stays_until_its_steps_are_over() -> None:
    rate = replacing_schedule("constant", 0.3, 8)
    assert [rate(step) for step in range(10)] == [0.3] * 8 + [1.0] * 2


@pytest.mark.parametrize("scheduler", ["linear", "constant"])
@pytest.mark.parametrize("steps", [0, 1, 2, 500])
@pytest.mark.parametrize("start", [0.01, 0.5, 1.0])
def test_a_replacing_rate_is_always_a_probability(scheduler: str, steps: int, start: float) -> None:
    rate = replacing_schedule(scheduler, start, steps)
    assert all(start <= rate(step) <= 1 for step in range(steps + 2))
    assert rate(steps) == 1


def test_a_draw_is_a_function_of_seed_and_step() -> None:
    def drawn_at(seed: int, step: int) -> list[bool]:
        return draw(12, 0.5, seed=seed, step=step)[:, 0].tolist()

    drawn = {(seed, step): drawn_at(seed, step) for seed in range(3) for step in range(20)}
    assert all(drawn_at(*key) == value for key, value in drawn.items())
    assert len({tuple(value) for value in drawn.values()}) > 50


def test_a_draw_replaces_each_module_as_often_as_asked_and_at_least_one() -> None:
    draws = np.array([draw(6, 0.7, seed=0, step=step)[:, 0] for step in range(2000)])
    np.testing.assert_allclose(draws.mean(axis=0), 0.7, atol=0.04)
    rare = np.array([draw(3, 0.01, seed=0, step=step)[:, 0] for step in range(600)])
    assert rare.any(axis=1).all()
    np.testing.assert_allclose(rare.mean(axis=0), 1 / 3, atol=0.08)
    assert draw(5, 1.0, seed=0, step=0).all()


def test_blocks_learn_while_modules_are_replaced_and_everything_afterwards() -> None:
    shape = {"learning_rate": 0.01, "embedding_rate": 0.5, "warmup": 0.1, "decay": 0.4}
    config = CompressConfig(replacing_share=0.25, unfreeze="successor", **shape)
    first, second = phases(config, 100)
    assert (first.name, first.steps, second.name, second.steps) == ("replacing", 25, "successor", 75)
    assert first.rates == {"bottom": 0.01, "middle": 0.01, "top": 0.01}
    assert second.rates == {**first.rates, "embeddings": 0.005}
    assert [first.shape(step, 25) for step in (4, 24)] == [1.0, 1.0]  # steady: the successor phase goes on from here
    assert second.shape(74, 75) < 0.05


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"replacing_share": 0.0}, ["successor"]),
        ({"replacing_share": 1.0}, ["replacing"]),
        ({"method": "truncate"}, ["successor"]),
        ({}, ["replacing", "successor"]),
    ],
)
def test_a_phase_without_steps_is_left_out(settings: dict[str, object], names: list[str]) -> None:
    plan = phases(parse_settings(CompressConfig, settings), 40)
    assert [phase.name for phase in plan] == names
    assert sum(phase.steps for phase in plan) == 40


def test_the_recipe_of_the_paper_is_filled_in_and_allows_no_other(make_model: Callable[[], PreTrainedModel]) -> None:
    config = parse_settings(CompressConfig, {"method": "paper", "learning_rate": 2e-5})
    assert leaders(even_groups(12, 6), config.initial) == [0, 1, 2, 3, 4, 5]
    assert (config.groups, config.draw, config.redraw, config.dropout) == ("even", "batch", False, 0.1)
    assert distillation_loss(make_model(), config.teacher_share, config.hidden_weight) is next_token_loss
    replacing, tuning = phases(config, 1000)
    assert (replacing.steps, tuning.steps) == (500, 500)
    assert replacing.rates.keys() == {"bottom", "middle", "top"}
    assert tuning.rates.keys() == {*replacing.rates, "embeddings"}
    rate = replacing_schedule(config.scheduler, config.replacing_rate, replacing.steps)
    slope = (1 - 0.3) / 499
    assert all(abs(rate(step) - min(1, 0.3 + slope * step)) < 1e-12 for step in range(1000))
    # the learning rate falls in one line over both phases, as in the released code
    rates = [phase.shape(step, phase.steps) for phase in (replacing, tuning) for step in range(500)]
    np.testing.assert_allclose(rates, np.linspace(1, 0, 1001)[:-1], atol=1e-12)
    with pytest.raises(ConfigError, match=r"method = paper has initial = first, not merged\. Leave it out"):
        parse_settings(CompressConfig, {"method": "paper", "initial": "merged"})


@pytest.mark.parametrize(
    ("unfreeze", "replacing", "alone"), [("start", True, True), ("successor", False, True), ("never", False, False)]
)
def test_embeddings_learn_from_where_they_are_unfrozen(unfreeze: str, replacing: bool, alone: bool) -> None:
    config = CompressConfig(unfreeze=unfreeze, local_share=0.2, replacing_share=0.3)
    plan = phases(config, 10)
    assert [(phase.name, phase.steps) for phase in plan] == [("local", 2), ("replacing", 3), ("successor", 5)]
    assert ["embeddings" in phase.rates for phase in plan] == [False, replacing, alone]


def test_a_cosine_begins_and_ends_slowly() -> None:
    rate = replacing_schedule("cosine", 0.2, 11)
    rates = [rate(step) for step in range(11)]
    np.testing.assert_allclose([rates[0], rates[5], rates[10]], [0.2, 0.6, 1.0])
    assert rates[1] - rates[0] < rates[5] - rates[4]


def test_a_measured_curve_makes_the_loss_rise_in_a_straight_line() -> None:
    curve = LossCurve([0.5, 0.6, 0.8, 1.0], [2.0, 2.1, 2.05, 4.0])  # noise must not send the rate back
    rate = replacing_schedule("loss", 0.5, 21, curve)
    rates = [rate(step) for step in range(22)]
    assert rates == sorted(rates)
    assert (rates[0], rates[20], rates[21]) == (0.5, 1.0, 1.0)
    np.testing.assert_allclose(np.diff(np.interp(rates[2:21], [0.8, 1.0], [2.1, 4.0])), 0.1)


def test_each_sequence_has_a_draw_of_its_own_that_is_not_empty_unless_asked_for() -> None:
    drawn = draw(4, 0.2, seed=0, step=1, sequences=200)
    assert drawn.shape == (4, 200)
    assert drawn.any(axis=0).all()
    assert len({tuple(column) for column in drawn.T}) > 5
    assert not draw(4, 0.2, seed=0, step=1, sequences=200, redraw=False).any(axis=0).all()


def test_truncation_has_neither_a_teacher_nor_replacing() -> None:
    config = CompressConfig(method="truncate", distillation=0.7, replacing_share=0.9)
    assert config.teacher_share == 0
    assert config.replacing_steps(100) == 0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"method": "bridge", "steps": 5}, "method = bridge does not train"),
        ({"method": "bridge", "control": True}, "a control would get no compute"),
        ({"target_mb": 5.0, "dev_kilobytes": 0.0}, "compare on development text"),
        ({"local_share": 0.8, "replacing_share": 0.3}, r"local_share \+ replacing_share = 1\.1 is more than all steps"),
        ({"learning_rate": 0.0}, "compress has no learning-rate finder"),
        ({"preset": "guillou"}, 'unknown key "preset"'),
        ({"embeddings_first": 0.2}, 'unknown key "embeddings_first"'),
        ({"replacing_rate": 0.0}, r"replacing_rate = 0\.0 is outside"),
        ({"replacing_share": 1.1}, "replacing_share"),
        ({"distillation": 2}, "distillation"),
        ({"method": "distil"}, 'There is no compress method "distil". Did you mean "distill"'),
        ({"initial": "last"}, "ends, every-other, first, influence, merged, bridge"),
        ({"scheduler": "exponential"}, "linear, constant, cosine, loss"),
        ({"replacing": 0.5}, 'unknown key "replacing"'),
    ],
)
def test_settings_that_would_do_nothing_or_nonsense_are_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_settings(CompressConfig, table, where="[compress]")
