from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel

from mothertongue.compress.config import CompressConfig
from mothertongue.compress.cost import derive_steps, draw_flop, phase_flop
from mothertongue.compress.distill import distillation_loss
from mothertongue.compress.schedule import draw, phases, replacing_schedule
from mothertongue.compress.theseus import ReplaceableModule, install_modules, make_successor, replace_modules
from mothertongue.model import products
from mothertongue.train.data import Windows
from mothertongue.train.freeze import group_parameters, unfreeze
from mothertongue.train.schedule import Phase

LENGTH, STEPS = 32, 10
ATTENTION = {torch.ops.aten.bmm, torch.ops.aten.baddbmm}


@pytest.fixture(autouse=True)
def _products_that_torch_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "prefers_onednn", lambda: False)


@dataclass
class Bench:
    """Predecessor and successor wide enough that products with weights are what counts."""

    predecessor: PreTrainedModel
    model: PreTrainedModel
    modules: list[ReplaceableModule]


@pytest.fixture(scope="module")
def bench() -> Bench:
    config = GPT2Config(vocab_size=500, n_positions=64, n_embd=128, n_layer=6, n_head=2, bos_token_id=0, eos_token_id=0)
    predecessor = GPT2LMHeadModel(config).eval().requires_grad_(False)
    model = make_successor(predecessor, [0, 3, 5])
    return Bench(predecessor, model, install_modules(model, predecessor))


def measured(bench: Bench, config: CompressConfig, phase: Phase) -> float:
    """Operations per token that torch counts in all steps of `phase`."""
    unfreeze(group_parameters(bench.model), phase.rates)
    replacing = phase.name == "replacing"
    rate = replacing_schedule(config.scheduler, config.replacing_rate, phase.steps if replacing else 0)
    loss = distillation_loss(bench.predecessor, config.teacher_share)
    tokens = torch.arange(LENGTH + 1)[None]
    steps = phase.steps if replacing else 1
    with FlopCounterMode(display=False) as counter:
        for step in range(steps):
            replace_modules(bench.modules, draw(3, rate(step), seed=config.seed, step=step))
            loss(bench.model.train(), tokens).backward()
            bench.model.zero_grad(set_to_none=True)
    counts = counter.get_flop_counts()["Global"].items()
    # attention at half its price: torch counts the masked half as well
    return sum(flop / 2 if operation in ATTENTION else flop for operation, flop in counts) / (steps * LENGTH)


@pytest.mark.parametrize("distillation", [0.0, 0.5])
@pytest.mark.parametrize("scheduler", ["linear", "constant"])
def test_the_cost_of_both_phases_is_what_torch_counts(bench: Bench, scheduler: str, distillation: float) -> None:
    config = CompressConfig(scheduler=scheduler, distillation=distillation, replacing_rate=0.3, replacing_share=0.5)
    flop = phase_flop(config, bench.model, bench.predecessor, LENGTH)
    for phase in phases(config, STEPS):
        assert flop(phase) == pytest.approx(measured(bench, config, phase), rel=0.04), phase.name


def test_a_teacher_costs_one_reading_by_the_predecessor(bench: Bench) -> None:
    costs = []
    for distillation in (0.0, 0.5):
        config = CompressConfig(distillation=distillation)
        flop = phase_flop(config, bench.model, bench.predecessor, LENGTH)
        costs.append([flop(phase) for phase in phases(config, STEPS)])
    saved = np.subtract(costs[1], costs[0])
    np.testing.assert_allclose(saved, saved[0])
    truncated = CompressConfig(method="truncate")
    flop = phase_flop(truncated, bench.model, bench.predecessor, LENGTH)
    assert flop(phases(truncated, STEPS)[0]) == costs[0][1]


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
    flags = np.array(drawn, dtype=bool)
    assert draw_flop(flags, 2, weights=1, attention=0) == weights
    assert draw_flop(flags, 2, weights=0, attention=1) == attention


def test_a_budget_is_spent_whole_and_more_expensive_methods_get_fewer_steps(bench: Bench) -> None:
    windows = Windows(np.zeros(10_000, dtype=np.uint16), LENGTH, 0)
    steps = {}
    for method in ("theseus", "truncate"):
        config = CompressConfig(method=method, budget_teraflop=0.5, batch_size=4)
        flop = phase_flop(config, bench.model, bench.predecessor, LENGTH)
        steps[method] = derive_steps(config, windows, flop)
        spent = sum(flop(phase) * phase.steps for phase in phases(config, steps[method])) * 4 * LENGTH
        assert spent == pytest.approx(0.5e12, rel=0.02)
    assert steps["theseus"] < steps["truncate"]


def test_steps_come_from_steps_or_from_epochs_where_no_budget_is_given(bench: Bench) -> None:
    windows = Windows(np.zeros(10_000, dtype=np.uint16), LENGTH, 0)
    assert derive_steps(CompressConfig(steps=7), windows, lambda phase: 1.0) == 7
    assert derive_steps(CompressConfig(epochs=2.0, batch_size=4), windows, lambda phase: 1.0) == round(20_000 / 128)
    assert derive_steps(CompressConfig(epochs=0.001), windows, lambda phase: 1.0) == 1
