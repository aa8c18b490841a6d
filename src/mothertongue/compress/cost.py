"""What compression costs: everything counts, the predecessor's blocks and its prediction as well as the successor.

So that methods can be compared at equal compute, `budget_teraflop` buys fewer steps with a teacher than without.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedModel

from mothertongue.compress.config import CompressConfig
from mothertongue.compress.schedule import draw, phases, replacing_schedule
from mothertongue.model.anatomy import anatomy
from mothertongue.model.compute import block_flop, flop_per_token
from mothertongue.train.data import Windows
from mothertongue.train.schedule import Phase

TRIAL_STEPS = 1000


def phase_flop(
    config: CompressConfig, model: PreTrainedModel, predecessor: PreTrainedModel, length: int
) -> Callable[[Phase], float]:
    """Operations per token in a phase, on the mean over the very draws that will be made in it."""
    count, layers = len(anatomy(predecessor).blocks), len(anatomy(model).blocks)
    teacher = flop_per_token(predecessor, (), length) if config.teacher_share else 0.0

    def flop(phase: Phase) -> float:
        if phase.name != "replacing":
            return teacher + flop_per_token(model, phase.rates.keys(), length)
        rate = replacing_schedule(config.scheduler, config.replacing_rate, phase.steps)
        draws = (draw(layers, rate(step), seed=config.seed, step=step) for step in range(phase.steps))
        weights = block_flop(predecessor, 0)
        attention = block_flop(predecessor, length) - weights
        blocks = sum(draw_flop(drawn, count // layers, weights=weights, attention=attention) for drawn in draws)
        head = 4.0 * anatomy(model).head.weight.numel()  # forward, and the gradient of its input
        return teacher + head + blocks / phase.steps

    return flop


def draw_flop(drawn: NDArray[np.bool_], each: int, *, weights: float, attention: float) -> float:
    """Operations in all blocks when modules of `each` layers are replaced as drawn.

    A block's forward pass has `weights` operations in products with weights and `attention` in those of activations.
    The gradient goes down to the lowest replaced module, in attention to both factors; replaced modules have one of
    their own.

    >>> draw_flop(np.array([False, True, False]), 2, weights=1, attention=0)  # 2+1+2 forward, 1+2 down, 1 own
    9.0
    """
    blocks = np.where(drawn, 1, each)
    forward, down, own = blocks.sum(), blocks[drawn.argmax() :].sum(), drawn.sum()
    return float((forward + down + own) * weights + (forward + 2 * down) * attention)


def derive_steps(config: CompressConfig, windows: Windows, flop: Callable[[Phase], float]) -> int:
    """Optimizer steps from whichever of steps, budget_teraflop and epochs is given."""
    if config.steps:
        return config.steps
    tokens = config.batch_size * windows.length
    if not config.budget_teraflop:
        return max(1, round(config.epochs * len(windows.ids) / tokens))
    trial = sum(flop(phase) * phase.steps for phase in phases(config, TRIAL_STEPS)) / TRIAL_STEPS
    return max(1, round(config.budget_teraflop * 1e12 / (tokens * trial)))
