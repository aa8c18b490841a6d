"""Our causal attention is torch's: value, gradients, with grouped heads, and what it leaves to torch."""

# Axes: B batch, H heads, T tokens, E width of a head
from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mothertongue.model import attention
from mothertongue.model.attention import attend, causal_attention


def inputs(length: int, *, heads: tuple[int, int] = (3, 3)) -> list[Tensor]:
    torch.manual_seed(0)
    sizes = (heads[0], heads[1], heads[1])
    return [torch.randn(2, size, length, 4, dtype=torch.double, requires_grad=True) for size in sizes]


def value_and_gradients(way: Callable[..., Tensor], tensors: list[Tensor]) -> list[Tensor]:
    value = way(*tensors)
    return [value, *torch.autograd.grad((value * torch.arange(value.numel()).view(value.shape).cos()).sum(), tensors)]


@pytest.mark.parametrize("length", [1, 5, 64, 65, 150])
def test_value_and_gradients_are_those_of_torch(length: int) -> None:
    tensors = inputs(length)
    mine = value_and_gradients(lambda q, k, v: causal_attention(q, k, v, scale=0.3, drop=0.0), tensors)
    theirs = value_and_gradients(
        lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3), tensors
    )
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_gradients_pass_torchs_own_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "ROWS", 2)

    def same_mask(*tensors: Tensor) -> Tensor:
        torch.manual_seed(1)
        return causal_attention(*tensors, scale=0.5, drop=0.25)

    assert torch.autograd.gradcheck(same_mask, inputs(5))


def test_dropout_keeps_the_expected_value_and_later_tokens_hidden() -> None:
    query, key, value = inputs(6)
    draws = [causal_attention(query, key, value, scale=0.5, drop=0.3).detach() for _ in range(3000)]
    exact = causal_attention(query, key, value, scale=0.5, drop=0.0)
    torch.testing.assert_close(torch.stack(draws).mean(0), exact, atol=0.12, rtol=0)
    first = value[:, :, 0] / 0.7  # the first token sees itself or nothing
    for draw in draws[:20]:
        assert ((draw[:, :, 0] == 0) | torch.isclose(draw[:, :, 0], first)).all()


@pytest.mark.parametrize("change", ["grouped heads", "mask", "later query", "not causal", "long"])
def test_what_else_transformers_asks_for_is_computed_as_ever(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.Module()
    module.is_causal, module.num_key_value_groups = True, 1
    query, key, value = inputs(7)
    mask, options = None, {"scaling": 0.4}
    if change == "grouped heads":
        query, key, value = inputs(7, heads=(4, 2))
        module.num_key_value_groups = 2
    if change == "mask":
        mask = torch.ones(7, 7, dtype=torch.bool).tril().triu(-2)[None, None]
    if change == "later query":
        query = query[:, :, 5:6]
    if change == "not causal":
        options["is_causal"] = False
    if change == "long":
        monkeypatch.setattr(attention, "LONGEST", 6)
    mine, _ = attend(module, query, key, value, mask, **options)
    theirs, _ = attention.sdpa_attention_forward(module, query, key, value, mask, **options)
    torch.testing.assert_close(mine, theirs)
