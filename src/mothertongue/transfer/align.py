"""Rows from meaning, without a dictionary: a new token starts as a mixture of the source tokens that keep like company.

`anchors.py` brings the static vectors of the two languages together. Then the nearest source tokens of a target token
are known, and its row is the softmax mean of their rows, as in WECHSEL (Minixhofer et al. 2022, arXiv 2112.06598),
which takes fastText vectors and a bilingual dictionary for that. What rests on few occurrences is drawn towards the
mean row, and a short word of both languages, which may be a false friend, gets half its own row and half the mixture.
"""

# Axes: S source vocabulary, V target vocabulary, D dimensions of static vectors, W row

from __future__ import annotations

from torch import Tensor

from mothertongue.transfer.anchors import find_rotation, is_trustworthy, trusted_anchors
from mothertongue.transfer.mean import keep_shared
from mothertongue.transfer.methods import Material
from mothertongue.transfer.mixture import mixed_rows, softmax_of_nearest

HALF_BELIEVED = 12  # occurrences; fitted to the rows that shared tokens really have (docs/why/transfer.md)


def align(material: Material) -> Tensor:
    """Rows [V, W]: mixtures for new tokens, their own for shared ones that mean the same, both for the doubtful."""
    pair = material.vectors()
    rotation_DD = find_rotation(pair, trusted_anchors(pair, material))
    weigh = softmax_of_nearest(material.neighbours, material.temperature)
    mixed_VW = mixed_rows(pair.target.vectors @ rotation_DD, pair.source.vectors, material.source_rows, weigh)
    return keep_trusted(draw_to_mean(mixed_VW, pair.target.counts, material.source_rows), material)


def draw_to_mean(mixed_VW: Tensor, counts_V: Tensor, source_rows_SW: Tensor) -> Tensor:
    """Each mixture, drawn towards the mean row as far as its token is rare: count / (count + HALF_BELIEVED) is left."""
    mean_W = source_rows_SW.mean(dim=0)
    return mean_W + (counts_V / (counts_V + HALF_BELIEVED))[:, None] * (mixed_VW - mean_W)


def keep_trusted(rows_VW: Tensor, material: Material) -> Tensor:
    """Shared tokens with their own row, bit for bit; those that may mean something else half way between."""
    kept_VW = keep_shared(rows_VW.clone(), material)
    doubtful = [token for token in material.matches if not is_trustworthy(material.target_keys[token])]
    kept_VW[doubtful] = (kept_VW[doubtful] + rows_VW[doubtful]) / 2
    return kept_VW
