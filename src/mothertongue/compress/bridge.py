"""A closed-form bridge over what was cut out: the last matrix of each kept layer is fitted to its group's output.

A standard block cannot hold a linear map of the hidden state, but its last matrix (of the feed-forward part) writes
into it: ridge regression, drawn towards the matrix that was there, lets the block write what all layers of its group
write together. Layers are fitted from the bottom up, each on what those below it really give, so errors do not pile up.
Seconds, no training; the result is an ordinary model.
"""
# Axes: N tokens, F features of the feed-forward part (and 1 for the bias), D hidden

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from mothertongue.compress.cost import phase_flop
from mothertongue.compress.hooks import calls, outputs
from mothertongue.compress.methods import Lesson, Material
from mothertongue.model.anatomy import anatomy
from mothertongue.model.loss import next_token_loss
from mothertongue.model.score import evaluating

LAST_MATRIX = {"gpt2": "mlp.c_proj", "llama": "mlp.down_proj"}
PULL = 3.0  # towards the old matrix, as a multiple of the features' mean square; less overfits (LOG)


def bridge(material: Material) -> Callable[[int], Lesson]:
    """Nothing to learn: the successor begins as a bridge (stage.py) and stays so."""
    return lambda steps: Lesson((), next_token_loss, phase_flop(material))


@torch.no_grad()
def fit_bridge(
    model: PreTrainedModel, predecessor: PreTrainedModel, groups: Sequence[range], tokens_BT: Tensor
) -> None:
    """Change `model`, whose layer i stands for the predecessor's layers `groups[i]`, in place."""
    old, new = list(anatomy(predecessor).blocks), list(anatomy(model).blocks)
    name = LAST_MATRIX[anatomy(model).family]
    with evaluating(predecessor), outputs([old[group[-1]] for group in groups]) as wanted:
        predecessor.base_model(input_ids=tokens_BT, use_cache=False)
    # not within fast_products: a fused feed-forward part never calls its last matrix
    model.train(False)
    with calls(new) as begun:
        model.base_model(input_ids=tokens_BT, use_cache=False)
    hidden_BTD = begun[0].hidden
    for block, call, target_BTD in zip(new, begun, wanted, strict=True):
        matrix = block.get_submodule(name)
        with calls([matrix]) as read, outputs([matrix]) as wrote:
            found_BTD = block(hidden_BTD, *call.more, **call.options)
        rest_BTD = found_BTD - wrote[0]  # what the layer would give without this matrix
        _fit(matrix, read[0].hidden.flatten(0, 1), (target_BTD - rest_BTD).flatten(0, 1))
        hidden_BTD = block(hidden_BTD, *call.more, **call.options)


def _fit(matrix: nn.Module, features_NF: Tensor, target_ND: Tensor) -> None:
    """Let `matrix` give `target_ND` for `features_NF` as nearly as a ridge allows."""
    linear = cast(Any, matrix)
    weight_FD = linear.weight if isinstance(matrix, Conv1D) else linear.weight.T
    error_ND = (target_ND - linear(features_NF)).double()
    features_NF = features_NF.double()
    if linear.bias is not None:
        features_NF = torch.cat((features_NF, torch.ones_like(features_NF[:, :1])), dim=1)
    square_FF = features_NF.T @ features_NF
    square_FF.diagonal().add_(PULL * float(square_FF.diagonal().mean()) or 1.0)  # a dead layer has no features at all
    change_FD = torch.linalg.solve(square_FF, features_NF.T @ error_ND, left=True).to(weight_FD.dtype)
    if linear.bias is not None:
        linear.bias.add_(change_FD[-1])
        change_FD = change_FD[:-1]
    weight_FD.add_(change_FD)
