from __future__ import annotations

import random
from dataclasses import replace

import torch
from torch import Tensor

from mothertongue.transfer.align import HALF_BELIEVED, align, draw_to_mean, keep_trusted, mapped_rows
from mothertongue.transfer.anchors import (
    Anchors,
    find_rotation,
    is_trustworthy,
    most_frequent,
    mutual_neighbours,
    procrustes,
    trusted_anchors,
)
from mothertongue.transfer.methods import Material, Translations, VectorPair
from mothertongue.transfer.static import StaticVectors, count_vectors


def random_rotation(size: int) -> Tensor:
    matrix = torch.randn(size, size, generator=torch.Generator().manual_seed(7))
    return torch.linalg.qr(matrix).Q


def unit_vectors(count: int, size: int) -> Tensor:
    vectors = torch.randn(count, size, generator=torch.Generator().manual_seed(5))
    return torch.nn.functional.normalize(vectors, dim=1)


def paired(source: Tensor, target: Tensor) -> VectorPair:
    often = torch.arange(len(source), 0, -1).float() + 100
    return VectorPair(StaticVectors(source, often, 2), StaticVectors(target, often[: len(target)], 2))


def material(pair: VectorPair, matches: dict[int, int]) -> Material:
    """Source rows that follow from the vectors, as far as those tell."""
    size = pair.source.vectors.shape[1]
    rows = 3.0 + pair.source.vectors @ torch.randn(size, 3, generator=torch.Generator().manual_seed(3))
    keys = {i: str(i).encode() for i in range(len(pair.target.vectors))}
    return Material(rows, len(pair.target.vectors), keys, keys, matches, lambda: pair)


def test_procrustes_finds_the_rotation() -> None:
    source, rotation = unit_vectors(30, 6), random_rotation(6)
    anchors = Anchors(torch.arange(12), torch.arange(12), torch.ones(12))
    torch.testing.assert_close(procrustes(source @ rotation.T, source, anchors), rotation, rtol=1e-4, atol=1e-5)


def test_anchor_that_counts_nothing_does_no_harm() -> None:
    source, rotation = unit_vectors(30, 6), random_rotation(6)
    anchors = Anchors(torch.arange(12), torch.tensor([29, *range(1, 12)]), torch.tensor([0.0, *[1.0] * 11]))
    torch.testing.assert_close(procrustes(source @ rotation.T, source, anchors), rotation, rtol=1e-4, atol=1e-5)


def test_mutual_neighbours_repair_a_rotation_from_too_few_anchors() -> None:
    source, rotation = unit_vectors(200, 8), random_rotation(8)
    pair = paired(source, source @ rotation.T)
    few = Anchors(torch.arange(6), torch.arange(6), torch.ones(6))  # 8 are needed
    assert not torch.allclose(find_rotation(pair, few, rounds=0), rotation, atol=1e-3)
    torch.testing.assert_close(find_rotation(pair, few), rotation, rtol=1e-3, atol=1e-4)


def test_mutual_neighbours_of_a_vocabulary_with_itself_are_the_tokens_themselves() -> None:
    vectors = unit_vectors(40, 6)
    assert torch.equal(mutual_neighbours(vectors, vectors), torch.arange(40).repeat(2, 1).T)


def test_shared_token_keeps_its_row_exactly() -> None:
    source = unit_vectors(40, 6)
    given = material(paired(source, source[:30]), {2: 11, 5: 5})
    rows = align(given)
    assert torch.equal(rows[2], given.source_rows[11]) and torch.equal(rows[5], given.source_rows[5])


def test_short_shared_word_lies_between_its_own_row_and_the_new_one() -> None:
    source = unit_vectors(40, 6)
    given = material(paired(source, source[:30]), {2: 11, 3: 12})
    given = replace(given, target_keys={**given.target_keys, 2: b" on"})
    rows = keep_trusted(torch.zeros(30, 3), given)
    torch.testing.assert_close(rows[2], given.source_rows[11] / 2)
    assert torch.equal(rows[3], given.source_rows[12])


def test_the_rarer_a_token_the_nearer_it_is_to_the_mean_row() -> None:
    rows, new = torch.randn(50, 3), torch.randn(3, 3)
    drawn = draw_to_mean(new, torch.tensor([0.0, HALF_BELIEVED, 1e9]), rows)
    torch.testing.assert_close(drawn[0], rows.mean(dim=0))
    torch.testing.assert_close(drawn[1], (rows.mean(dim=0) + new[1]) / 2)
    torch.testing.assert_close(drawn[2], new[2])


def test_nothing_shared_still_gives_rows() -> None:
    source = unit_vectors(40, 6)
    assert torch.isfinite(align(material(paired(source, source[:30]), {}))).all()


def test_rows_are_those_of_the_map_that_the_source_follows() -> None:
    vectors = unit_vectors(60, 6)
    given = material(paired(vectors[:40], vectors[40:]), {})
    expected = 3.0 + vectors @ torch.randn(6, 3, generator=torch.Generator().manual_seed(3))
    rows = mapped_rows(vectors, given.vectors().source, given.source_rows)
    torch.testing.assert_close(rows, expected, rtol=5e-3, atol=5e-3)


