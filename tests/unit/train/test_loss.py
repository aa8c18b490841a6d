# Axes: B batch, T tokens, N = B*T, D hidden, V vocabulary
from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from mothertongue.model import loss as loss_module
from mothertongue.model.anatomy import anatomy
from mothertongue.model.loss import Teacher, cross_entropy, next_token_loss
from mothertongue.model.products import fast_products

Maker = Callable[..., PreTrainedModel]
TOKENS_BT = torch.arange(4, 4 + 3 * 21).reshape(3, 21)
FAMILIES = ["gpt2-tied", "gpt2-untied", "llama-tied", "llama-untied"]


@pytest.fixture(params=FAMILIES)
def model(request: pytest.FixtureRequest, make_gpt2: Maker, make_llama: Maker) -> PreTrainedModel:
    family, _, tying = request.param.partition("-")
    return {"gpt2": make_gpt2, "llama": make_llama}[family](tied=tying == "tied").train()


def reference(model: PreTrainedModel, tokens_BT: Tensor) -> Tensor:
    """transformers' logits and torch's own cross-entropy."""
    logits_BTV = model(tokens_BT[:, :-1], use_cache=False).logits
    return functional.cross_entropy(logits_BTV.flatten(0, 1), tokens_BT[:, 1:].flatten())


def gradients(model: PreTrainedModel, loss: Callable[..., Tensor]) -> tuple[float, dict[str, Tensor | None]]:
    model.zero_grad(set_to_none=True)
    value = loss(model, TOKENS_BT)
    if value.requires_grad:
        (3 * value).backward()
    return value.item(), {name: p.grad for name, p in model.named_parameters()}


def assert_same(model: PreTrainedModel, *, relative: float) -> None:
    value, mine = gradients(model, next_token_loss)
    expected, theirs = gradients(model, reference)
    assert value == pytest.approx(expected, rel=relative)
    for name, grad in theirs.items():
        if grad is None:
            assert mine[name] is None, name
        else:
            torch.testing.assert_close(mine[name], grad, rtol=relative, atol=relative * grad.abs().max().item() + 1e-12)


@pytest.mark.parametrize("chunk", [1, 7, 60, 512])
def test_value_and_gradients_are_those_of_torch(
    model: PreTrainedModel, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss_module, "CHUNK_TOKENS", chunk)
    model.double()
    assert_same(model, relative=1e-9)


def test_frozen_parts_change_no_gradient_of_the_others(model: PreTrainedModel) -> None:
    model.double()
    parts = anatomy(model)
    for frozen in ([parts.head], [parts.blocks], [parts.embeddings, parts.blocks, parts.norm], [model]):
        model.requires_grad_(True)
        for module in frozen:
            module.requires_grad_(False)
        assert_same(model, relative=1e-9)


def test_fast_products_give_the_same_to_rounding(model: PreTrainedModel) -> None:
    expected, theirs = gradients(model, reference)
    with fast_products(model):
        value, mine = gradients(model, next_token_loss)
    assert value == pytest.approx(expected, rel=1e-5)
    for name, grad in theirs.items():
        assert grad is not None and mine[name] is not None
        torch.testing.assert_close(mine[name], grad, rtol=1e-3, atol=1e-5)


def test_gradients_pass_torchs_own_check() -> None:
    torch.manual_seed(0)
    head = nn.Linear(3, 5, bias=False).double()
    hidden_ND = torch.randn(4, 3, dtype=torch.double, requires_grad=True)
    labels_N = torch.tensor([0, 4, 4, 2])
    weight_VD = head.weight.detach().clone().requires_grad_(True)

    def loss(hidden_ND: Tensor, weight_VD: Tensor) -> Tensor:
        return loss_module._ChunkedCrossEntropy.apply(hidden_ND, weight_VD, None, labels_N, None, 0.1)

    assert torch.autograd.gradcheck(loss, (hidden_ND, weight_VD))


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_a_teacher_is_a_share_of_the_target(weight: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_module, "CHUNK_TOKENS", 3)
    torch.manual_seed(0)
    labels_N = torch.tensor([0, 4, 4, 2, 1, 1, 3])
    hidden_ND = torch.randn(7, 3, dtype=torch.double, requires_grad=True)
    head = nn.Linear(3, 5, bias=False).double()
    teacher = Teacher(torch.randn(7, 2, dtype=torch.double), torch.randn(5, 2, dtype=torch.double), weight)
    target_NV = weight * (teacher.hidden_ND @ teacher.head_VD.T).softmax(-1)
    target_NV += (1 - weight) * functional.one_hot(labels_N, 5)

    def both(loss: Tensor) -> list[Tensor]:
        return [loss, *torch.autograd.grad(loss, [hidden_ND, head.weight])]

    mine = both(cross_entropy(hidden_ND, head, labels_N, teacher))
    theirs = both(functional.cross_entropy(head(hidden_ND), target_NV))
    biased = nn.Linear(3, 5).double()
    with torch.no_grad():
        biased.weight.copy_(head.weight)
        biased.bias.zero_()
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(cross_entropy(hidden_ND, biased, labels_N, teacher), theirs[0])


