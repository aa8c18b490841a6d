"""FVT (Gee et al. 2022, arXiv 2402.09977): a new token is the mean of the pieces that the source writes it with.

No text is needed. In a script that the source vocabulary does not know, the pieces are single bytes.
"""

# Axes: V target vocabulary, W row

from __future__ import annotations

import torch
from torch import Tensor

from mothertongue.transfer.mean import keep_shared
from mothertongue.transfer.methods import Material


def subword(material: Material) -> Tensor:
    """Rows [V, W]: shared tokens keep theirs, others get the mean row of their pieces, or of all rows if none."""
    rows_VW = material.source_rows.mean(dim=0).expand(material.target_size, -1).clone()
    for token, key in material.target_keys.items():
        pieces = material.pieces(key) if isinstance(key, bytes) else ()
        if pieces:
            rows_VW[token] = material.source_rows[torch.tensor(pieces)].mean(dim=0)
    return keep_shared(rows_VW, material)
