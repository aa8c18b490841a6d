"""Matrix products at the processor's speed: on AMD, torch's MKL takes a slow path, oneDNN (also in torch) does not.

    with fast_products(model):
        ...                                   # every linear layer of the model goes through oneDNN, backward too

The choice depends on the processor alone, never on a measurement, so that a resumed training computes the same numbers.
Measured: docs/why/LOG.md, 2026-11-22.
"""
# Axes: N rows, K inputs, M outputs

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers.pytorch_utils import Conv1D


def product(left_NK: Tensor, right_MK: Tensor) -> Tensor:
    """left @ right.T of shape [N, M], without gradients."""
    if _suits(left_NK):
        return cast(Tensor, torch.ops.mkldnn._linear_pointwise(left_NK, right_MK, None, "none", [], ""))
    return left_NK @ right_MK.T


@contextmanager
def fast_products(model: nn.Module) -> Iterator[None]:
    """Let the linear layers of `model` (nn.Linear, GPT-2's Conv1D) use `product` inside the `with`, if it is faster."""
    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Linear, Conv1D))] if prefers_onednn() else []
    layers = [layer for layer in layers if "forward" not in vars(layer)]  # those of an outer `with` are its to restore
    for layer in layers:
        vars(layer)["forward"] = partial(_forward, layer)
    try:
        yield
    finally:
        for layer in layers:
            vars(layer).pop("forward", None)


@cache
def prefers_onednn() -> bool:
    """Whether this is an AMD processor and torch was built with oneDNN."""
    cpuinfo = Path("/proc/cpuinfo")
    is_amd = cpuinfo.is_file() and "AuthenticAMD" in cpuinfo.read_text("utf-8", "replace")
    return is_amd and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _suits(tensor: Tensor) -> bool:
    return prefers_onednn() and tensor.device.type == "cpu" and tensor.dtype == torch.float32


def _forward(layer: nn.Linear | Conv1D, hidden: Tensor) -> Tensor:
    weight_MK = layer.weight if isinstance(layer, nn.Linear) else layer.weight.T
    rows_NK = hidden.reshape(-1, hidden.shape[-1])
    if not _suits(rows_NK) or torch.is_autocast_enabled("cpu"):
        return cast(Tensor, cast(Any, type(layer)).forward(layer, hidden))
    result_NM = cast(Tensor, _Product.apply(rows_NK, weight_MK))  # type: ignore[no-untyped-call]
    result_NM = result_NM if layer.bias is None else result_NM + layer.bias
    return result_NM.view(*hidden.shape[:-1], -1)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, left_NK: Tensor, right_MK: Tensor) -> Tensor:
        ctx.save_for_backward(left_NK, right_MK)
        return product(left_NK, right_MK)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_NM: Tensor) -> tuple[Tensor | None, Tensor | None]:
        left_NK, right_MK = ctx.saved_tensors
        left = product(grad_NM, right_MK.T) if ctx.needs_input_grad[0] else None
        right = product(grad_NM.T, left_NK.T) if ctx.needs_input_grad[1] else None
        return left, right
