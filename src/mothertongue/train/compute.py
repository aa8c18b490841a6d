"""How much arithmetic a training costs, counted the same way for every arm of a comparison.

A product with a matrix of n weights costs 2n operations per token forward, 2n to carry the gradient to its input, 2n for its own
gradient (Kaplan et al. 2020, arXiv 2001.08361); attention adds 4*T*D per block and direction, halved by causality. Frozen weights
save their own gradient; gradients are carried down to the lowest learning part only.
"""

from __future__ import annotations

from collections.abc import Collection

from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy


def flop_per_token(model: PreTrainedModel, learning: Collection[str], sequence_length: int) -> float:
    """Floating-point operations per training token when the groups in `learning` (schedule.GROUPS) learn; empty = forward only."""
    parts = anatomy(model)
    block = block_flop(model, sequence_length)
    head = 2.0 * parts.head.weight.numel()
    total = len(parts.blocks) * block + head  # forward
    if not learning:
        return total
    total += head + (head if "embeddings" in learning else 0.0)
    for index in range(len(parts.blocks)):
        name = ("bottom", "middle", "top")[index * 3 // len(parts.blocks)]
        below = ("bottom", "middle", "top")[: index * 3 // len(parts.blocks) + 1]
        carried = "embeddings" in learning or any(group in learning for group in below)
        total += block * carried + block * (name in learning)
    return total


def block_flop(model: PreTrainedModel, sequence_length: int) -> float:
    """Operations per token of one block, forward."""
    parts = anatomy(model)
    weights = sum(parameter.numel() for parameter in parts.blocks[0].parameters() if parameter.ndim >= 2)
    return 2.0 * weights + 2.0 * sequence_length * parts.hidden_size
