"""Rows from meaning, without a dictionary: what a row is of the company its token keeps is learnt from the source.

`anchors.py` brings the static vectors of the two languages together. The source's own tokens then show how a row
follows from a static vector (a linear map, by least squares), and the map gives each target token its row. Its rows lie
closer together than the source's, for a static vector does not tell all of a row; they are spread as far as those.
What rests on few occurrences is drawn towards the mean row, and a short word of both languages, which may be a false
friend, gets half its own row and half the new one.
"""

# Axes: S source vocabulary, V target vocabulary, D dimensions of static vectors, W row

from __future__ import annotations

import torch
from torch import Tensor

from mothertongue.transfer.anchors import find_rotation, is_trustworthy, trusted_anchors
from mothertongue.transfer.mean import keep_shared
from mothertongue.transfer.methods import Material
from mothertongue.transfer.static import StaticVectors

HALF_BELIEVED = 12  # occurrences
RIDGE = 1e-3  # of the vectors' mean variance: the map exists even if they span fewer dimensions than they have


def align(material: Material) -> Tensor:
    """Rows [V, W]: new ones for new tokens, their own for shared ones that mean the same, both for the doubtful."""
    pair = material.vectors()
    rotation_DD = find_rotation(pair, trusted_anchors(pair, material))
    new_VW = mapped_rows(pair.target.vectors @ rotation_DD, pair.source, material.source_rows)
    return keep_trusted(draw_to_mean(new_VW, pair.target.counts, material.source_rows), material)


def mapped_rows(vectors_VD: Tensor, source: StaticVectors, source_rows_SW: Tensor) -> Tensor:
    """Rows [V, W] of `vectors_VD` by the linear map that gives `source` its own, spread as far as those are.

    Source tokens count by the root of their frequency. A zero vector is unknown: it gets the mean row.
    """
    weights_S = source.counts.sqrt() * source.vectors.any(dim=1)
    if not weights_S.any():
        return source_rows_SW.mean(dim=0).expand(len(vectors_VD), -1).clone()
    weights_S = weights_S / weights_S.sum()
    middle_D, middle_W = weights_S @ source.vectors, weights_S @ source_rows_SW
    vectors_SD, rows_SW = source.vectors - middle_D, source_rows_SW - middle_W
    weighted_DS = (vectors_SD * weights_S[:, None]).T
    covariance_DD = weighted_DS @ vectors_SD
    covariance_DD.diagonal().add_(RIDGE * covariance_DD.diagonal().mean() + 1e-12)
    map_DW: Tensor = torch.linalg.solve(covariance_DD, weighted_DS @ rows_SW)
    spread, reached = (weights_S @ rows.square().sum(dim=1) for rows in (rows_SW, vectors_SD @ map_DW))
    stretch = (spread / reached.clamp_min(1e-12)).sqrt()
    rows_VW: Tensor = middle_W + stretch * ((vectors_VD - middle_D) @ map_DW)
    rows_VW[~vectors_VD.any(dim=1)] = source_rows_SW.mean(dim=0)
    return rows_VW


def draw_to_mean(rows_VW: Tensor, counts_V: Tensor, source_rows_SW: Tensor) -> Tensor:
    """Each row, drawn towards the mean row as far as its token is rare: count / (count + HALF_BELIEVED) is left."""
    mean_W = source_rows_SW.mean(dim=0)
    return mean_W + (counts_V / (counts_V + HALF_BELIEVED))[:, None] * (rows_VW - mean_W)


def keep_trusted(rows_VW: Tensor, material: Material) -> Tensor:
    """Shared tokens with their own row, bit for bit; those that may mean something else half way between."""
    kept_VW = keep_shared(rows_VW.clone(), material)
    doubtful = [token for token in material.matches if not is_trustworthy(material.target_keys[token])]
    kept_VW[doubtful] = (kept_VW[doubtful] + rows_VW[doubtful]) / 2
    return kept_VW
