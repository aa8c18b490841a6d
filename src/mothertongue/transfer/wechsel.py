"""WECHSEL (Minixhofer et al. 2022, arXiv 2112.06598) on our static vectors: the baseline that has a dictionary.

The two languages' vectors are brought together by a bilingual dictionary alone, and every row is the softmax mean of
the rows of its nearest source tokens, also where both vocabularies have the token. A token without a vector gets a
random row. The paper takes fastText vectors of gigabytes, which give every word a vector; here a word counts if it is
one token of each vocabulary.
"""

# Axes: S source vocabulary, V target vocabulary, W row

from __future__ import annotations

import torch
from torch import Tensor

from mothertongue.errors import ConfigError
from mothertongue.transfer.anchors import Anchors, procrustes
from mothertongue.transfer.mean import random
from mothertongue.transfer.methods import Material
from mothertongue.transfer.mixture import mixed_rows, softmax_of_nearest


def wechsel(material: Material) -> Tensor:
    """Rows [V, W]: all are mixtures, but for special tokens and tokens without a vector."""
    if material.translations is None:
        raise ConfigError(
            'method = "wechsel" needs a dictionary to bring the languages together. Name one (--dictionary en-cs.tsv), '
            'or use method = "align", which needs none.'
        )
    pair = material.vectors()
    known = [
        (target, source)
        for target, source in material.translations().pairs
        if pair.target.vectors[target].any() and pair.source.vectors[source].any()
    ]
    if not known:
        raise ConfigError(
            f"None of the {len(material.translations().pairs):,} pairs of the dictionary stands in both texts. Give "
            'more text (max_megabytes), or use method = "align", which finds other anchors.'
        )
    target_A, source_A = torch.tensor(known, dtype=torch.long).reshape(-1, 2).unbind(dim=1)
    rotation_DD = procrustes(
        pair.target.vectors, pair.source.vectors, Anchors(target_A, source_A, torch.ones(len(known)))
    )
    weigh = softmax_of_nearest(material.neighbours, material.temperature)
    rows_VW = mixed_rows(pair.target.vectors @ rotation_DD, pair.source.vectors, material.source_rows, weigh)
    unknown_V = ~pair.target.vectors.any(dim=1)
    rows_VW[unknown_V] = random(material)[unknown_V]
    for token, own in material.matches.items():
        if isinstance(material.target_keys[token], str):  # special
            rows_VW[token] = material.source_rows[own]
    return rows_VW
