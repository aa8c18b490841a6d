from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import GPT2Config, GPT2LMHeadModel

from mothertongue.compress.config import CompressConfig
from mothertongue.compress.cost import check_budget, draw_flop, phase_flop, preparing_flop
from mothertongue.compress.methods import METHODS, Lesson, Material
from mothertongue.compress.schedule import phases
from mothertongue.compress.theseus import install_modules, make_successor
from mothertongue.errors import ConfigError
from mothertongue.model import products
from mothertongue.train.data import Windows
from mothertongue.train.freeze import group_parameters, unfreeze
from mothertongue.train.optimizer import make_optimizers
from mothertongue.train.schedule import Phase
from mothertongue.train.stage import TRIAL_STEPS, derive_steps

LENGTH, STEPS = 32, 10
TOKENS = torch.arange(LENGTH + 1)[None]
ATTENTION = {torch.ops.aten.bmm, torch.ops.aten.baddbmm}


@pytest.fixture(autouse=True)
def _products_that_torch_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "prefers_onednn", lambda: False)


Make = Callable[..., Material]


@pytest.fixture(scope="module")
def bench() -> Make:
    """`bench(distillation=0.5)`: models wide enough that products with weights are what counts."""
    config = GPT2Config(vocab_size=500, n_positions=64, n_embd=128, n_layer=6, n_head=2, bos_token_id=0, eos_token_id=0)
    predecessor = GPT2LMHeadModel(config).eval().requires_grad_(False)
    model = make_successor(predecessor, [0, 3, 5])
    modules = install_modules(model, predecessor, [range(2), range(2, 5), range(5, 6)])

    def make(**settings: Any) -> Material:
        return Material(CompressConfig(**settings), predecessor, model, modules, TOKENS, LENGTH, LENGTH, predecessor)

    return make


def measured(material: Material, lesson: Lesson, first: int, phase: Phase) -> float:
    """Operations per token that torch counts in all steps of `phase`, which begins at step `first`."""
    groups = group_parameters(material.model)
    unfreeze(groups, phase.rates)
    optimizers = make_optimizers(groups, material.config)
    tokens_BT = TOKENS.repeat(material.config.batch_size, 1)
    steps = phase.steps if phase.name == "replacing" else 1
    with FlopCounterMode(display=False) as counter:
        for step in range(first, first + steps):
            if lesson.before_step:
                lesson.before_step(step)
            lesson.loss(material.model.train(), tokens_BT).backward()
            for optimizer in optimizers:
                optimizer.step()
            material.model.zero_grad(set_to_none=True)
    counts = counter.get_flop_counts()["Global"].items()
    # attention at half its price: torch counts the masked half as well
    total = sum(flop / 2 if operation in ATTENTION else flop for operation, flop in counts)
    return total / (steps * tokens_BT.shape[0] * LENGTH)


@pytest.mark.parametrize(
    "settings",
    [
        {"distillation": 0.0, "replacing_share": 0.4},
        {"scheduler": "constant"},
        {"scheduler": "cosine", "hidden": 1.0, "distillation": 0.0, "local_share": 0.2},
        {"unfreeze": "start"},
        {"draw": "sequence", "distillation": 0.0, "batch_size": 2},
        {"redraw": False, "replacing_rate": 0.1, "distillation": 0.0, "scheduler": "constant"},
        {"method": "distill", "hidden": 1.0},
        {"method": "truncate"},
        {"optimizer": "muon", "scheduler": "constant", "local_share": 0.2},
        {"optimizer": "muon", "scheduler": "constant", "draw": "sequence", "batch_size": 2},
    ],
    ids=str,
)
def test_the_cost_of_every_phase_is_what_torch_counts(bench: Make, settings: dict[str, Any]) -> None:
    material = bench(**{"replacing_rate": 0.3, "replacing_share": 0.5, "batch_size": 1, **settings})
    lesson = METHODS.load(material.config.method)(material)(STEPS)
    first = 0
    for phase in lesson.phases:
        assert lesson.flop(phase) == pytest.approx(measured(material, lesson, first, phase), rel=0.04), phase.name
        first += phase.steps


