"""The successor as it begins: which layers stand for which, and what they are before any training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from transformers import PreTrainedModel

from mothertongue.compress.bridge import fit_bridge
from mothertongue.compress.config import CompressConfig
from mothertongue.compress.influence import block_influence
from mothertongue.compress.layers import check_layers, even_groups, influence_groups, leaders
from mothertongue.compress.theseus import make_successor
from mothertongue.model.anatomy import anatomy
from mothertongue.model.loss import next_token_loss
from mothertongue.run.progress import say

UNSEEN = 4  # one of so many rows is kept back from the bridges, to compare them on


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
    kind = better_groups(config, predecessor, tokens_BT, layers) if config.groups == "auto" else config.groups
    asked = "influence" in (kind, config.initial)
    influence = block_influence(predecessor, tokens_BT) if asked else []
    groups = even_groups(count, layers) if kind == "even" else influence_groups(influence, layers)
    kept = leaders(groups, config.initial, influence)
    model = make_successor(predecessor, kept)
    if config.initial == "merged":
        merge_layers(model, predecessor, groups)
    if "bridge" in (config.initial, config.method):
        fit_bridge(model, predecessor, groups, tokens_BT)
    return Successor(model, groups, kept, influence)


def bridged(
    config: CompressConfig, predecessor: PreTrainedModel, tokens_BT: Tensor, layers: int, groups: str
) -> PreTrainedModel:
    """The successor of so many layers as a bridge, whatever `config` makes of it: what can be told without training."""
    asked = replace(config, method="distill", initial="bridge", layers=layers, groups=groups)
    return begin(asked, predecessor, tokens_BT).model


def better_groups(config: CompressConfig, predecessor: PreTrainedModel, tokens_BT: Tensor, layers: int) -> str:
    """The kind of groups whose bridge, fitted to most of `tokens_BT`, predicts the rest of it better."""
    if len(anatomy(predecessor).blocks) % layers:
        return "influence"
    kept_back = max(1, len(tokens_BT) // UNSEEN)
    seen_BT, unseen_BT = (tokens_BT[:-kept_back], tokens_BT[-kept_back:]) if len(tokens_BT) > 1 else (tokens_BT,) * 2
    losses = {}
    for kind in ("even", "influence"):
        with torch.no_grad():
            losses[kind] = float(next_token_loss(bridged(config, predecessor, seen_BT, layers, kind), unseen_BT))
    compared = ", ".join(f"{loss:.3f} with groups = {kind}" for kind, loss in losses.items())
    say(f"  {layers} layers without training: loss {compared}")
    return min(losses, key=losses.__getitem__)


@torch.no_grad()
def merge_layers(model: PreTrainedModel, predecessor: PreTrainedModel, groups: Sequence[range]) -> None:
    """Give each layer of `model` the mean weights of its group's layers."""
    old = [dict(block.named_parameters()) for block in anatomy(predecessor).blocks]
    for block, group in zip(anatomy(model).blocks, groups, strict=True):
        for name, weight in block.named_parameters():
            weight.copy_(torch.stack([old[index][name] for index in group]).mean(dim=0))
