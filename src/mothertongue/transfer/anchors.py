"""Which tokens of two vocabularies mean the same, and the rotation between their static vectors that follows from it.

Static vectors are counted in each language apart, so their axes do not agree. Tokens that both vocabularies have
(digits, punctuation, names, loans), cognates in another script, and what a dictionary says fix a first rotation
(orthogonal Procrustes, Schönemann 1966); then frequent tokens that are each other's nearest neighbours under CSLS
(Conneau et al. 2018, arXiv 1710.04087) join the anchors, round by round (self-learning as of Artetxe et al. 2017).
"""

# Axes: S source vocabulary, V target vocabulary, D dimensions of static vectors, A anchors, F frequent source tokens,
# G frequent target tokens

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mothertongue.transfer.cognates import cognates, is_latin
from mothertongue.transfer.methods import Material, VectorPair
from mothertongue.transfer.overlap import Key, is_word

FREQUENT = 1500  # tokens that may join the anchors: the vectors of rarer ones are too noisy to find each other
ROUNDS = 10
HUB_NEIGHBOURS = 10
LEAST_ANCHOR_COUNT = 20
SHORTEST_WORD = 4  # letters: "do", "on", "ten" are words of both languages and mean nothing alike


@dataclass(frozen=True)
class Anchors:
    """Tokens taken to mean the same: ids of the target, ids of the source, and how much each pair counts; all [A]."""

    target: Tensor
    source: Tensor
    weights: Tensor


def trusted_anchors(pair: VectorPair, material: Material) -> Anchors:
    """Shared tokens that probably mean the same, cognates where the script changes, and the dictionary's pairs.

    Each counts by the root of its frequency.
    Short words are false friends; all shared tokens are taken where they leave fewer anchors than there are dimensions.
    """
    shared = _known(pair, material.matches.items())
    others = _known(pair, [*other_script(material), *(material.translations().pairs if material.translations else ())])
    trusted = [match for match in shared if is_trustworthy(material.target_keys[match[0]])]
    if len(trusted) + len(others) < pair.target.vectors.shape[1]:
        trusted = shared
    return weighted_anchors(pair, [*trusted, *others])


def other_script(material: Material) -> list[tuple[int, int]]:
    """Cognates (target id, source id) whose target word has a letter that is not Latin.

    Languages of one script share their cognates, or enough of them, letter by letter (docs/why/transfer.md).
    """
    found = cognates(material.source_keys, material.target_keys)
    return [(target, source) for target, source in found if not is_latin(material.target_keys[target])]


def weighted_anchors(pair: VectorPair, matches: Sequence[tuple[int, int]]) -> Anchors:
    """(target id, source id) pairs as anchors that count by the root of the rarer one's frequency, 1 on average."""
    target_A, source_A = torch.tensor(matches, dtype=torch.long).reshape(-1, 2).unbind(dim=1)
    weights_A = torch.minimum(pair.target.counts[target_A], pair.source.counts[source_A]).sqrt()
    return Anchors(target_A, source_A, weights_A / weights_A.mean())


def _known(pair: VectorPair, matches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    target_counts, source_counts = pair.target.counts.tolist(), pair.source.counts.tolist()
    return [
        (target, source)
        for target, source in matches
        if min(target_counts[target], source_counts[source]) >= LEAST_ANCHOR_COUNT
    ]


def is_trustworthy(token: Key) -> bool:
    """Whether a token that two languages share is likely to mean the same in both: no letters, or several of them.

    >>> is_trustworthy(b" 1918"), is_trustworthy(b" internet"), is_trustworthy(b" on")
    (True, True, False)
    """
    if isinstance(token, str):  # the role of a special token
        return True
    text = token.decode("utf-8", "replace").strip()
    return "\ufffd" not in text and (not is_word(text) or len(text) >= SHORTEST_WORD)


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
