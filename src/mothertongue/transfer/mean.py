"""Rows without knowing any meaning: `mean` and its control `random`.

`mean` is what Pierre Guillou did for GPorTuguese-2 (github.com/piegu/fastai-projects): a token that both vocabularies
have keeps its row, every other token starts as the mean of all rows.
"""

# Axes: S source vocabulary, V target vocabulary, W row

from __future__ import annotations

import torch
from torch import Tensor

from mothertongue.transfer.methods import Material


def mean(material: Material) -> Tensor:
    """Rows [V, W]: shared tokens keep theirs, all others get the mean row."""
    rows_VW = material.source_rows.mean(dim=0).expand(material.target_size, -1).clone()
    return keep_shared(rows_VW, material)


def random(material: Material) -> Tensor:
    """Rows [V, W] from a normal distribution with the mean and deviation of the source's rows, column by column."""
    deviation_W, mean_W = torch.std_mean(material.source_rows, dim=0)
    noise_VW = torch.randn(material.target_size, len(mean_W), generator=torch.Generator().manual_seed(material.seed))
    return mean_W + deviation_W * noise_VW


def keep_shared(rows_VW: Tensor, material: Material) -> Tensor:
    """`rows_VW` with the source's own row, bit for bit, for every shared token. Changes its argument."""
    if material.matches:
        rows_VW[list(material.matches)] = material.source_rows[list(material.matches.values())]
    return rows_VW
