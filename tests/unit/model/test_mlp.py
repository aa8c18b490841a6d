"""What follows a block's activation keeps less for the backward pass, and gives the same values and gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from transformers import GPT2LMHeadModel, PreTrainedModel

from mothertongue.model.mlp import faster_mlp
from mothertongue.model.products import fast_products


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_gradients_pass_torchs_own_check(family: str, make_model: Callable[..., PreTrainedModel]) -> None:
    layer = next(way for module in make_model(family).double().modules() if (way := faster_mlp(module)))
    hidden = torch.randn(1, 3, 16, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(layer, hidden)


def test_far_from_zero_nothing_overflows(tiny_model: GPT2LMHeadModel) -> None:
    mlp: nn.Module = tiny_model.transformer.h[0].mlp
    hidden = (torch.randn(4, mlp.c_fc.weight.shape[0]) * 1e4).requires_grad_()
    plain = mlp(hidden)
    gradient = torch.autograd.grad(plain.sum(), hidden)[0]
    with fast_products(tiny_model):
        mine = mlp(hidden)
        torch.testing.assert_close(mine, plain)
        torch.testing.assert_close(torch.autograd.grad(mine.sum(), hidden)[0], gradient)


def kept(model: PreTrainedModel, loss: Callable[[], Tensor]) -> int:
    sizes = dict[int, int]()
    weights = {weight.data_ptr() for weight in model.parameters()}

    def note(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in weights:
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        value = loss()
    del value
    return sum(sizes.values())


@pytest.mark.parametrize(("family", "widest"), [("gpt2", 1), ("llama", 2)])
def test_only_what_goes_into_the_activation_is_kept(
    family: str, widest: int, make_model: Callable[..., PreTrainedModel]
) -> None:
    model = make_model(family)
    block = next(module for module in model.modules() if faster_mlp(module))
    hidden = torch.randn(1, 40, 16, requires_grad=True)
    inner = 4 * 40 * (64 if family == "gpt2" else 24)
    with fast_products(model):
        assert kept(model, lambda: block(hidden).sum()) == hidden.numel() * 4 + widest * inner


@pytest.mark.parametrize("change", ["another activation", "another last layer", "another layer beside"])
def test_a_layer_that_is_not_quite_the_known_one_is_left_alone(
    change: str, make_model: Callable[..., PreTrainedModel]
) -> None:
    model = make_model("llama")
    layer = next(module for module in model.modules() if faster_mlp(module))
    if change == "another activation":
        layer.act_fn = nn.ReLU()
    elif change == "another last layer":
        layer.down_proj = nn.Sequential(layer.down_proj)
    else:
        layer.extra = nn.Dropout()
    assert faster_mlp(layer) is None
