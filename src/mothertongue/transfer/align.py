"""Rows from meaning, without a dictionary: a new token starts as a mixture of the source tokens that keep like company.

Static vectors are counted in both languages apart, so their axes do not agree. Tokens that both vocabularies have
(digits, punctuation, names, loans) fix the rotation between them (orthogonal Procrustes, Schönemann 1966). After it, the
nearest source tokens of a target token by cosine are known, and its row is the softmax mean of their rows, as in WECHSEL
(Minixhofer et al. 2022, arXiv 2112.06598), which needs fastText vectors and a bilingual dictionary for that.
"""

# Axes: S source vocabulary, V target vocabulary, D dimensions of static vectors, A anchors, K neighbours, W row

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mothertongue.transfer.mean import keep_shared
from mothertongue.transfer.methods import Material

BLOCK_ROWS = 2048
"""Target tokens compared with all source tokens at once: 2,048 x 50,257 cosines are 0.4 GB."""


def align(material: Material) -> Tensor:
    """Rows [V, W]: shared tokens keep theirs, tokens without static vector get the mean row, all others a mixture."""
    pair = material.vectors()
    source_SD, target_VD = pair.source.vectors_VD, pair.target.vectors_VD
    rotation_DD = procrustes(*anchors(source_SD, target_VD, material.matches))
    mixed_VW = nearest_mixture(
        target_VD @ rotation_DD,
        source_SD,
        material.source_rows_SW,
        neighbours=material.neighbours,
        temperature=material.temperature,
    )
    return keep_shared(mixed_VW, material)


def anchors(source_SD: Tensor, target_VD: Tensor, matches: Mapping[int, int]) -> tuple[Tensor, Tensor]:
    raise NotImplementedError


def procrustes(source_AD: Tensor, target_AD: Tensor) -> Tensor:
    """The rotation [D, D] that brings `target_AD @ rotation` nearest to `source_AD` in least squares."""
    left_DD, _, right_DD = torch.linalg.svd(target_AD.T @ source_AD)
    return left_DD @ right_DD


def nearest_mixture(
    target_VD: Tensor, source_SD: Tensor, source_rows_SW: Tensor, *, neighbours: int, temperature: float
) -> Tensor:
    """Softmax means [V, W] of the rows of the `neighbours` nearest source tokens by cosine; zero vectors are unknown."""
    known_S = source_SD.abs().sum(dim=1) > 0
    rows_VW = source_rows_SW.mean(dim=0).expand(len(target_VD), -1).clone()
    candidates_SD, candidate_rows_SW = source_SD[known_S], source_rows_SW[known_S]
    for wanted_B in (target_VD.abs().sum(dim=1) > 0).nonzero().flatten().split(BLOCK_ROWS):
        cosines_BS = target_VD[wanted_B] @ candidates_SD.T
        best = cosines_BS.topk(min(neighbours, len(candidates_SD)), dim=1)
        weights_BK = torch.softmax(best.values / temperature, dim=1)
        rows_VW[wanted_B] = torch.einsum("bk,bkw->bw", weights_BK, candidate_rows_SW[best.indices])
    return rows_VW
