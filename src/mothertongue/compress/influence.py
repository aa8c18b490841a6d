"""Block influence (ShortGPT, Men et al. 2024, arXiv 2403.03853): how much a layer turns the hidden state.

A layer near the identity can be spared. No training, no labels: one reading of a few thousand tokens.
"""
# Axes: B batch, T tokens, D hidden

from __future__ import annotations

from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from mothertongue.compress.hooks import calls, outputs
from mothertongue.model.anatomy import anatomy
from mothertongue.model.score import evaluating


def block_influence(model: PreTrainedModel, tokens_BT: Tensor) -> list[float]:
    """For each layer 1 minus the mean cosine (so 0-2) of hidden states before and behind it."""
    blocks = list(anatomy(model).blocks)
    with evaluating(model), calls(blocks) as before, outputs(blocks) as behind:
        model.base_model(input_ids=tokens_BT, use_cache=False)
    pairs = zip(before, behind, strict=True)
    return [1.0 - float(functional.cosine_similarity(call.hidden, after, dim=-1).mean()) for call, after in pairs]
