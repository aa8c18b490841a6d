"""Next-token cross-entropy whose logits never stand in memory whole.

The head's product is made for a few hundred tokens at a time, and their gradient at once, while it is in the cache: a
vocabulary of 50,257 needs megabytes instead of gigabytes. Under autocast the products are the short ones, the rest is
float32.
"""
# Axes: B batch, T tokens, N = B*T, D hidden, V vocabulary

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy
from mothertongue.model.products import product, product_over_rows

CHUNK_TOKENS = 256
HEAD_ROWS = 192  # of the head's gradient that a chunk adds at once


def next_token_loss(
    model: PreTrainedModel, tokens_BT: Tensor, *, end_id: int | None = None, smoothing: float = 0.0
) -> Tensor:
    """Mean cross-entropy in nats of each token but the first, given those before it.

    With `end_id`, the token that stands before each document, given only those of its own document. `smoothing` (0-1)
    is the share of the target that is spread over the vocabulary evenly (Szegedy et al. 2015, arXiv 1512.00567).
    """
    hidden_ND, labels_N = hidden_and_labels(model, tokens_BT, end_id=end_id)
    return cross_entropy(hidden_ND, anatomy(model).head, labels_N, smoothing=smoothing)


def hidden_and_labels(model: PreTrainedModel, tokens_BT: Tensor, *, end_id: int | None = None) -> tuple[Tensor, Tensor]:
    """Final hidden states [N, D] of all tokens but the last of each row, and the tokens [N] that follow them."""
    inputs_BT = tokens_BT[:, :-1]
    positions_BT = None if end_id is None else document_positions(inputs_BT, end_id)
    hidden_BTD = model.base_model(input_ids=inputs_BT, position_ids=positions_BT, use_cache=False).last_hidden_state
    return hidden_BTD.reshape(-1, hidden_BTD.shape[-1]), tokens_BT[:, 1:].reshape(-1)


def document_positions(tokens_BT: Tensor, end_id: int) -> Tensor:
    """Position of each token in its document, 0 at `end_id`; transformers masks attention where positions start anew.

    >>> document_positions(torch.tensor([[5, 6, 0, 7, 8, 0]]), end_id=0)
    tensor([[0, 1, 0, 1, 2, 0]])
    """
    index_T = torch.arange(tokens_BT.shape[1], device=tokens_BT.device)
    return index_T - torch.where(tokens_BT == end_id, index_T, 0).cummax(dim=1).values


def cross_entropy(
    hidden_ND: Tensor, head: nn.Linear, labels_N: Tensor, teacher: Teacher | None = None, *, smoothing: float = 0.0
) -> Tensor:
    """Mean cross-entropy of `head` on `hidden_ND` against labels, a teacher, and all tokens evenly, mixed."""
    targets = (labels_N, teacher, smoothing)
    found = _ChunkedCrossEntropy.apply(hidden_ND, head.weight, head.bias, *targets)  # type: ignore[no-untyped-call]
    return cast(Tensor, found)


@dataclass(frozen=True)
class Teacher:
    """Another model's prediction for the same tokens: `weight` (0-1, or one [N] for each) is its share of the target.

    `as_ours` makes distributions over the successor's vocabulary of those over its own.
    """

    hidden_ND: Tensor  # noqa: N815
    head_VD: Tensor  # noqa: N815
    weight: float | Tensor
    as_ours: Callable[[Tensor], Tensor] | None = None

    def probabilities(self, part: slice) -> Tensor:
        """Distributions [n, V] of some of the tokens."""
        found_NV = product(self.hidden_ND[part], self.head_VD).softmax(dim=-1)
        return self.as_ours(found_NV) if self.as_ours else found_NV

    def share(self, part: slice) -> float | Tensor:
        """`weight` of some of the tokens, [n, 1] if they differ."""
        return self.weight[part, None] if isinstance(self.weight, Tensor) else self.weight


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden_ND: Tensor,
        head_VD: Tensor,
        bias_V: Tensor | None,
        labels_N: Tensor,
        teacher: Teacher | None,
        even: float,
    ) -> Tensor:
        count = labels_N.numel()
        want_hidden, want_head, want_bias = ctx.needs_input_grad[:3]
        hidden_grad = torch.empty_like(hidden_ND) if want_hidden else None
        head_grad_DV: Tensor | None = None  # transposed: so oneDNN has both operands as it likes them
        bias_grad = torch.zeros_like(bias_V) if bias_V is not None and want_bias else None
        total = torch.zeros((), dtype=_at_least_float32(hidden_ND), device=hidden_ND.device)
        for start in range(0, count, CHUNK_TOKENS):
            part = slice(start, start + CHUNK_TOKENS)
            labels_C1 = labels_N[part, None]
            logits_CV = product(hidden_ND[part], head_VD, bias_V)
            logits_CV = logits_CV.to(_at_least_float32(logits_CV))
            soft = teacher.share(part) if teacher else 0.0
            hard_C1 = torch.ones_like(labels_C1, dtype=logits_CV.dtype) * (1.0 - soft - even)
            wanted_C1 = hard_C1 * logits_CV.gather(1, labels_C1)
            soft_CV = teacher.probabilities(part).mul_(soft) if teacher else None
            if soft_CV is not None:
                wanted_C1 += (soft_CV * logits_CV).sum(dim=1, keepdim=True)
            if even:
                wanted_C1 += even * logits_CV.mean(dim=1, keepdim=True)
            largest_C1 = logits_CV.amax(dim=1, keepdim=True)
            grad_CV = torch.softmax(logits_CV, 1, out=logits_CV if logits_CV.device.type == "cpu" else None)
            # the share of the largest logit never vanishes, and gives the sum that all were divided by
            total += (largest_C1 - grad_CV.amax(dim=1, keepdim=True).log() - wanted_C1).sum()
            # the gradient of a cross-entropy: softmax minus target
            grad_CV.scatter_add_(1, labels_C1, -hard_C1)
            if soft_CV is not None:
                grad_CV -= soft_CV
            if even:
                grad_CV -= even / grad_CV.shape[1]
            if hidden_grad is not None:
                hidden_grad[part] = product(grad_CV, head_VD.T).div_(count)
            if want_head:
                scaled_CD = hidden_ND[part] / count
                if head_grad_DV is None:
                    head_grad_DV = product_over_rows(scaled_CD, grad_CV).to(head_VD.dtype)
                else:
                    columns, rows = torch.split(scaled_CD, HEAD_ROWS, 1), torch.split(head_grad_DV, HEAD_ROWS)
                    for rows_C, rows_V in zip(columns, rows, strict=True):
                        rows_V += product_over_rows(rows_C, grad_CV)
            if bias_grad is not None:
                bias_grad += grad_CV.sum(dim=0) / count
        ctx.save_for_backward(hidden_grad, head_grad_DV, bias_grad)
        return total / count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        is_one = grad.device.type == "cpu" and grad == 1  # elsewhere to look would mean to wait
        hidden, head_DV, bias = (saved if saved is None or is_one else saved * grad for saved in ctx.saved_tensors)
        return hidden, None if head_DV is None else head_DV.T.contiguous(), bias, None, None, None


def _at_least_float32(tensor: Tensor) -> torch.dtype:
    return torch.promote_types(tensor.dtype, torch.float32)
