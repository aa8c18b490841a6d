from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from mothertongue.model.anatomy import GROUPS, anatomy, third_of
from mothertongue.model.loss import next_token_loss
from mothertongue.train.config import TrainConfig
from mothertongue.train.data import Windows
from mothertongue.train.freeze import group_parameters, unfreeze
from mothertongue.train.loop import fit
from mothertongue.train.optimizer import optimizer_groups
from mothertongue.train.schedule import Phase

Maker = Callable[..., PreTrainedModel]


@pytest.fixture(params=["gpt2-tied", "gpt2-untied", "llama-tied", "llama-untied"])
def model(request: pytest.FixtureRequest, make_gpt2: Maker, make_llama: Maker) -> PreTrainedModel:
    family, _, tying = request.param.partition("-")
    return {"gpt2": make_gpt2, "llama": make_llama}[family](layers=4, tied=tying == "tied")


def test_each_parameter_is_in_exactly_one_group(model: PreTrainedModel) -> None:
    groups = group_parameters(model)
    ids = [id(parameter) for parameters in groups.values() for parameter in parameters]
    assert len(ids) == len(set(ids))
    assert set(ids) == {id(parameter) for parameter in model.parameters()}
    assert tuple(groups) == GROUPS


def test_groups_are_thirds_of_the_blocks_and_the_rest(model: PreTrainedModel) -> None:
    groups = {name: {id(p) for p in parameters} for name, parameters in group_parameters(model).items()}
    parts = anatomy(model)
    for index, block in enumerate(parts.blocks):
        assert {id(p) for p in block.parameters()} <= groups[third_of(index, 4)]
    for module in (parts.embeddings, parts.norm, parts.head, parts.positions):
        if module is not None:
            assert {id(p) for p in module.parameters()} <= groups["embeddings"]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, ["bottom"]), (2, ["bottom", "middle"]), (3, ["bottom", "middle", "top"]), (6, None), (12, None)],
)
def test_thirds_of_few_blocks(count: int, expected: list[str] | None) -> None:
    thirds = [third_of(index, count) for index in range(count)]
    assert thirds == (expected or [group for group in GROUPS[:3] for _ in range(count // 3)])


def test_only_matrices_decay(model: PreTrainedModel) -> None:
    groups = optimizer_groups(group_parameters(model), 0.1)
    for group in groups:
        assert group["weight_decay"] == (0.1 if group["params"][0].ndim >= 2 else 0.0)
        assert len({parameter.ndim >= 2 for parameter in group["params"]}) == 1
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))


@pytest.mark.parametrize("learning", [("embeddings",), ("top", "embeddings"), ("bottom",), GROUPS, ()])
def test_frozen_groups_get_no_gradient(model: PreTrainedModel, learning: tuple[str, ...]) -> None:
    groups = group_parameters(model)
    tokens = torch.arange(4, 44).reshape(2, 20)
    next_token_loss(model, tokens).backward()  # gradients of an earlier phase
    unfreeze(groups, learning)
    value = next_token_loss(model, tokens)
    if learning:
        value.backward()
    for name, parameters in groups.items():
        assert all((parameter.grad is not None) == (name in learning) for parameter in parameters), name


def test_frozen_groups_do_not_move_and_the_others_do(model: PreTrainedModel, windows: Windows, out: Path) -> None:
    before = {name: [p.detach().clone() for p in ps] for name, ps in group_parameters(model).items()}
    rates = {"top": 1e-2, "embeddings": 1e-3}
    config = TrainConfig(batch_size=2, save_minutes=9, weight_decay=0.5)
    fit(model, windows, (Phase("part", 3, rates, lambda step, steps: 1.0),), config, out)
    for name, parameters in group_parameters(model).items():
        moved = [not torch.equal(p, old) for p, old in zip(parameters, before[name], strict=True)]
        assert all(moved) if name in rates else not any(moved), name
    assert all(parameter.requires_grad for parameter in model.parameters())
