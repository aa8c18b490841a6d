"""oneDNN's products give the same numbers as torch's own, forward and backward, and leave no trace on the model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from transformers import GPT2LMHeadModel, PreTrainedModel

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


@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen3", "smollm3"])
@pytest.mark.usefixtures("_either_way")
def test_every_family_has_the_same_gradients_to_the_last_digits(
    family: str, make_model: Callable[..., PreTrainedModel]
) -> None:
    model = make_model(family).train().double()
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    ids_BT = torch.arange(60).reshape(2, 30)
    plain = model(ids_BT, labels=ids_BT).loss
    theirs = gradients(model, plain)
    with products.fast_products(model):
        loss = model(ids_BT, labels=ids_BT).loss
        mine = gradients(model, loss)
    torch.testing.assert_close(loss, plain)
    for name, gradient in theirs.items():
        torch.testing.assert_close(mine[name], gradient, rtol=1e-7, atol=1e-10)


def test_dropout_is_new_in_every_pass_and_absent_in_evaluation(tiny_model: GPT2LMHeadModel) -> None:
    ids_BT = torch.arange(30).reshape(1, 30)
    torch.manual_seed(0)
    with products.fast_products(tiny_model), torch.no_grad():
        first, second = (tiny_model.train()(ids_BT).logits for _ in range(2))
        torch.manual_seed(0)
        again = tiny_model(ids_BT).logits
        evaluated = tiny_model.eval()(ids_BT).logits
    assert first.equal(again) and not first.equal(second)
    torch.testing.assert_close(evaluated, tiny_model(ids_BT).logits)


@pytest.mark.parametrize("rows", [1, 7, 1025, 2100])
@pytest.mark.usefixtures("_either_way")
def test_a_weights_gradient_is_summed_over_all_rows(rows: int) -> None:
    left_NK, right_NM = torch.randn(rows, 6), torch.randn(rows, 4)
    exact_KM = left_NK.double().T @ right_NM.double()
    for one, other, exact in ((left_NK, right_NM, exact_KM), (right_NM, left_NK, exact_KM.T)):
        torch.testing.assert_close(products.product_over_rows(one, other), exact.float(), rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("_either_way")
def test_nothing_stays_on_the_model(tiny_model: GPT2LMHeadModel) -> None:
    with pytest.raises(ZeroDivisionError), products.fast_products(tiny_model):
        _ = 1 / 0
    assert not any("forward" in vars(module) for module in tiny_model.modules())
    assert tiny_model.config._attn_implementation == "sdpa"


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
        assert tiny_model.config._attn_implementation == "mothertongue"
