from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional
from transformers import PreTrainedModel

from mothertongue.compress.distill import distillation_loss
from mothertongue.compress.theseus import make_successor

TOKENS = torch.arange(4, 46).reshape(2, 21)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("tied", [True, False])
def test_the_mixture_of_text_and_teacher_equals_torchs(
    make_model: Callable[..., PreTrainedModel], tied: bool, share: float
) -> None:
    predecessor = make_model(tied=tied)
    model = make_successor(predecessor, [0, 3]).requires_grad_(True)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        teacher_NV = predecessor(TOKENS[:, :-1]).logits.flatten(0, 1).softmax(-1)
    logits_NV = model(TOKENS[:, :-1]).logits.flatten(0, 1)
    text = functional.cross_entropy(logits_NV, TOKENS[:, 1:].flatten())
    expected = (1 - share) * text + share * functional.cross_entropy(logits_NV, teacher_NV)
    expected.backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    model.zero_grad(set_to_none=True)

    loss = distillation_loss(predecessor, share)(model, TOKENS)
    loss.backward()
    torch.testing.assert_close(loss, expected)
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-6, rtol=1e-4)
    assert all(parameter.grad is None for parameter in predecessor.parameters())


def test_the_teachers_own_copy_has_the_least_possible_loss(make_model: Callable[..., PreTrainedModel]) -> None:
    predecessor = make_model()
    loss = distillation_loss(predecessor, 1.0)
    same, half = make_successor(predecessor, range(6)), make_successor(predecessor, [0, 2, 5])
    assert loss(same, TOKENS) < loss(half, TOKENS)
    hidden = same.requires_grad_(True)
    loss(hidden, TOKENS).backward()
    assert all(parameter.grad.abs().max() < 1e-6 for parameter in hidden.parameters())
