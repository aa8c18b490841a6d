"""oneDNN's products give the same numbers as torch's own, forward and backward, and leave no trace on the model."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import GPT2LMHeadModel

from mothertongue.model import products


@pytest.fixture(params=[True, False], ids=["oneDNN", "torch"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param and not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        pytest.skip("this torch was built without oneDNN")
    monkeypatch.setattr(products, "prefers_onednn", lambda: request.param)


def gradients(model: nn.Module, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


@pytest.mark.usefixtures("_either_way")
def test_a_model_has_the_same_loss_and_gradients_inside_and_outside(tiny_model: GPT2LMHeadModel) -> None:
    ids_BT = torch.arange(60).reshape(2, 30)
    inside: dict[str, torch.Tensor] = {}
    with products.fast_products(tiny_model):
        loss = tiny_model(ids_BT, labels=ids_BT).loss
        inside = gradients(tiny_model, loss)
    plain = tiny_model(ids_BT, labels=ids_BT).loss
    torch.testing.assert_close(loss, plain)
    for name, gradient in gradients(tiny_model, plain).items():
        torch.testing.assert_close(inside[name], gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("_either_way")
def test_nothing_stays_on_the_model(tiny_model: GPT2LMHeadModel) -> None:
    with pytest.raises(ZeroDivisionError), products.fast_products(tiny_model):
        _ = 1 / 0
    assert not any("forward" in vars(module) for module in tiny_model.modules())


@pytest.mark.usefixtures("_either_way")
def test_product_takes_transposed_and_double_precision_operands() -> None:
    left_NK, right_MK = torch.randn(5, 7), torch.randn(3, 7)
    torch.testing.assert_close(products.product(left_NK, right_MK), left_NK @ right_MK.T)
    torch.testing.assert_close(products.product(left_NK.T, right_MK.new_ones(2, 5)), left_NK.T @ torch.ones(5, 2))
    torch.testing.assert_close(
        products.product(left_NK.double(), right_MK.double()), left_NK.double() @ right_MK.double().T
    )


@pytest.mark.usefixtures("_either_way")
def test_an_inner_with_leaves_the_outer_one_in_force(tiny_model: GPT2LMHeadModel) -> None:
    with products.fast_products(tiny_model):
        before = ["forward" in vars(module) for module in tiny_model.modules()]
        with products.fast_products(tiny_model):
            pass
        assert ["forward" in vars(module) for module in tiny_model.modules()] == before
