"""A block's feed-forward part, of which only what goes into its activation is kept for the backward pass.

The activation and its slope are computed a second time there, from one sigmoid: less than half of the memory of a
block's widest tensors, and faster than torch's GELU, which takes a slow tanh twice. Measured: docs/why/LOG.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers.activations import NewGELUActivation, SiLUActivation
from transformers.models.gpt2.modeling_gpt2 import GPT2MLP
from transformers.pytorch_utils import Conv1D

from mothertongue.model.products import product, product_over_rows

LINEAR, CUBIC = math.sqrt(8 / math.pi), 0.044715 * math.sqrt(8 / math.pi)  # (1 + tanh(x)) / 2 = sigmoid(2 x)
GATED = {"gate_proj", "up_proj", "down_proj", "act_fn"}  # children of Llama's layer and of all that are like it
ROWS = 256  # of an activation at once, in the forward pass

Slopes = tuple[Tensor, ...]


def faster_mlp(layer: nn.Module) -> Callable[[Tensor], Tensor] | None:
    """What computes the same as `layer`, if it is one of those known here."""
    if type(layer) is GPT2MLP and isinstance(layer.act, NewGELUActivation) and _plain(layer.c_proj):
        return partial(_gpt2, layer)
    if {name for name, _ in layer.named_children()} == GATED and _plain(layer.down_proj):
        return partial(_gated, layer) if isinstance(layer.act_fn, (nn.SiLU, SiLUActivation)) else None
    return None


def _plain(layer: Any) -> bool:
    return type(layer) in (nn.Linear, Conv1D)


def _gpt2(layer: Any, hidden: Tensor) -> Tensor:
    if not _suits(hidden):
        return GPT2MLP.forward(layer, cast(Any, hidden))
    return cast(Tensor, layer.dropout(_project(gelu, layer.c_proj, layer.c_fc(hidden))))


def _gated(layer: Any, hidden: Tensor) -> Tensor:
    if not _suits(hidden):
        return cast(Tensor, type(layer).forward(layer, hidden))
    return _project(gated, layer.down_proj, layer.gate_proj(hidden), layer.up_proj(hidden))


def _suits(hidden: Tensor) -> bool:
    exact = hidden.dtype in (torch.float32, torch.float64)
    return exact and hidden.device.type == "cpu" and not torch.is_autocast_enabled("cpu")


def gelu(hidden: Tensor, *, slope: bool) -> tuple[Tensor, Slopes]:
    """GPT-2's GELU, x * sigmoid(x * (LINEAR + CUBIC * x^2)), and if asked for its slope."""
    inner = torch.addcmul(hidden.new_tensor(LINEAR), hidden, hidden, value=CUBIC)
    share = (inner * hidden if slope else inner.mul_(hidden)).sigmoid_()
    if not slope:
        return share.mul_(hidden), ()
    value = hidden * share
    rest = torch.addcmul(value, value, share, value=-1)
    return value, (share.addcmul_(rest, inner.mul_(3).sub_(2 * LINEAR)),)


def gated(gate: Tensor, hidden: Tensor, *, slope: bool) -> tuple[Tensor, Slopes]:
    """silu(gate) * hidden, and if asked for its slopes."""
    share = gate.sigmoid()
    if not slope:
        return share.mul_(gate).mul_(hidden), ()
    open_ = gate * share
    return open_ * hidden, (share.addcmul_(open_, 1 - share).mul_(hidden), open_)


def _project(activation: Callable[..., tuple[Tensor, Slopes]], layer: nn.Linear | Conv1D, *inputs: Tensor) -> Tensor:
    weight_MK = layer.weight if isinstance(layer, nn.Linear) else layer.weight.T
    rows = [tensor.reshape(-1, tensor.shape[-1]) for tensor in inputs]
    result = cast(Tensor, _Project.apply(activation, weight_MK, layer.bias, *rows))  # type: ignore[no-untyped-call]
    return result.view(*inputs[0].shape[:-1], -1)


class _Project(torch.autograd.Function):
    """A linear layer of an activation."""

    @staticmethod
    def forward(ctx: Any, activation: Any, weight_MK: Tensor, bias_M: Tensor | None, *inputs: Tensor) -> Tensor:
        ctx.activation = activation
        ctx.save_for_backward(weight_MK, *inputs)
        parts = zip(*(torch.split(tensor, ROWS) for tensor in inputs), strict=True)  # for cache and heap
        return torch.cat([product(activation(*part, slope=False)[0], weight_MK, bias_M) for part in parts])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_NM: Tensor) -> tuple[Tensor | None, ...]:
        weight_MK, *inputs = ctx.saved_tensors
        _, want_weight, want_bias, *want_inputs = ctx.needs_input_grad
        value_NK, slopes = ctx.activation(*inputs, slope=True)
        weight = product_over_rows(grad_NM, value_NK) if want_weight else None
        del value_NK
        grads: list[Tensor | None] = [None] * len(inputs)
        if any(want_inputs):
            inner_NK = product(grad_NM, weight_MK.T)
            grads = [slope.mul_(inner_NK) for slope in slopes]
        return None, weight, grad_NM.sum(0) if want_bias else None, *grads
