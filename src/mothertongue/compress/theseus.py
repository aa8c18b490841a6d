"""Module replacing, BERT-of-Theseus (Xu et al. 2020, arXiv 2002.02925) for decoders.

A predecessor of n layers and a successor of k: successor module i stands for the n/k consecutive predecessor layers
i*n/k .. (i+1)*n/k - 1. In training each module is the successor's with probability `replacing_rate` (one draw per module and
step), otherwise the predecessor's, which is frozen, in eval mode and without gradients of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from torch import Tensor, nn
from transformers import PreTrainedModel

from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy, set_layers


class ReplaceableModule(nn.Module):
    """Stands in the list of blocks; forwards through its successor or through its predecessors."""

    def __init__(self, successor: nn.Module, predecessors: Sequence[nn.Module]) -> None:
        super().__init__()
        self.successor = successor
        # in a tuple they are no submodules: not trained, not saved, not switched to training mode
        self.predecessors = tuple(block.eval().requires_grad_(False) for block in predecessors)
        self.replaced = True

    def __getattr__(self, name: str) -> Any:
        if name == "attention_type":  # Llama-like models ask their blocks which mask they take
            return self.successor.attention_type
        return super().__getattr__(name)

    def forward(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        for block in (self.successor,) if self.replaced else self.predecessors:
            hidden_states = block(hidden_states, *args, **kwargs)
        return hidden_states


def successor_layers(count: int, layers: int, initial: str) -> list[int]:
    """Which of `count` predecessor layers the `layers` successor modules begin as.

    >>> successor_layers(12, 6, "ends"), successor_layers(12, 6, "every-other"), successor_layers(12, 6, "first")
    ([0, 2, 4, 7, 9, 11], [0, 2, 4, 6, 8, 10], [0, 1, 2, 3, 4, 5])
    """
    if initial == "first":
        return list(range(layers))
    if initial == "every-other" or layers == 1:
        return [i * count // layers for i in range(layers)]
    return [round(i * (count - 1) / (layers - 1)) for i in range(layers)]


def check_layers(count: int, layers: int) -> int:
    """`layers`, or half of `count` if it is 0; ConfigError unless it divides `count`."""
    layers = layers or count // 2
    divisors = [k for k in range(1, count) if count % k == 0]
    if layers not in divisors:
        raise ConfigError(f"layers = {layers} does not work for a model of {count} layers: it must divide them. Possible: {', '.join(map(str, divisors)) or 'none'}.")
    return layers


def install_successor(model: PreTrainedModel, successors: Sequence[nn.Module]) -> list[ReplaceableModule]:
    """Put a replaceable module in the place of each n/k blocks of `model`; gives them in order."""
    blocks = list(anatomy(model).blocks)
    each = len(blocks) // len(successors)
    modules = [ReplaceableModule(new, blocks[i * each : (i + 1) * each]) for i, new in enumerate(successors)]
    set_layers(model, cast(list[nn.Module], modules))
    return modules


def extract_successor(model: PreTrainedModel) -> PreTrainedModel:
    """Make `model` a plain model of the successor's blocks alone."""
    modules = [cast(ReplaceableModule, module) for module in anatomy(model).blocks]
    set_layers(model, [module.successor for module in modules])
    return model


def replacing_schedule(scheduler: str, start: float, steps: int) -> Callable[[int], float]:
    """Replacing rate at a step: constant, or a line from `start` to 1 at the last of `steps`; 1 afterwards."""

    def rate(step: int) -> float:
        if step >= steps:
            return 1.0
        return start if scheduler == "constant" else min(1.0, start + (1 - start) * step / max(1, steps - 1))

    return rate


def draw_replacing(modules: Sequence[ReplaceableModule], rate: float, *, seed: int, step: int) -> None:
    """Replace each module with probability `rate`, and at least one: a step without any would teach nothing.

    The draw is a function of (seed, step), so a resumed run draws the same.
    """
    random = np.random.default_rng([seed, step, 0x7E5E])
    drawn = random.random(len(modules)) < rate
    if not drawn.any():
        drawn[random.integers(len(modules))] = True
    for module, replaced in zip(modules, drawn, strict=True):
        module.replaced = bool(replaced)
