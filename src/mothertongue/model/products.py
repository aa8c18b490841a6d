"""Matrix products at the processor's speed: on AMD, torch's MKL takes a slow path, oneDNN (also in torch) does not.

    with fast_products(model):
        ...                                   # every linear layer of the model goes through oneDNN, backward too

The choice depends on the processor and on shapes alone, never on a measurement, so that a resumed training computes
the same numbers. Measured: docs/why/LOG.md, 2026-11-22.
"""
# Axes: N rows, K inputs, M outputs

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from transformers.activations import NewGELUActivation
from transformers.pytorch_utils import Conv1D

from mothertongue.model import attention
from mothertongue.model.dropout import dropout

ROWS = 1024  # of a weight's gradient at once: more of them overflow the second-level cache


def product(left_NK: Tensor, right_MK: Tensor, bias_M: Tensor | None = None) -> Tensor:
    """left @ right.T + bias of shape [N, M], without gradients."""
    if _suits(left_NK):
        return cast(Tensor, torch.ops.mkldnn._linear_pointwise(left_NK, right_MK, bias_M, "none", [], ""))
    return functional.linear(left_NK, right_MK, bias_M)


def product_over_rows(left_NK: Tensor, right_NM: Tensor) -> Tensor:
    """left.T @ right of shape [K, M], a weight's gradient, without gradients.

    oneDNN wants its first operand row by row, and copies it with one thread if it is not: the smaller one is copied.
    """
    if not _suits(left_NK):
        return left_NK.T @ right_NM
    if right_NM.shape[1] < left_NK.shape[1]:
        return product_over_rows(right_NM, left_NK).T
    total_KM = product(left_NK[:ROWS].T.contiguous(), right_NM[:ROWS].T)
    for start in range(ROWS, len(left_NK), ROWS):
        part = slice(start, start + ROWS)
        total_KM += product(left_NK[part].T.contiguous(), right_NM[part].T)
    return total_KM


def machine_gigaflop(device: torch.device) -> float:
    """10^9 operations a second of large float32 products on the processor, best of five; 0 on other devices."""
    if device.type != "cpu":
        return 0.0
    square, times = torch.ones(1024, 1024), []
    for _ in range(5):
        begun = time.perf_counter()
        product(square, square)
        times.append(time.perf_counter() - begun)
    return 2 * 1024**3 / min(times) / 1e9


@contextmanager
def fast_products(model: nn.Module) -> Iterator[None]:
    """Let `model` compute faster inside the `with`: linear layers, feed-forward parts, dropout, causal attention."""
    ways = {layer: way for layer in model.modules() if (way := _faster(layer)) and "forward" not in vars(layer)}
    config: Any = getattr(model, "config", None)
    attends = getattr(config, "_attn_implementation", None) == "sdpa"
    for layer, way in ways.items():  # what has one belongs to an outer `with`
        vars(layer)["forward"] = way
    if attends:
        config._attn_implementation = attention.NAME
    try:
        yield
    finally:
        for layer in ways:
            vars(layer).pop("forward", None)
        if attends:
            config._attn_implementation = "sdpa"


@cache
def prefers_onednn() -> bool:
    """Whether this is an AMD processor and torch was built with oneDNN."""
    cpuinfo = Path("/proc/cpuinfo")
    is_amd = cpuinfo.is_file() and "AuthenticAMD" in cpuinfo.read_text("utf-8", "replace")
    return is_amd and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _suits(tensor: Tensor) -> bool:
    plain = tensor.device.type == "cpu" and tensor.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return plain and prefers_onednn()


def _faster(layer: nn.Module) -> Callable[[Tensor], Tensor] | None:
    from mothertongue.model.mlp import faster_mlp  # which needs the products of this file

    if isinstance(layer, NewGELUActivation):  # the same formula in one kernel instead of eight
        return partial(functional.gelu, approximate="tanh")
    if isinstance(layer, nn.Dropout):
        return partial(dropout, layer)
    if mlp := faster_mlp(layer):
        return mlp
    return partial(_linear, layer) if isinstance(layer, (nn.Linear, Conv1D)) and prefers_onednn() else None


def _linear(layer: nn.Linear | Conv1D, hidden: Tensor) -> Tensor:
    weight_MK = layer.weight if isinstance(layer, nn.Linear) else layer.weight.T
    rows_NK = hidden.reshape(-1, hidden.shape[-1])
    if not _suits(rows_NK):
        return cast(Tensor, cast(Any, type(layer)).forward(layer, hidden))
    result_NM = cast(Tensor, _Linear.apply(rows_NK, weight_MK, layer.bias))  # type: ignore[no-untyped-call]
    return result_NM.view(*hidden.shape[:-1], -1)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, left_NK: Tensor, right_MK: Tensor, bias_M: Tensor | None) -> Tensor:
        ctx.save_for_backward(left_NK, right_MK)
        return product(left_NK, right_MK, bias_M)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_NM: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        left_NK, right_MK = ctx.saved_tensors
        left = product(grad_NM, right_MK.T) if ctx.needs_input_grad[0] else None
        right = product_over_rows(grad_NM, left_NK) if ctx.needs_input_grad[1] else None
        return left, right, grad_NM.sum(0) if ctx.needs_input_grad[2] else None
