"""Rows from meaning, without a dictionary: a new token starts as a mixture of the source tokens that keep like company.

Static vectors are counted in each language apart, so their axes do not agree. Tokens that both vocabularies have
(digits, punctuation, names, loans) fix a first rotation between them (orthogonal Procrustes, Schönemann 1966); then
frequent tokens that are each other's nearest neighbours under CSLS (Conneau et al. 2018, arXiv 1710.04087) join the
anchors, round by round (self-learning as of Artetxe et al. 2017). Then the nearest source tokens of a target token are
known, and its row is the softmax mean of their rows, as in WECHSEL (Minixhofer et al. 2022, arXiv 2112.06598), which
takes fastText vectors and a bilingual dictionary for that. What rests on few occurrences is drawn towards the mean row,
and a short word of both languages, which may be a false friend, gets half its own row and half the mixture.
"""

# Axes: S source vocabulary, V target vocabulary, D dimensions of static vectors, A anchors, K neighbours, W row,
# F frequent source tokens, G frequent target tokens, B target tokens of one block

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mothertongue.transfer.mean import keep_shared
from mothertongue.transfer.methods import Material, VectorPair
from mothertongue.transfer.overlap import Key

BLOCK_ROWS = 2048  # target tokens compared with all source tokens at once: 2,048 x 50,257 cosines are 0.4 GB
FREQUENT = 1500  # tokens that may join the anchors: the vectors of rarer ones are too noisy to find each other
ROUNDS = 10
HUB_NEIGHBOURS = 10
LEAST_ANCHOR_COUNT = 20
HALF_BELIEVED = 12  # occurrences; fitted to the rows that shared tokens really have (docs/why/transfer.md)
SHORTEST_WORD = 4  # letters: "do", "on", "ten" are words of both languages and mean nothing alike


@dataclass(frozen=True)
class Anchors:
    """Tokens taken to mean the same: ids of the target, ids of the source, and how much each pair counts; all [A]."""

    target: Tensor
    source: Tensor
    weights: Tensor


def align(material: Material) -> Tensor:
    """Rows [V, W]: mixtures for new tokens, their own for shared ones that mean the same, both for the doubtful."""
    pair = material.vectors()
    rotation_DD = find_rotation(pair, trusted_anchors(pair, material))
    mixed_VW = nearest_mixture(
        pair.target.vectors @ rotation_DD,
        pair.source.vectors,
        material.source_rows,
        neighbours=material.neighbours,
        temperature=material.temperature,
    )
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


def trusted_anchors(pair: VectorPair, material: Material) -> Anchors:
    """Shared tokens that probably mean the same, weighted by the root of their frequency.

    Short words are false friends; all shared tokens are taken where they leave fewer anchors than there are dimensions.
    """
    known = [
        (target, source)
        for target, source in material.matches.items()
        if min(pair.target.counts[target], pair.source.counts[source]) >= LEAST_ANCHOR_COUNT
    ]
    trusted = [match for match in known if is_trustworthy(material.target_keys[match[0]])]
    chosen = trusted if len(trusted) >= pair.target.vectors.shape[1] else known
    target_A, source_A = torch.tensor(chosen, dtype=torch.long).reshape(-1, 2).unbind(dim=1)
    weights_A = torch.minimum(pair.target.counts[target_A], pair.source.counts[source_A]).sqrt()
    return Anchors(target_A, source_A, weights_A / weights_A.mean())


def is_trustworthy(token: Key) -> bool:
    """Whether a token that two languages share is likely to mean the same in both: no letters, or several of them.

    >>> is_trustworthy(b" 1918"), is_trustworthy(b" internet"), is_trustworthy(b" on")
    (True, True, False)
    """
    if isinstance(token, str):  # the role of a special token
        return True
    text = token.decode("utf-8", "replace").strip()
    return "\ufffd" not in text and (not text.isalpha() or len(text) >= SHORTEST_WORD)


