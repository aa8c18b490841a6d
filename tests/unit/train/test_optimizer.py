"""Muon's steps are those of torch's own; matrices of blocks go to it, all else to AdamW."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from mothertongue.train.config import TrainConfig
from mothertongue.train.freeze import group_parameters
from mothertongue.train.optimizer import Muon, _newton_schulz, make_optimizers, orthogonal

Maker = Callable[..., PreTrainedModel]


@pytest.mark.parametrize("shape", [(24, 24), (40, 16), (16, 40)])
def test_orthogonal_brings_every_singular_value_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.min() > 0.3
    assert values.max() < 1.3


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


def test_orthogonal_agrees_with_torchs_in_lower_precision() -> None:
    from torch.optim._muon import _zeropower_via_newtonschulz

    matrix = torch.randn(16, 24, generator=torch.Generator().manual_seed(2))
    theirs = _zeropower_via_newtonschulz(matrix, (3.4445, -4.7750, 2.0315), 5, 1e-7)
    assert (orthogonal(matrix) - theirs.float()).abs().max() < 0.05


@pytest.mark.parametrize("shape", [(16, 64), (64, 16)])
def test_wide_matrices_are_turned_by_their_small_square_with_the_same_result(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    wide = matrix.double() if shape[0] < shape[1] else matrix.double().T
    iterated = _newton_schulz(wide / wide.norm(), 5)  # on the whole matrix, in float64
    torch.testing.assert_close(
        orthogonal(matrix).double(), iterated if shape[0] < shape[1] else iterated.T, rtol=0, atol=1e-4
    )


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