def test_extreme_logits_neither_overflow_nor_vanish() -> None:
    head = nn.Linear(1, 3, bias=False)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[1e4], [0.0], [-1e4]]))
    hidden_ND = torch.ones(3, 1, requires_grad=True)
    value = cross_entropy(hidden_ND, head, torch.tensor([0, 1, 2]))
    value.backward()
    assert value.item() == pytest.approx((0 + 1e4 + 2e4) / 3)
    assert torch.isfinite(hidden_ND.grad).all() and torch.isfinite(head.weight.grad).all()


def test_a_head_with_a_bias_has_torchs_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_module, "CHUNK_TOKENS", 3)
    torch.manual_seed(0)
    head, labels_N = nn.Linear(3, 5).double(), torch.tensor([0, 4, 4, 2, 1, 1, 3])
    hidden_ND = torch.randn(7, 3, dtype=torch.double, requires_grad=True)
    learning = [hidden_ND, head.weight, head.bias]
    mine = torch.autograd.grad(2 * cross_entropy(hidden_ND, head, labels_N), learning)
    theirs = torch.autograd.grad(2 * functional.cross_entropy(head(hidden_ND), labels_N), learning)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("fast", [False, True])
def test_a_document_is_read_as_if_it_stood_alone(model: PreTrainedModel, fast: bool) -> None:
    model.double().eval()
    tokens_BT = TOKENS_BT.clone()
    tokens_BT[0, 7] = tokens_BT[0, 8] = tokens_BT[2, 0] = tokens_BT[2, 13] = 0
    documents = [tokens_BT[0, :8], tokens_BT[0, 7:9], tokens_BT[0, 8:], tokens_BT[1], tokens_BT[2, :14]]
    documents.append(tokens_BT[2, 13:])
    lengths = torch.tensor([len(document) - 1.0 for document in documents]).double()
    alone = torch.stack([next_token_loss(model, document[None]).detach() for document in documents])
    with fast_products(model) if fast else nullcontext():
        together = next_token_loss(model, tokens_BT, end_id=0)
        across = next_token_loss(model, tokens_BT)
    torch.testing.assert_close(together, (alone * lengths).sum() / lengths.sum())
    assert not torch.isclose(together, across, rtol=1e-9)


def test_half_precision_is_near_full_precision(model: PreTrainedModel) -> None:
    expected = reference(model, TOKENS_BT).item()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = next_token_loss(model, TOKENS_BT)
    value.backward()
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(expected, rel=0.02)
    half = {name: parameter.grad for name, parameter in model.named_parameters()}
    _, theirs = gradients(model, reference)
    for name, grad in theirs.items():
        assert half[name].dtype == torch.float32
        assert functional.cosine_similarity(half[name].flatten(), grad.flatten() / 3, dim=0) > 0.99, name


@pytest.mark.parametrize("smoothing", [0.1, 0.5])
def test_smoothing_is_that_of_torch(make_gpt2: Maker, smoothing: float) -> None:
    model = make_gpt2().double()
    tokens = torch.randint(320, (3, 20), generator=torch.Generator().manual_seed(4))
    ours = next_token_loss(model, tokens, smoothing=smoothing)
    ours.backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    logits = model(tokens[:, :-1]).logits.reshape(-1, 320)
    theirs = functional.cross_entropy(logits, tokens[:, 1:].reshape(-1), label_smoothing=smoothing)
    theirs.backward()
    torch.testing.assert_close(ours, theirs)
    for mine, parameter in zip(gradients, model.parameters(), strict=True):
        torch.testing.assert_close(mine, parameter.grad)
