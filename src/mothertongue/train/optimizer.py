"""Optimizers by name.

`adamw` for everything; `muon` for the blocks' matrices, with AdamW for the rest; `schedule-free` (Defazio et al. 2024,
arXiv 2405.15682) where the package is installed. Muon is our own because torch's works in bfloat16, which most
processors emulate: 0.02 of the speed (docs/why/LOG.md); a test holds it against torch's in the same arithmetic.
"""
# Axes: R rows, C columns of a matrix

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from mothertongue.errors import ConfigError
from mothertongue.model.orthogonal import orthogonal
from mothertongue.train.config import LoopConfig

MUON_MOMENTUM = 0.95


def make_optimizers(groups: dict[str, list[nn.Parameter]], config: LoopConfig) -> list[Optimizer]:
    """The optimizers that together train every parameter; `groups` as freeze.group_parameters gives them."""
    return OPTIMIZERS[config.optimizer](optimizer_groups(groups, config.weight_decay), config)


def optimizer_groups(groups: dict[str, list[nn.Parameter]], weight_decay: float) -> list[dict[str, Any]]:
    """Groups for torch's optimizers; vectors (biases, norms) are never decayed."""
    result: list[dict[str, Any]] = []
    for name, parameters in groups.items():
        matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
        vectors = [parameter for parameter in parameters if parameter.ndim < 2]
        result.append({"params": matrices, "name": name, "weight_decay": weight_decay})
        result.append({"params": vectors, "name": name, "weight_decay": 0.0})
    return [group for group in result if group["params"]]


def _adamw(groups: list[dict[str, Any]], config: LoopConfig) -> list[Optimizer]:
    # foreach is slow on CPUs, the fused kernel is bound by memory
    return [torch.optim.AdamW(groups, betas=(config.beta1, config.beta2), fused=True)]


def _muon(groups: list[dict[str, Any]], config: LoopConfig) -> list[Optimizer]:
    def turns(group: dict[str, Any]) -> bool:
        return bool(group["name"] != "embeddings" and group["params"][0].ndim == 2)

    turned, rest = [group for group in groups if turns(group)], [group for group in groups if not turns(group)]
    return [Muon(turned), *_adamw(rest, config)]


def _schedule_free(groups: list[dict[str, Any]], config: LoopConfig) -> list[Optimizer]:
    try:
        from schedulefree import AdamWScheduleFree
    except ImportError as error:
        raise ConfigError('optimizer = "schedule-free" needs: pip install "mothertongue[schedulefree]"') from error
    optimizer: Optimizer = AdamWScheduleFree(groups, betas=(config.beta1, config.beta2), foreach=False)
    return [optimizer]


OPTIMIZERS: dict[str, Callable[[list[dict[str, Any]], LoopConfig], list[Optimizer]]] = {
    "adamw": _adamw,
    "muon": _muon,
    "schedule-free": _schedule_free,
}


class Muon(Optimizer):
    """Nesterov momentum, each matrix of it made orthogonal (Jordan et al. 2024), for matrices only.

    Steps are as long as AdamW's at the same learning rate (Liu et al. 2025, arXiv 2502.16982), so one rate serves both.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float = 1e-3, weight_decay: float = 0.1) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step on every matrix that has a gradient."""
        for group in self.param_groups:
            for matrix_RC in group["params"]:
                if matrix_RC.grad is None:
                    continue
                state = self.state[matrix_RC]
                if not state:
                    state["momentum"] = torch.zeros_like(matrix_RC)
                momentum_RC: Tensor = state["momentum"].lerp_(matrix_RC.grad, 1 - MUON_MOMENTUM)
                turned_RC = orthogonal(matrix_RC.grad.lerp(momentum_RC, MUON_MOMENTUM))
                length = 0.2 * math.sqrt(max(matrix_RC.shape))  # AdamW's root mean square is about 0.2
                matrix_RC.mul_(1 - group["lr"] * group["weight_decay"]).add_(turned_RC, alpha=-group["lr"] * length)
