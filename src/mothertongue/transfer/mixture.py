"""Rows as mixtures of known rows: which ones, and how much of each, is told by the cosines of static vectors.

Cosines of all pairs would not fit into memory, so they are taken in blocks of target tokens; a `Weigh` says what of a
block is used: the softmax of the nearest few (WECHSEL, align) or the sparsemax of all (FOCUS).
"""

# Axes: S source tokens, V target tokens, D dimensions of static vectors, B target tokens of one block, K chosen ones,
# W row, M cosines, G groups of them

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

BLOCK_FLOATS = 1 << 25  # cosines at once: 0.13 GB
GROUP = 64  # columns whose largest is looked at before any other
SUPPORT = 128  # largest cosines that sparsemax looks at first


@dataclass(frozen=True)
class Mix:
    """What each token of a block is made of: indices of rows and their weights, both [B, K]."""

    chosen: Tensor
    weights: Tensor


Weigh = Callable[[Tensor], Mix]  # cosines [B, S] -> Mix


def mixed_rows(target_VD: Tensor, source_SD: Tensor, source_rows_SW: Tensor, weigh: Weigh) -> Tensor:
    """Mixtures [V, W] of `source_rows_SW`, weighed by the cosines of unit vectors.

    A zero vector is unknown: no source token without a vector takes part, a target token without one gets the mean row.
    """
    known_S, known_V = source_SD.any(dim=1), target_VD.any(dim=1)
    rows_VW = source_rows_SW.mean(dim=0).expand(len(target_VD), -1).clone()
    candidates_S = known_S.nonzero().flatten()
    if not len(candidates_S):
        return rows_VW
    candidates_DS = source_SD[candidates_S].T.contiguous()
    for block_B in torch.split(known_V.nonzero().flatten(), max(1, BLOCK_FLOATS // len(candidates_S))):
        mix = weigh(target_VD[block_B] @ candidates_DS)
        rows_VW[block_B] = torch.nn.functional.embedding_bag(
            candidates_S[mix.chosen], source_rows_SW, per_sample_weights=mix.weights, mode="sum"
        )
    return rows_VW


def softmax_of_nearest(neighbours: int, temperature: float) -> Weigh:
    """The softmax of the largest `neighbours` cosines over `temperature`."""

    def weigh(cosines_BS: Tensor) -> Mix:
        found = largest(cosines_BS, neighbours)
        return Mix(found.chosen, torch.softmax(found.weights / temperature, dim=1))

    return weigh


def sparsemax(cosines_BS: Tensor) -> Mix:
    """The distribution nearest to the cosines (Martins and Astudillo 2016, algorithm 1): most of it is exactly zero."""
    most = SUPPORT
    while True:
        found = largest(cosines_BS, most)
        sums_BK = found.weights.cumsum(dim=1)
        places_K = torch.arange(1, found.weights.shape[1] + 1, device=cosines_BS.device)
        support_B = (1 + places_K * found.weights > sums_BK).sum(dim=1, keepdim=True)
        if most >= cosines_BS.shape[1] or int(support_B.max()) < most:
            break
        most *= 4
    threshold_B = (sums_BK.gather(1, support_B - 1) - 1) / support_B
    return Mix(found.chosen, (found.weights - threshold_B).clamp_min(0))


def largest(values_BM: Tensor, most: int) -> Mix:
    """The `most` largest values of each row, falling, and their places; fewer if there are fewer.

    The largest few lie in the few groups whose own largest is largest, so nearly all values are read once only.
    """
    height, width = values_BM.shape
    whole = width // GROUP
    if whole <= 2 * most:
        found = values_BM.topk(min(most, width), dim=1)
        return Mix(found.indices, found.values)
    tops_BG = values_BM[:, : whole * GROUP].view(height, whole, GROUP).amax(dim=2)
    groups_BK = tops_BG.topk(most, dim=1).indices
    places = (groups_BK[:, :, None] * GROUP + torch.arange(GROUP, device=values_BM.device)).flatten(1)
    rest = torch.arange(whole * GROUP, width, device=values_BM.device).expand(height, -1)
    places = torch.cat([places, rest], dim=1)
    found = values_BM.gather(1, places).topk(most, dim=1)
    return Mix(places.gather(1, found.indices), found.values)
