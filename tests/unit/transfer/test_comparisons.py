"""The methods that others have published, each against what its paper says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from torch import Tensor

from mothertongue.errors import ConfigError
from mothertongue.transfer.donor import clp, donor, matching_pursuit
from mothertongue.transfer.focus import focus
from mothertongue.transfer.methods import METHODS, Material, Translations, VectorPair
from mothertongue.transfer.normal import hull, normal
from mothertongue.transfer.overlap import token_keys
from mothertongue.transfer.pieces import piece_finder
from mothertongue.transfer.static import StaticVectors
from mothertongue.transfer.subword import subword
from mothertongue.transfer.wechsel import wechsel

S, V, D = 40, 30, 6
MATCHES = {0: 7, 3: 11, 5: 2, 8: 30, 9: 31, 12: 12, 13: 5}


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def static(count: int, *, seed: int) -> StaticVectors:
    vectors = torch.nn.functional.normalize(drawn(count, D, seed=seed), dim=1)
    vectors[-1] = 0  # too rare
    return StaticVectors(vectors, torch.full((count,), 100.0), 2)


@pytest.fixture
def material() -> Material:
    """40 source tokens, 30 target tokens of which the last has no vector and token 0 is special."""
    keys: dict[int, Any] = {i: f"t{i}".encode() for i in range(V)} | {0: "end of text"}
    pair = VectorPair(static(S, seed=2), static(V, seed=3))
    return Material(
        drawn(S, 4),
        V,
        {},
        keys,
        MATCHES,
        lambda: pair,
        neighbours=3,
        target_vectors=lambda: pair.target,
        pieces=lambda key: [int(key[1:]) % S, 1],
        donor_rows=lambda: torch.cat([drawn(V - 2, 9, seed=4), torch.zeros(2, 9)]),
        translations=lambda: Translations([(i, i) for i in range(14)]),
    )


@pytest.mark.parametrize("method", sorted(METHODS.own.keys() - {"random", "trim", "wechsel"}))
def test_shared_token_keeps_its_row_exactly(method: str, material: Material) -> None:
    rows = METHODS.load(method)(material)
    assert rows.shape == (V, 4) and torch.isfinite(rows).all()
    assert torch.equal(rows[list(MATCHES)], material.source_rows[list(MATCHES.values())])


@pytest.mark.parametrize("method", sorted(METHODS.own.keys() - {"trim"}))
def test_same_seed_gives_the_same_rows_and_the_source_is_not_changed(method: str, material: Material) -> None:
    before = material.source_rows.clone()
    first, again = METHODS.load(method)(material), METHODS.load(method)(material)
    assert torch.equal(first, again) and torch.equal(material.source_rows, before)


@pytest.mark.parametrize("method", sorted(METHODS.own.keys() - {"trim"}))
def test_nothing_shared_still_gives_rows(method: str, material: Material) -> None:
    rows = METHODS.load(method)(replace(material, matches={}))
    assert rows.shape == (V, 4) and torch.isfinite(rows).all()


def test_focus_is_the_sparsemax_mixture_of_shared_rows(material: Material) -> None:
    vectors = material.target_vectors().vectors
    cosines = vectors[20] @ vectors[list(MATCHES)].T
    low, high = -2.0, 2.0
    for _ in range(60):  # the threshold at which what stands above it adds up to one
        middle = (low + high) / 2
        low, high = (middle, high) if (cosines - middle).clamp_min(0).sum() > 1 else (low, middle)
    expected = (cosines - low).clamp_min(0) @ material.source_rows[list(MATCHES.values())]
    torch.testing.assert_close(focus(material)[20], expected, rtol=1e-4, atol=1e-5)


def test_focus_gives_a_token_without_a_vector_a_row_that_depends_on_the_seed(material: Material) -> None:
    rows, other = focus(material), focus(replace(material, seed=1))
    assert not torch.equal(rows[-1], other[-1]) and torch.equal(rows[:-1], other[:-1])


def test_subword_is_the_mean_of_the_pieces(material: Material) -> None:
    rows = subword(material)
    torch.testing.assert_close(rows[20], material.source_rows[[20, 1]].mean(dim=0))
    none = subword(replace(material, pieces=lambda key: ()))
    torch.testing.assert_close(none[20], material.source_rows.mean(dim=0))


def test_normal_rows_have_the_sources_mean_and_covariance(material: Material) -> None:
    rows = normal(replace(material, target_size=20_000, matches={}))
    torch.testing.assert_close(rows.mean(dim=0), material.source_rows.mean(dim=0), rtol=0, atol=0.05)
    torch.testing.assert_close(torch.cov(rows.T), torch.cov(material.source_rows.T), rtol=0, atol=0.08)


def test_hull_rows_lie_between_source_rows(material: Material) -> None:
    rows = hull(replace(material, target_size=500, matches={}))
    assert (rows <= material.source_rows.max(dim=0).values).all()
    assert (rows >= material.source_rows.min(dim=0).values).all()
    assert (rows.std(dim=0) > 0.1).all()


def test_wechsel_copies_special_tokens_only(material: Material) -> None:
    rows = wechsel(material)
    assert torch.equal(rows[0], material.source_rows[7])
    assert not torch.isclose(rows[3], material.source_rows[11]).all()


def test_wechsel_without_a_dictionary_says_what_to_do(material: Material) -> None:
    with pytest.raises(ConfigError, match=r"needs a dictionary.*--dictionary.*align"):
        wechsel(replace(material, translations=None))


def test_wechsel_with_a_dictionary_of_words_that_no_text_has_says_what_to_do(material: Material) -> None:
    with pytest.raises(ConfigError, match="None of the 0 pairs"):
        wechsel(replace(material, translations=lambda: Translations((), 0, {})))


def test_wechsel_finds_a_turned_language_by_its_dictionary(material: Material) -> None:
    rotation = torch.linalg.qr(drawn(D, D, seed=9)).Q
    source = static(S, seed=2)
    turned = StaticVectors((source.vectors @ rotation.T)[:V], source.counts[:V], 2)
    given = replace(material, vectors=lambda: VectorPair(source, turned), neighbours=1)
    torch.testing.assert_close(wechsel(given)[1:], material.source_rows[1:V])


def test_donor_finds_the_sum_that_a_row_is(material: Material) -> None:
    anchors = drawn(20, 9, seed=6)
    rows = torch.stack([2 * anchors[3] - anchors[7], anchors[11]])
    mix = matching_pursuit(rows, anchors, 6)
    torch.testing.assert_close((mix.weights[:, None] @ anchors[mix.chosen])[:, 0], rows, rtol=1e-3, atol=1e-3)
    assert {3, 7} <= set(mix.chosen[0].tolist()) and int(mix.chosen[1, 0]) == 11


def test_donor_with_two_equal_anchors_gives_finite_rows() -> None:
    anchors = drawn(3, 9, seed=6)[[0, 0, 1, 2]]
    assert torch.isfinite(matching_pursuit(drawn(5, 9), anchors, 4).weights).all()


@pytest.mark.parametrize("method", [donor, clp])
def test_model_that_is_its_own_donor_gives_the_mean_row_to_what_it_lacks(
    method: Callable[[Material], Tensor], material: Material
) -> None:
    rows = method(material)
    torch.testing.assert_close(rows[-2:], material.source_rows.mean(dim=0).expand(2, -1))


def test_donor_whose_rows_are_turned_source_rows_gives_the_source_rows(material: Material) -> None:
    """Five anchors span four dimensions, so the same sums make the same rows."""
    turned = torch.cat([material.source_rows[:V] @ torch.linalg.qr(drawn(4, 4)).Q])
    given = replace(material, donor_rows=lambda: turned, matches={i: i for i in range(10)}, neighbours=4)
    torch.testing.assert_close(donor(given), material.source_rows[:V], rtol=1e-3, atol=1e-3)


def test_clp_is_the_mean_weighted_by_cosines(material: Material) -> None:
    rows = material.donor_rows()
    shared = list(MATCHES)
    cosines = torch.nn.functional.cosine_similarity(rows[20], rows[shared]).clamp_min(0)
    expected = cosines / cosines.sum() @ material.source_rows[list(MATCHES.values())]
    torch.testing.assert_close(clp(material)[20], expected)


def test_pieces_of_a_byte_level_vocabulary_are_those_of_its_text(source_tokenizer: Tokenizer) -> None:
    find = piece_finder(source_tokenizer, token_keys(source_tokenizer))
    for text in (" river", "the", " hill7", "řeka", " "):
        assert find(text.encode()) == source_tokenizer.encode(text).ids
    assert len(find(b"\xc5")) == 1


def test_pieces_of_a_sentencepiece_vocabulary_have_no_space_added() -> None:
    from tokenizers import decoders, models, pre_tokenizers

    vocabulary = [
        ("<unk>", 0.0),
        ("<0xC5>", 0.0),
        ("▁", -2.0),
        ("▁the", -1.0),
        ("the", -1.5),
        ("m", -3.0),
        ("</s>", 0.0),
    ]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(["</s>"])
    find = piece_finder(tokenizer, token_keys(tokenizer))
    assert (find(b" the"), find(b"them"), find(b"\xc5")) == ([3], [4, 5], [1])
