"""How much arithmetic a training costs, counted the same way for every arm of a comparison.

A product with a matrix of n weights costs 2n operations per token forward, 2n to carry the gradient to its input, 2n
for its own gradient (Kaplan et al. 2020, arXiv 2001.08361). Attention has no weights: 2*T*D per block and token forward
(half of 4*T*D, as it is causal) and twice that backward. Frozen weights save their own gradient, and gradients are
carried down to the lowest learning part only. Tested against torch.utils.flop_counter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy, third_of


def flop_per_token(model: PreTrainedModel, learning: Collection[str], sequence_length: int) -> float:
    """Floating-point operations per training token when the groups in `learning` (anatomy.GROUPS) learn.

    Nobody learning means the forward pass alone.
    """
    parts = anatomy(model)
    weights, attention = _weight_flop(model), _attention_flop(model, sequence_length)
    head = 2.0 * parts.head.weight.numel()
    total = len(parts.blocks) * (weights + attention) + head  # forward
    if not learning:
        return total
    total += head + (head if "embeddings" in learning else 0.0)
    carried = "embeddings" in learning
    for index in range(len(parts.blocks)):
        learns = third_of(index, len(parts.blocks)) in learning
        carried = carried or learns
        total += (weights + 2 * attention) * carried + weights * learns
    return total


def muon_flop(model: PreTrainedModel, learning: Collection[str]) -> float:
    """Operations of one step of Muon, as a processor makes them: its products for the matrices of learning blocks.

    All other arithmetic of optimizers is a few operations per weight, and is not counted.
    """
    blocks = anatomy(model).blocks
    learned = [block for index, block in enumerate(blocks) if third_of(index, len(blocks)) in learning]
    return sum(_turn_flop(*weight.shape) for block in learned for weight in block.parameters() if weight.ndim == 2)


def optimizer_flop(optimizer: str, model: PreTrainedModel, tokens: int) -> Callable[[Collection[str]], float]:
    """Operations of the optimizer for each of a step's `tokens`, by who learns: Muon's, for those of others are few."""
    share = (optimizer == "muon") / tokens
    return lambda learning: share and share * muon_flop(model, learning)


def _turn_flop(rows: int, columns: int) -> float:
    """Five steps of Newton-Schulz, by the small square where that is less (orthogonal.py)."""
    less, more = sorted((rows, columns))
    square, across = 2.0 * less**3, 2.0 * less**2 * more
    return 17 * square + 2 * across if more > 1.5 * less else 5 * (square + 2 * across)


def block_flop(model: PreTrainedModel, sequence_length: int) -> float:
    """Operations per token of one block, forward."""
    return _weight_flop(model) + _attention_flop(model, sequence_length)


def _weight_flop(model: PreTrainedModel) -> float:
    return 2.0 * sum(parameter.numel() for parameter in anatomy(model).blocks[0].parameters() if parameter.ndim >= 2)


def _attention_flop(model: PreTrainedModel, sequence_length: int) -> float:
    config = model.config
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return 2.0 * sequence_length * int(config.num_attention_heads) * int(width)
