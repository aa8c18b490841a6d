"""The successor as it begins: which layers stand for which, and what they are before any training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from mothertongue.compress.bridge import fit_bridge
from mothertongue.compress.config import CompressConfig
from mothertongue.compress.influence import block_influence
from mothertongue.compress.layers import check_layers, even_groups, influence_groups, leaders
from mothertongue.compress.theseus import make_successor
from mothertongue.model.anatomy import anatomy


@dataclass(frozen=True)
class Successor:
    """A model with fewer layers, and how it came about."""

    model: PreTrainedModel
    groups: list[range]  # layers of the predecessor that each layer stands for
    kept: list[int]  # the layer that each began as
    influence: list[float]  # of the predecessor's layers; empty if nobody asked for it


def begin(config: CompressConfig, predecessor: PreTrainedModel, tokens_BT: Tensor) -> Successor:
    """The successor that `config` describes; `tokens_BT` is text to look at. A function of its arguments alone."""
    count = len(anatomy(predecessor).blocks)
    layers = check_layers(count, config.layers, config.groups)
    asked = "influence" in (config.groups, config.initial)
    influence = block_influence(predecessor, tokens_BT) if asked else []
    groups = even_groups(count, layers) if config.groups == "even" else influence_groups(influence, layers)
    kept = leaders(groups, config.initial, influence)
    model = make_successor(predecessor, kept)
    if config.initial == "merged":
        merge_layers(model, predecessor, groups)
    if "bridge" in (config.initial, config.method):
        fit_bridge(model, predecessor, groups, tokens_BT)
    return Successor(model, groups, kept, influence)


@torch.no_grad()
def merge_layers(model: PreTrainedModel, predecessor: PreTrainedModel, groups: Sequence[range]) -> None:
    """Give each layer of `model` the mean weights of its group's layers."""
    old = [dict(block.named_parameters()) for block in anatomy(predecessor).blocks]
    for block, group in zip(anatomy(model).blocks, groups, strict=True):
        for name, weight in block.named_parameters():
            weight.copy_(torch.stack([old[index][name] for index in group]).mean(dim=0))