def find_rotation(pair: VectorPair, seeds: Anchors, *, rounds: int = ROUNDS) -> Tensor:
    """The rotation [D, D] from target axes to source axes: Procrustes on `seeds`, then with mutual neighbours added."""
    source_SD, target_VD = pair.source.vectors, pair.target.vectors
    rotation_DD = procrustes(target_VD, source_SD, seeds)
    frequent_F, frequent_G = most_frequent(pair.source.counts), most_frequent(pair.target.counts)
    for _ in range(rounds):
        pairs = mutual_neighbours(target_VD[frequent_G] @ rotation_DD, source_SD[frequent_F])
        target_A, source_A = frequent_G[pairs[:, 0]], frequent_F[pairs[:, 1]]
        joined = Anchors(
            torch.cat([seeds.target, target_A]),
            torch.cat([seeds.source, source_A]),
            torch.cat([seeds.weights, torch.ones(len(target_A))]),
        )
        rotation_DD = procrustes(target_VD, source_SD, joined)
    return rotation_DD


def procrustes(target_VD: Tensor, source_SD: Tensor, anchors: Anchors) -> Tensor:
    """The rotation [D, D] with `target @ rotation` nearest to `source` at the anchors, in weighted least squares."""
    weighted_AD = target_VD[anchors.target] * anchors.weights[:, None]
    left_DD, _, right_DD = torch.linalg.svd(weighted_AD.T @ source_SD[anchors.source])
    rotation_DD: Tensor = left_DD @ right_DD
    return rotation_DD


def most_frequent(counts_V: Tensor, most: int = FREQUENT) -> Tensor:
    """Ids of the `most` frequent tokens that are frequent enough to be anchors, the most frequent first."""
    order = counts_V.argsort(descending=True, stable=True)[:most]
    return order[counts_V[order] >= LEAST_ANCHOR_COUNT]


def mutual_neighbours(target_GD: Tensor, source_FD: Tensor) -> Tensor:
    """Index pairs [A, 2] (target, source) of tokens that are each other's nearest under CSLS.

    CSLS is the cosine less the mean cosine to one's own neighbours: hubs, which are near to everything, do not win.
    """
    cosines_GF = target_GD @ source_FD.T
    if not cosines_GF.numel():
        return torch.empty(0, 2, dtype=torch.long)
    hubs_F = cosines_GF.topk(min(HUB_NEIGHBOURS, len(target_GD)), dim=0).values.mean(dim=0)
    hubs_G = cosines_GF.topk(min(HUB_NEIGHBOURS, len(source_FD)), dim=1).values.mean(dim=1)
    scores_GF = 2 * cosines_GF - hubs_F - hubs_G[:, None]
    best_G, best_F = scores_GF.argmax(dim=1), scores_GF.argmax(dim=0)
    target_A = (best_F[best_G] == torch.arange(len(best_G))).nonzero().flatten()
    return torch.stack([target_A, best_G[target_A]], dim=1)


def nearest_mixture(
    target_VD: Tensor, source_SD: Tensor, source_rows_SW: Tensor, *, neighbours: int, temperature: float
) -> Tensor:
    """Softmax means [V, W] of the rows of the `neighbours` nearest source tokens by cosine.

    A zero vector is unknown: no source token without a vector is a neighbour, a target token without one gets the
    mean row.
    """
    known_S, known_V = source_SD.any(dim=1), target_VD.any(dim=1)
    rows_VW = source_rows_SW.mean(dim=0).expand(len(target_VD), -1).clone()
    candidates_SD, candidate_rows_SW = source_SD[known_S], source_rows_SW[known_S]
    if not len(candidates_SD):
        return rows_VW
    for block_B in torch.split(known_V.nonzero().flatten(), BLOCK_ROWS):
        best = (target_VD[block_B] @ candidates_SD.T).topk(min(neighbours, len(candidates_SD)), dim=1)
        weights_BK = torch.softmax(best.values / temperature, dim=1)
        rows_VW[block_B] = torch.einsum("bk,bkw->bw", weights_BK, candidate_rows_SW[best.indices])
    return rows_VW
