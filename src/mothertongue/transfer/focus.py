"""FOCUS (Dobler and de Melo 2023, arXiv 2305.14481): a new token is a mixture of the *shared* tokens it resembles.

Static vectors of the target tokens alone are needed, counted in text of the target language. The row of a new token is
the mean of the shared tokens' own rows, weighed by the sparsemax of its cosines to them. A token too rare to have a
vector gets a random row. The paper takes fastText for the vectors; these are `static.py`'s. Where the script changes,
little more than digits and punctuation is shared, and a word made of those is not worth much.
"""

# Axes: S source vocabulary, V target vocabulary, W row

from __future__ import annotations

import torch
from torch import Tensor

from mothertongue.transfer.mean import keep_shared, random
from mothertongue.transfer.methods import Material
from mothertongue.transfer.mixture import mixed_rows, sparsemax


def focus(material: Material) -> Tensor:
    """Rows [V, W]: shared tokens keep theirs, others get the sparsemax mixture of shared ones."""
    vectors_VD = material.target_vectors().vectors
    shared = torch.tensor(list(material.matches), dtype=torch.long)
    own = torch.tensor(list(material.matches.values()), dtype=torch.long)
    known_V = vectors_VD.any(dim=1)
    if not known_V[shared].any():
        return keep_shared(random(material), material)
    rows_VW = mixed_rows(vectors_VD, vectors_VD[shared], material.source_rows[own], sparsemax)
    rows_VW[~known_V] = random(material)[~known_V]
    return keep_shared(rows_VW, material)
