"""Causal attention on CPUs, faster than torch's for a few hundred tokens, and with a dropout that costs little.

torch's kernel computes the probabilities a second time in the backward pass, and knows no dropout: with it, torch takes
a path that is nearly two times slower. Here a block of rows attends to the tokens before its end, so that little more
than half of the table is computed, as batched products, and the probabilities are kept.
Measured: docs/why/LOG.md, 2026-11-22.
"""
# Axes: B batch, H heads, G = B*H, T tokens, R rows of a block, S tokens before the block's end, E width of a head

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from mothertongue.model.dropout import keep_mask

NAME = "mothertongue"  # of this attention in transformers' table
ROWS = 64  # of a block
LONGEST = 512  # tokens; of longer sequences the table of probabilities is too large to be kept


def causal_attention(query_BHTE: Tensor, key_BHTE: Tensor, value_BHTE: Tensor, *, scale: float, drop: float) -> Tensor:
    """softmax(scale * query @ key.T, later tokens masked) @ value; a share `drop` of the probabilities is dropped."""
    query, key, value = (tensor.reshape(-1, *tensor.shape[2:]) for tensor in (query_BHTE, key_BHTE, value_BHTE))
    result_GTE = cast(Tensor, _Attention.apply(query, key, value, scale, drop))  # type: ignore[no-untyped-call]
    return result_GTE.view(query_BHTE.shape)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """`causal_attention` where it is the faster one and nothing but causality is masked, else torch's."""
    length, width = query.shape[-2:]
    ours = attention_mask is None and getattr(module, "is_causal", True) and kwargs.get("is_causal") in (None, True)
    ours = ours and query.device.type == "cpu" and not torch.is_autocast_enabled("cpu") and dropout < 1
    if not ours or length != key.shape[-2] or (length > LONGEST and not dropout):
        return sdpa_attention_forward(module, query, key, value, attention_mask, dropout, scaling, **kwargs)
    groups = query.shape[1] // key.shape[1]
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    scale = width**-0.5 if scaling is None else scaling
    return causal_attention(query, key, value, scale=scale, drop=dropout).transpose(1, 2), None


ALL_ATTENTION_FUNCTIONS.register(NAME, attend)
ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, sdpa_mask)


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query_GTE: Tensor, key_GTE: Tensor, value_GTE: Tensor, scale: float, drop: float) -> Tensor:
        query_GTE = query_GTE * scale
        out_GTE = torch.empty_like(query_GTE)
        saved: list[Tensor] = []
        for rows, before in _blocks(query_GTE):
            score_GRS = torch.baddbmm(_future(query_GTE, rows), query_GTE[:, rows], key_GTE[:, before].mT)
            share_GRS = torch.softmax(score_GRS, -1, out=score_GRS)  # in place: row by row
            keep_GRS = keep_mask(share_GRS, drop) if drop else None
            kept_GRS = share_GRS if keep_GRS is None else share_GRS * keep_GRS
            torch.bmm(kept_GRS, value_GTE[:, before], out=out_GTE[:, rows])
            saved += [share_GRS] if keep_GRS is None else [share_GRS, keep_GRS]
        ctx.scale, ctx.drop = scale, drop
        ctx.save_for_backward(query_GTE, key_GTE, value_GTE, *saved)
        return out_GTE.mul_(1 / (1 - drop)) if drop else out_GTE

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_GTE: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        query_GTE, key_GTE, value_GTE, *saved = ctx.saved_tensors
        grad_GTE = grad_GTE / (1 - ctx.drop) if ctx.drop else grad_GTE
        query_grad, key_grad, value_grad = (torch.zeros_like(tensor) for tensor in (query_GTE, key_GTE, value_GTE))
        for rows, before in _blocks(query_GTE):
            share_GRS = saved.pop(0)
            keep_GRS = saved.pop(0) if ctx.drop else None
            kept_GRS = share_GRS if keep_GRS is None else share_GRS * keep_GRS
            value_grad[:, before].baddbmm_(kept_GRS.mT, grad_GTE[:, rows])
            share_grad = grad_GTE[:, rows] @ value_GTE[:, before].mT
            if keep_GRS is not None:
                share_grad *= keep_GRS
            score_grad = torch._softmax_backward_data(share_grad, share_GRS, -1, share_GRS.dtype)
            torch.bmm(score_grad, key_GTE[:, before], out=query_grad[:, rows])
            key_grad[:, before].baddbmm_(score_grad.mT, query_GTE[:, rows])
        return query_grad.mul_(ctx.scale), key_grad, value_grad, None, None


def _blocks(query_GTE: Tensor) -> list[tuple[slice, slice]]:
    """The rows of each block, and all tokens before its end."""
    length = query_GTE.shape[1]
    ends = [min(start + ROWS, length) for start in range(0, length, ROWS)]
    return [(slice(start, end), slice(end)) for start, end in zip(range(0, length, ROWS), ends, strict=True)]


def _future(query_GTE: Tensor, rows: slice) -> Tensor:
    """What is added to the scores [R, S]: nothing, or minus infinity for tokens that come later."""
    return query_GTE.new_full((rows.stop - rows.start, rows.stop), -math.inf).triu_(rows.start + 1)