def test_a_teacher_costs_one_reading_by_the_predecessor(bench: Make) -> None:
    costs = []
    for distillation in (0.0, 0.5):
        material = bench(distillation=distillation, hidden=0.0)
        flop = phase_flop(material)
        costs.append([flop(phase) for phase in phases(material.config, STEPS)])
    saved = np.subtract(costs[1], costs[0])
    np.testing.assert_allclose(saved, saved[0])
    truncated = bench(method="truncate")
    assert phase_flop(truncated)(phases(truncated.config, STEPS)[0]) == costs[0][1]


@pytest.mark.parametrize(
    ("drawn", "weights", "attention"),
    [
        ([1, 1, 1], 3 + 3 + 3, 3 + 6),
        ([1, 0, 0], 5 + 5 + 1, 5 + 10),
        ([0, 0, 1], 5 + 1 + 1, 5 + 2),
        ([0, 1, 1], 4 + 2 + 2, 4 + 4),
    ],
)
def test_gradients_are_carried_only_down_to_the_lowest_replaced_module(
    drawn: list[int], weights: int, attention: int
) -> None:
    flags = np.array(drawn, dtype=bool)[:, None]
    assert draw_flop(flags, 2, weights=1, attention=0) == weights
    assert draw_flop(flags, 2, weights=0, attention=1) == attention


def test_sequences_with_draws_of_their_own_carry_gradients_down_to_the_lowest_of_all() -> None:
    drawn = np.array([[True, False], [False, True]])
    assert draw_flop(drawn, [2, 4], weights=2, attention=0) == 2 * (1.5 + 2.5 + 0.5 + 2.5 + 1)
    assert draw_flop(drawn & False, [2, 4], weights=1, attention=1) == 6 + 6
    assert draw_flop(drawn & False, [2, 4], weights=1, attention=0, to_the_bottom=True) == 12


def test_a_budget_is_spent_whole_and_more_expensive_methods_get_fewer_steps(bench: Make) -> None:
    windows = Windows(np.zeros(10_000, dtype=np.uint16), LENGTH, 0)
    steps = {}
    for method in ("theseus", "distill", "truncate"):
        material = bench(method=method, budget_teraflop=0.5, batch_size=4, unfreeze="successor")
        lessons = METHODS.load(method)(material)
        trial = lessons(TRIAL_STEPS)
        steps[method] = derive_steps(material.config, windows, trial.phases, trial.flop, spent=0.1e12)
        lesson = lessons(steps[method])
        spent = sum(lesson.flop(phase) * phase.steps for phase in lesson.phases) * 4 * LENGTH
        assert spent == pytest.approx(0.4e12, rel=0.02)
    assert steps["distill"] < steps["theseus"] < steps["truncate"]


def test_a_budget_that_is_spent_before_the_first_step_is_refused(bench: Make) -> None:
    check_budget(bench(budget_teraflop=0.03).config, 0.02e12)
    check_budget(bench(steps=3).config, 0.02e12)
    with pytest.raises(ConfigError, match=r"budget_teraflop = 0\.01 is spent before the first step"):
        check_budget(bench(budget_teraflop=0.01).config, 0.02e12)


def test_what_is_looked_at_before_training_has_a_price(bench: Make) -> None:
    def price(**settings: Any) -> float:
        material = bench(**{"initial": "ends", "groups": "even", **settings})
        return preparing_flop(material.config, material.predecessor, material.model, 1000)

    assert price() == 0
    assert price(initial="bridge") > price(groups="influence") == price(initial="influence") > 0
    assert price(groups="auto") == pytest.approx(price(groups="influence") + 2 * price(initial="bridge"))
    assert price(scheduler="loss") > price(method="truncate", scheduler="loss") == 0
