"""Random rows that are like the source's: `normal` shares their mean and covariance, `hull` lies between them.

`normal` is what Hewitt 2021 (nlp.stanford.edu/~johnhew/vocab-expansion.html) argues for; that a start inside the convex
hull of the known rows is as good as cleverer ones is what Mundra et al. 2024 (arXiv 2407.05841) measure. Unlike
`random`, both keep the rows of shared tokens, so what the other methods add to that is what they know of the language.
"""

# Axes: S source vocabulary, V target vocabulary, W row

from __future__ import annotations

import torch
from torch import Tensor

from mothertongue.transfer.mean import keep_shared
from mothertongue.transfer.methods import Material


def normal(material: Material) -> Tensor:
    """Rows [V, W]: shared tokens keep theirs, others are drawn from the normal distribution of the source's rows."""
    mean_W = material.source_rows.mean(dim=0)
    values_W, vectors_WW = torch.linalg.eigh(torch.cov(material.source_rows.T.double()))
    root_WW = (vectors_WW * values_W.clamp_min(0).sqrt()).T.float()
    noise_VW = torch.randn(material.target_size, len(mean_W), generator=_generator(material))
    return keep_shared(mean_W + noise_VW @ root_WW, material)


def hull(material: Material) -> Tensor:
    """Rows [V, W]: shared tokens keep theirs, others lie anywhere between `neighbours` source rows drawn by lot."""
    shape = (material.target_size, min(material.neighbours, len(material.source_rows)))
    generator = _generator(material)
    chosen_VK = torch.randint(len(material.source_rows), shape, generator=generator)
    shares_VK = torch.empty(shape).exponential_(generator=generator)  # shares of exponentials: uniform in the simplex
    rows_VW = torch.nn.functional.embedding_bag(
        chosen_VK, material.source_rows, per_sample_weights=shares_VK / shares_VK.sum(dim=1, keepdim=True), mode="sum"
    )
    return keep_shared(rows_VW, material)


def _generator(material: Material) -> torch.Generator:
    return torch.Generator().manual_seed(material.seed)
