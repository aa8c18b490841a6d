"""What compression costs: everything counts, the predecessor's blocks and its prediction as well as the successor.

So that methods can be compared at equal compute, `budget_teraflop` buys fewer steps with a teacher than without, and
what is looked at before the first step is taken off it.
"""
# Axes: S modules, B sequences

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedModel

from mothertongue.compress.config import CompressConfig
from mothertongue.compress.methods import Material
from mothertongue.compress.schedule import LossCurve, drawer, replacing_schedule
from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy
from mothertongue.model.compute import block_flop, flop_per_token, optimizer_flop
from mothertongue.train.schedule import Flop, Phase
from mothertongue.train.stage import TRIAL_STEPS


def phase_flop(material: Material, curve: LossCurve | None = None) -> Flop:
    """Operations per token in a phase, on the mean over the very draws that will be made in it.

    Muon only turns matrices of modules that are replaced for a sequence of the step.
    """
    config, model, length = material.config, material.model, material.length
    head = 2.0 * anatomy(model).head.weight.numel()
    weights = block_flop(model, 0)
    attention = block_flop(model, length) - weights
    turns = optimizer_flop(config.optimizer, model, config.batch_size * length)

    def forward(phase: Phase) -> float:
        return flop_per_token(material.predecessor, (), phase.length or length)

    def teacher(phase: Phase) -> float:
        return forward(phase) if config.teacher_share else forward(phase) - head if config.hidden_weight else 0.0

    def local(phase: Phase) -> float:
        # each layer is read, and has a gradient of its own, carried through itself only
        layers = len(material.modules) * (3 * weights + 3 * attention)
        return forward(phase) - head + layers + turns(phase.rates)

    def replacing(phase: Phase) -> float:
        sizes = [len(module.predecessors) for module in material.modules]
        rate = replacing_schedule(config.scheduler, config.replacing_rate, phase.steps, curve)
        draws, turn, total = drawer(config, len(sizes)), turns(phase.rates), 0.0
        for step in range(phase.steps):
            drawn = draws(rate(step), step)
            all_learn = "embeddings" in phase.rates
            total += draw_flop(drawn, sizes, weights=weights, attention=attention, to_the_bottom=all_learn)
            total += head * (3.0 if all_learn else 2.0 if drawn.any() else 1.0)  # forward, to its input, its own
            total += turn * drawn.any(axis=1).mean()
        return teacher(phase) + total / phase.steps

    def successor(phase: Phase) -> float:
        return teacher(phase) + flop_per_token(model, phase.rates, phase.length or length) + turns(phase.rates)

    kinds = {"local": local, "replacing": replacing}
    return lambda phase: kinds.get(phase.name, successor)(phase)


def draw_flop(
    drawn_SB: NDArray[np.bool_],
    sizes: int | Sequence[int],
    *,
    weights: float,
    attention: float,
    to_the_bottom: bool = False,
) -> float:
    """Operations per token in all blocks when modules of `sizes` layers are replaced as drawn.

    A block's forward pass has `weights` operations in products with weights and `attention` in those of activations.
    The gradient goes down to the lowest module that is replaced for any sequence (or to the bottom), in attention to
    both factors; replaced modules have one of their own.

    >>> draw_flop(np.array([[False], [True], [False]]), 2, weights=1, attention=0)  # 2+1+2 forward, 1+2 down, 1 own
    9.0
    """
    sizes_S1 = np.broadcast_to(np.asarray(sizes), len(drawn_SB))[:, None]
    blocks_S = np.where(drawn_SB, 1, sizes_S1).mean(axis=1)
    learns_S = drawn_SB.any(axis=1)
    forward, down, own = blocks_S.sum(), blocks_S.sum(), drawn_SB.mean(axis=1).sum()
    if not to_the_bottom:
        lowest = int(learns_S.argmax()) if learns_S.any() else len(drawn_SB)
        down = blocks_S[lowest + 1 :].sum() + drawn_SB[lowest : lowest + 1].mean(axis=1).sum()
    return float((forward + down + own) * weights + (forward + 2 * down) * attention)


def preparing_flop(config: CompressConfig, predecessor: PreTrainedModel, model: PreTrainedModel, tokens: int) -> float:
    """Operations before the first step, about: of what is fitted or measured on `tokens` tokens."""
    read = tokens * flop_per_token(predecessor, (), 0)
    parts, features = anatomy(model), 4.0 * anatomy(model).hidden_size
    bridge = read + 3 * tokens * flop_per_token(model, (), 0)
    bridge += len(parts.blocks) * (2 * tokens * features**2 + features**3)
    tried = 2 * (config.groups == "auto")
    total = read * ((tried > 0) or "influence" in (config.groups, config.initial))
    total += bridge * (tried + ("bridge" in (config.initial, config.method)))
    return total + 24 * read * (config.scheduler == "loss" and config.replacing_steps(TRIAL_STEPS) > 0)


def check_budget(config: CompressConfig, prepared: float) -> None:
    """ConfigError if `prepared` operations are all that `budget_teraflop` (0 = no budget) allows."""
    if config.budget_teraflop and config.budget_teraflop * 1e12 <= prepared:
        raise ConfigError(
            f"budget_teraflop = {config.budget_teraflop:g} is spent before the first step: what initial = "
            f"{config.initial}, groups = {config.groups} and scheduler = {config.scheduler} look at costs "
            f"{prepared / 1e12:.3g}. Give more, lower probe_tokens, or set groups = even and initial = ends."
        )
