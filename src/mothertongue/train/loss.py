"""Next-token cross-entropy whose logits never stand in memory whole.

The head's product is made for a few hundred tokens at a time, and their gradient at once, while it is in the cache: a vocabulary
of 50,257 needs megabytes instead of gigabytes.
"""
# Axes: B batch, T tokens, N = B*T, D hidden, V vocabulary

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional
from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy

CHUNK_TOKENS = 512


def next_token_loss(model: PreTrainedModel, tokens_BT: Tensor) -> Tensor:
    """Mean cross-entropy in nats of each token but the first, given those before it."""
    head = anatomy(model).head
    hidden_BTD = model.base_model(input_ids=tokens_BT[:, :-1], use_cache=False).last_hidden_state
    hidden_ND = hidden_BTD.reshape(-1, hidden_BTD.shape[-1])
    labels_N = tokens_BT[:, 1:].reshape(-1)
    if head.bias is not None or torch.is_autocast_enabled(hidden_ND.device.type):
        return functional.cross_entropy(head(hidden_ND).float(), labels_N)
    return cast(Tensor, _ChunkedCrossEntropy.apply(hidden_ND, head.weight, labels_N))


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden_ND: Tensor, head_VD: Tensor, labels_N: Tensor) -> Tensor:
        count = labels_N.numel()
        total = hidden_ND.new_zeros(())
        want_hidden, want_head = ctx.needs_input_grad[0], ctx.needs_input_grad[1]
        hidden_grad = torch.empty_like(hidden_ND) if want_hidden else None
        head_grad = torch.zeros_like(head_VD) if want_head else None
        for start in range(0, count, CHUNK_TOKENS):
            part = slice(start, start + CHUNK_TOKENS)
            logits_CV = hidden_ND[part] @ head_VD.T
            labels_C1 = labels_N[part, None]
            normaliser_C1 = logits_CV.logsumexp(dim=-1, keepdim=True)
            total += (normaliser_C1 - logits_CV.gather(1, labels_C1)).sum()
            if not (want_hidden or want_head):
                continue
            grad_CV = logits_CV.sub_(normaliser_C1).exp_()  # softmax, then minus one at the label
            grad_CV.scatter_add_(1, labels_C1, torch.full_like(labels_C1, -1, dtype=grad_CV.dtype))
            if hidden_grad is not None:
                torch.mm(grad_CV, head_VD, out=hidden_grad[part])
            if head_grad is not None:
                head_grad.addmm_(grad_CV.T, hidden_ND[part])
        ctx.save_for_backward(hidden_grad, head_grad)
        ctx.count = count
        return total / count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        hidden_grad, head_grad = ctx.saved_tensors
        scale = grad / ctx.count
        return (None if hidden_grad is None else hidden_grad * scale), (None if head_grad is None else head_grad * scale), None