def test_new_rows_lie_as_far_apart_as_the_sources_own_where_vectors_tell_half_of_them() -> None:
    vectors = unit_vectors(4000, 6)
    source = StaticVectors(vectors, torch.full((4000,), 100.0), 2)
    told = vectors @ torch.randn(6, 3, generator=torch.Generator().manual_seed(3))
    rows = told + told.std() * torch.randn(4000, 3, generator=torch.Generator().manual_seed(4))
    mapped = mapped_rows(vectors, source, rows)
    torch.testing.assert_close(mapped.var(dim=0).sum(), rows.var(dim=0).sum(), rtol=0.01, atol=0.0)
    torch.testing.assert_close(mapped.mean(dim=0), rows.mean(dim=0), rtol=0.0, atol=0.02)


def test_a_source_token_that_is_unknown_or_rare_hardly_bends_the_map() -> None:
    vectors = unit_vectors(60, 6)
    given = material(paired(vectors, vectors), {})
    source, rows = given.vectors().source, given.source_rows.clone()
    expected = mapped_rows(vectors, source, rows)
    rows[7] = 1e6
    counts = source.counts.clone()
    counts[7] = 0
    torch.testing.assert_close(
        mapped_rows(vectors, replace(source, counts=counts), rows), expected, rtol=0.02, atol=0.05
    )


def test_vectors_unknown_everywhere_give_the_mean_row() -> None:
    given = material(paired(torch.zeros(40, 6), torch.zeros(30, 6)), {})
    torch.testing.assert_close(align(given), given.source_rows.mean(dim=0).expand(30, 3))


def test_short_shared_words_are_no_anchors() -> None:
    assert [is_trustworthy(key) for key in (b" on", b"1918", b",", b" internet", " tří".encode(), b"\xc5", "pad")] == [
        False, True, True, True, False, False, True
    ]  # fmt: skip


def test_rare_shared_tokens_are_no_anchors() -> None:
    vectors = StaticVectors(unit_vectors(4, 2), torch.tensor([100.0, 25, 19, 0]), 2)
    pair = VectorPair(vectors, vectors)
    anchors = trusted_anchors(pair, material(pair, {0: 0, 1: 1, 2: 2, 3: 3}))
    assert anchors.target.tolist() == anchors.source.tolist() == [0, 1]
    torch.testing.assert_close(anchors.weights, torch.tensor([100.0, 25.0]).sqrt() / 7.5)


def test_pairs_of_a_dictionary_are_anchors_beside_shared_tokens() -> None:
    vectors = StaticVectors(unit_vectors(4, 2), torch.tensor([100.0, 25, 19, 30]), 2)
    pair = VectorPair(vectors, vectors)
    given = replace(material(pair, {0: 0}), translations=lambda: Translations([(1, 3), (2, 1)]))
    anchors = trusted_anchors(pair, given)  # the second pair is too rare
    assert anchors.target.tolist() == [0, 1] and anchors.source.tolist() == [0, 3]


def test_dictionary_turns_a_language_that_shares_nothing() -> None:
    source, rotation = unit_vectors(200, 8), random_rotation(8)
    pair = paired(source, source @ rotation.T)
    given = replace(material(pair, {}), translations=lambda: Translations([(i, i) for i in range(12)]))
    drawn = draw_to_mean(given.source_rows, pair.target.counts, given.source_rows)
    torch.testing.assert_close(align(given), drawn, rtol=0.02, atol=0.02)


def test_most_frequent_tokens_come_first_and_rare_ones_never() -> None:
    assert most_frequent(torch.tensor([30.0, 5, 100, 40]), 2).tolist() == [2, 3]
    assert most_frequent(torch.tensor([30.0, 5, 100, 40]), 9).tolist() == [2, 3, 0]


def test_renamed_language_finds_its_words_again() -> None:
    """The same made-up grammar in two languages that share only digits and punctuation."""
    rng = random.Random(0)
    words = 24
    chance = [[rng.random() ** 6 for _ in range(words)] for _ in range(words)]
    stream = [0]
    for _ in range(40_000):
        stream.append(rng.choices(range(words), chance[stream[-1]])[0])
    renamed = {i: i if i < 8 else words + 7 - i for i in range(words)}
    source = count_vectors([stream[:20_000]], vocab_size=words, dimensions=12, window=1)
    target = count_vectors([[renamed[i] for i in stream[20_000:]]], vocab_size=words, dimensions=12, window=1)
    pair = VectorPair(source, target)
    given = replace(material(pair, {i: i for i in range(8)}), source_rows=source.vectors)
    expected = torch.tensor([words + 7 - i if i >= 8 else i for i in range(words)])
    nearest = torch.cdist(align(given), given.source_rows).argmin(dim=1)
    assert (nearest == expected).float().mean() > 0.8
