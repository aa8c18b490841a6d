"""Dropout whose mask costs little: torch draws a number for each element with one thread, this a quarter of one.

The numbers come from torch's generator, so that a resumed training draws the same.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

LEVELS = 1 << 16  # a share is rounded to 1/65,536


def keep_mask(like: Tensor, drop: float) -> Tensor:
    """True with probability 1 - `drop`, in the shape of `like`: 16 random bits for each element."""
    size = like.numel()
    bits = torch.empty(-(-size // 4), dtype=torch.int64).random_(-(1 << 63), None).view(torch.int16)
    return bits[:size].view(like.shape) >= round(drop * LEVELS) - LEVELS // 2


def dropout(layer: nn.Dropout, hidden: Tensor) -> Tensor:
    """What `layer` computes, with a mask of ours on CPUs."""
    if not (layer.training and 0 < layer.p < 1) or hidden.device.type != "cpu":
        return nn.Dropout.forward(layer, hidden)
    return cast(Tensor, _Dropout.apply(hidden, layer.p))  # type: ignore[no-untyped-call]


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, drop: float) -> Tensor:
        keep = keep_mask(hidden, drop)
        ctx.scale = 1 / (1 - drop)
        ctx.save_for_backward(keep)
        return (hidden * keep).mul_(ctx.scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return (grad * ctx.saved_tensors[0]).mul_(ctx.scale), None
