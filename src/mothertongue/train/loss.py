"""Next-token cross-entropy whose logits never stand in memory whole.

The head's product is made for a few hundred tokens at a time, and their gradient at once, while it is in the cache: a
vocabulary of 50,257 needs megabytes instead of gigabytes. Under autocast (GPUs) torch's own loss is used.
"""
# Axes: B batch, T tokens, N = B*T, D hidden, V vocabulary

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy
from mothertongue.model.products import product

CHUNK_TOKENS = 512


def next_token_loss(model: PreTrainedModel, tokens_BT: Tensor) -> Tensor:
    """Mean cross-entropy in nats of each token but the first, given those before it."""
    hidden_ND, labels_N = hidden_and_labels(model, tokens_BT)
    return cross_entropy(hidden_ND, anatomy(model).head, labels_N)


def hidden_and_labels(model: PreTrainedModel, tokens_BT: Tensor) -> tuple[Tensor, Tensor]:
    """Final hidden states [N, D] of all tokens but the last of each row, and the tokens [N] that follow them."""
    hidden_BTD = model.base_model(input_ids=tokens_BT[:, :-1], use_cache=False).last_hidden_state
    return hidden_BTD.reshape(-1, hidden_BTD.shape[-1]), tokens_BT[:, 1:].reshape(-1)


def cross_entropy(hidden_ND: Tensor, head: nn.Linear, labels_N: Tensor, teacher: Teacher | None = None) -> Tensor:
    """Mean cross-entropy of `head` on `hidden_ND` against labels, or against a mixture of labels and a teacher."""
    if head.bias is None and not torch.is_autocast_enabled(hidden_ND.device.type):
        return cast(Tensor, _ChunkedCrossEntropy.apply(hidden_ND, head.weight, labels_N, teacher))
    logits_NV = head(hidden_ND).float()
    hard = functional.cross_entropy(logits_NV, labels_N)
    if teacher is None:
        return hard
    soft = functional.cross_entropy(logits_NV, teacher.probabilities(slice(None)).float())
    return (1 - teacher.weight) * hard + teacher.weight * soft


@dataclass(frozen=True)
class Teacher:
    """Another model's prediction for the same tokens: `weight` (0-1) is its share of the target."""

    hidden_ND: Tensor  # noqa: N815
    head_VD: Tensor  # noqa: N815
    weight: float

    def probabilities(self, part: slice) -> Tensor:
        """Distributions [n, V] of some of the tokens."""
        return product(self.hidden_ND[part], self.head_VD).softmax(dim=-1)


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden_ND: Tensor, head_VD: Tensor, labels_N: Tensor, teacher: Teacher | None) -> Tensor:
        count = labels_N.numel()
        total = hidden_ND.new_zeros(())
        want_hidden, want_head = ctx.needs_input_grad[0], ctx.needs_input_grad[1]
        hidden_grad = torch.empty_like(hidden_ND) if want_hidden else None
        head_grad = torch.zeros_like(head_VD) if want_head else None
        hard = 1.0 - (teacher.weight if teacher else 0.0)
        for start in range(0, count, CHUNK_TOKENS):
            part = slice(start, start + CHUNK_TOKENS)
            log_CV = product(hidden_ND[part], head_VD).log_softmax(dim=-1)
            labels_C1 = labels_N[part, None]
            total -= hard * log_CV.gather(1, labels_C1).sum()
            soft_CV = teacher.probabilities(part).mul_(teacher.weight) if teacher else None
            if soft_CV is not None:
                total -= (soft_CV * log_CV).sum()
            if not (want_hidden or want_head):
                continue
            grad_CV = log_CV.exp_()  # the gradient of a cross-entropy: softmax minus target
            grad_CV.scatter_add_(1, labels_C1, torch.full_like(labels_C1, -hard, dtype=grad_CV.dtype))
            if soft_CV is not None:
                grad_CV -= soft_CV
            if hidden_grad is not None:
                hidden_grad[part] = product(grad_CV, head_VD.T)
            if head_grad is not None:
                head_grad += product(grad_CV.T, hidden_ND[part].T)
        ctx.save_for_backward(hidden_grad, head_grad)
        ctx.count = count
        return total / count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        hidden_grad, head_grad = ctx.saved_tensors
        scale = grad / ctx.count
        hidden = None if hidden_grad is None else hidden_grad * scale
        return hidden, None if head_grad is None else head_grad * scale, None, None
