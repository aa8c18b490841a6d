"""Muon's steps are those of torch's own; matrices of blocks go to it, all else to AdamW."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from mothertongue.model.orthogonal import orthogonal
from mothertongue.train.config import TrainConfig
from mothertongue.train.freeze import group_parameters
from mothertongue.train.optimizer import Muon, make_optimizers

Maker = Callable[..., PreTrainedModel]


def test_steps_are_those_of_torchs_muon(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_float32(gradient: Tensor, coefficients: object, steps: int, eps: float) -> Tensor:
        return orthogonal(gradient, steps)

    monkeypatch.setattr("torch.optim._muon._zeropower_via_newtonschulz", in_float32)
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(12, 20, generator=generator)
    mine, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    one = Muon([{"params": [mine]}], lr=0.02, weight_decay=0.1)
    two = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(4):
        gradient = torch.randn(12, 20, generator=generator)
        for parameter, optimizer in ((mine, one), (theirs, two)):
            parameter.grad = gradient.clone()
            optimizer.step()
    torch.testing.assert_close(mine, theirs)


def test_muon_gets_the_matrices_of_the_blocks_and_adamw_the_rest(make_gpt2: Maker) -> None:
    model = make_gpt2()
    muon, adamw = make_optimizers(group_parameters(model), TrainConfig(optimizer="muon"))
    turned = [parameter for group in muon.param_groups for parameter in group["params"]]
    rest = [parameter for group in adamw.param_groups for parameter in group["params"]]
    assert all(parameter.ndim == 2 for parameter in turned)
    assert {id(parameter) for parameter in turned} == {
        id(parameter) for parameter in model.transformer.h.parameters() if parameter.ndim == 2
    }
    assert len(turned) + len(rest) == len(list(model.parameters()))
