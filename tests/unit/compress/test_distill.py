from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional
from transformers import PreTrainedModel

from mothertongue.compress.distill import distillation_loss, local_loss
from mothertongue.compress.layers import even_groups
from mothertongue.compress.theseus import install_modules, make_successor
from mothertongue.model.anatomy import anatomy

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


def test_hidden_states_of_the_predecessor_itself_are_at_no_distance(make_model: Callable[..., PreTrainedModel]) -> None:
    predecessor = make_model()
    for kept, groups in (([0, 1, 2, 3, 4, 5], [range(i, i + 1) for i in range(6)]), ([0, 2, 5], even_groups(6, 3))):
        model = make_successor(predecessor, kept)
        modules = install_modules(model, predecessor, groups)
        with torch.no_grad():
            text = distillation_loss(predecessor, 0.0)(model, TOKENS)
            both = distillation_loss(predecessor, 0.0, 2.0, modules)(model, TOKENS)
            local = local_loss(predecessor, modules)(model, TOKENS)
        same = len(kept) == 6
        assert float(both - text) == pytest.approx(0, abs=1e-6) if same else both > text + 0.01
        assert float(local) == pytest.approx(0, abs=1e-6) if same else local > 0.001


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_alone_each_layer_learns_its_groups_output_and_nobody_else_has_a_gradient(
    make_model: Callable[..., PreTrainedModel], family: str
) -> None:
    predecessor = make_model(family)
    model = make_successor(predecessor, [0, 3, 5]).requires_grad_(True)
    modules = install_modules(model.train(), predecessor)
    loss, values = local_loss(predecessor, modules), []
    optimizer = torch.optim.Adam(anatomy(model).blocks.parameters(), lr=1e-3)
    for _ in range(8):
        value = loss(model, TOKENS)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(float(value.detach()))
    assert values[-1] < 0.9 * values[0]
    assert anatomy(model).embeddings.weight.grad is None
    assert all(parameter.grad is None for parameter in predecessor.parameters())
