"""Rows by way of another model that has the target vocabulary already: only the two embeddings have to be brought
together, and tokens that both vocabularies have stand in both.

`donor`: each token's row in the donor is written as a sum of a few shared tokens' rows, found by orthogonal matching
pursuit, and the same sum of the source's rows is its row (Goddard and Fernandes Neto 2025, arXiv 2506.06607).
`clp`: all shared tokens, weighed by their cosines in the donor (CLP-Transfer, Ostendorff and Rehm 2023, 2301.09626).
"""

# Axes: V target vocabulary, A anchors (shared tokens that the donor has), W row, E the donor's row, B tokens of one
# block, K chosen anchors

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mothertongue.transfer.mean import keep_shared
from mothertongue.transfer.methods import Material
from mothertongue.transfer.mixture import Mix

BLOCK_ROWS = 512
RIDGE = 1e-6


def donor(material: Material) -> Tensor:
    """Rows [V, W]: shared tokens keep theirs, others get the sum that orthogonal matching pursuit finds.

    `neighbours` shared tokens are in each sum. A token that the donor does not have gets the mean row.
    """

    def combine(rows_BE: Tensor, anchors_AE: Tensor, own_AW: Tensor) -> Tensor:
        mix = matching_pursuit(rows_BE, anchors_AE, material.neighbours)
        return torch.nn.functional.embedding_bag(mix.chosen, own_AW, per_sample_weights=mix.weights, mode="sum")

    return _by_donor(material, combine)


def clp(material: Material) -> Tensor:
    """Rows [V, W]: shared tokens keep theirs, others the mean of all of those, weighed by cosines in the donor.

    A cosine below zero counts nothing: the weights of the paper then add up to one and none is huge.
    """

    def combine(rows_BE: Tensor, anchors_AE: Tensor, own_AW: Tensor) -> Tensor:
        unit_BE, unit_AE = (torch.nn.functional.normalize(rows, dim=1) for rows in (rows_BE, anchors_AE))
        cosines_BA = (unit_BE @ unit_AE.T).clamp_min(0)
        return torch.nn.functional.normalize(cosines_BA, p=1.0, dim=1) @ own_AW

    return _by_donor(material, combine)


def matching_pursuit(rows_BE: Tensor, anchors_AE: Tensor, most: int) -> Mix:
    """Sums of at most `most` anchors near to each row: the anchor most like what is left of the row joins, and all
    coefficients are found anew by least squares.
    """
    unit_AE = torch.nn.functional.normalize(anchors_AE, dim=1)
    most = min(most, len(anchors_AE))
    chosen_BK = torch.empty(len(rows_BE), 0, dtype=torch.long)
    weights_BK = rows_BE.new_empty(len(rows_BE), 0)
    left_BE = rows_BE
    for _ in range(most):
        likeness_BA = (left_BE @ unit_AE.T).abs_().scatter_(1, chosen_BK, -1.0)
        chosen_BK = torch.cat([chosen_BK, likeness_BA.argmax(dim=1, keepdim=True)], dim=1)
        basis_BKE = anchors_AE[chosen_BK]
        gram_BKK = basis_BKE @ basis_BKE.mT
        gram_BKK.diagonal(dim1=1, dim2=2).mul_(1 + RIDGE).add_(1e-12)  # two anchors may have one and the same row
        weights_BK = torch.linalg.solve(gram_BKK, basis_BKE @ rows_BE[:, :, None])[:, :, 0]
        left_BE = rows_BE - (weights_BK[:, None] @ basis_BKE)[:, 0]
    return Mix(chosen_BK, weights_BK)


def _by_donor(material: Material, combine: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Tensor:
    donor_VE = material.donor_rows()
    rows_VW = material.source_rows.mean(dim=0).expand(material.target_size, -1).clone()
    new_V = donor_VE.any(dim=1)
    shared = [token for token in material.matches if new_V[token]]
    if not shared:
        return keep_shared(rows_VW, material)
    new_V[shared] = False
    own_AW = material.source_rows[[material.matches[token] for token in shared]]
    for block_B in torch.split(new_V.nonzero().flatten(), BLOCK_ROWS):
        rows_VW[block_B] = combine(donor_VE[block_B], donor_VE[shared], own_AW)
    return keep_shared(rows_VW, material)
