from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from mothertongue.errors import CheckpointError
from mothertongue.transfer.cooccurrence import count_pairs, positive_pmi
from mothertongue.transfer.static import (
    STATIC_VECTORS_FILE,
    StaticVectors,
    count_vectors,
    read_static_vectors,
    save_static_vectors,
    static_vectors,
    truncated_svd,
)

ANIMALS, FRUITS, EATS, GROWS = (1, 2, 3), (4, 5, 6), 7, 8
"""A language in which animals eat and fruits grow."""


def made_up_text(count: int = 400) -> list[list[int]]:
    rng = random.Random(0)
    return [
        [rng.choice(ANIMALS), EATS, 0, rng.choice(FRUITS), GROWS, 0, rng.choice(ANIMALS), EATS] for _ in range(count)
    ]


def test_tokens_of_like_company_are_near() -> None:
    vectors = static_vectors(made_up_text(), 10, 4, 1)
    cosines = vectors @ vectors.T
    assert cosines[1, 2] > 0.95 and cosines[4, 6] > 0.95
    assert cosines[1, 4] < 0.5


def test_vectors_are_of_unit_length_and_unknown_tokens_zero() -> None:
    lengths = static_vectors(made_up_text(), 10, 4, 1).norm(dim=1)
    torch.testing.assert_close(lengths[:9], torch.ones(9))
    assert lengths[9] == 0


def test_token_seen_too_rarely_is_unknown() -> None:
    assert not static_vectors([*made_up_text(), [9, EATS]], 10, 4, 1)[9].any()


def test_same_seed_gives_the_same_vectors() -> None:
    first, again = (count_vectors(made_up_text(), vocab_size=10, dimensions=4, seed=3) for _ in range(2))
    assert torch.equal(first.vectors, again.vectors)


def test_more_dimensions_than_tokens_are_filled_with_zeros() -> None:
    vectors = static_vectors(made_up_text(), 10, 32, 1)
    assert vectors.shape == (10, 32) and not vectors[:, 10:].any()


def test_no_text_gives_no_vectors() -> None:
    assert not static_vectors([], 10, 4, 2).any()


def test_truncated_svd_spans_what_the_full_svd_does() -> None:
    matrix = positive_pmi(count_pairs(made_up_text(), vocab_size=10, window=2))
    left, values, _ = torch.linalg.svd(matrix @ torch.eye(matrix.width), full_matrices=False)
    expected = left[:, :3] * values[:3].sqrt()
    found = truncated_svd(matrix, 3)
    torch.testing.assert_close(found @ found.T, expected @ expected.T, rtol=1e-3, atol=1e-3)


def test_saved_vectors_are_read_back(tmp_path: Path) -> None:
    vectors = count_vectors(made_up_text(), vocab_size=10, dimensions=4, window=3)
    save_static_vectors(vectors, tmp_path)
    again = read_static_vectors(tmp_path, vocab_size=10)
    assert again is not None and again.window == 3
    torch.testing.assert_close(again.vectors, vectors.vectors, rtol=0, atol=1e-3)
    assert torch.equal(again.counts, vectors.counts)


def test_vectors_of_8192_tokens_take_about_a_megabyte(tmp_path: Path) -> None:
    file = save_static_vectors(StaticVectors(torch.zeros(8192, 64), torch.zeros(8192), 2), tmp_path)
    assert file.stat().st_size < 1.1e6


def test_folder_without_vectors_has_none(tmp_path: Path) -> None:
    assert read_static_vectors(tmp_path, vocab_size=10) is None


def test_vectors_of_another_vocabulary_are_refused(tmp_path: Path) -> None:
    save_static_vectors(StaticVectors(torch.zeros(10, 4), torch.zeros(10), 2), tmp_path)
    with pytest.raises(CheckpointError, match=r"for 10 tokens.* has 11"):
        read_static_vectors(tmp_path, vocab_size=11)


@pytest.mark.parametrize(
    ("vectors", "counts", "window"),
    [
        (torch.zeros(10, 4), torch.zeros(10), 10**9),  # would take all memory
        (torch.zeros(10, 4), torch.zeros(10), 0),
        (torch.full((10, 4), torch.nan), torch.zeros(10), 2),
        (torch.zeros(10, 4), torch.full((10,), -1.0), 2),
        (torch.zeros(10, 4), torch.zeros(10, 1), 2),
    ],
)
def test_vectors_that_cannot_be_right_are_refused(
    tmp_path: Path, vectors: torch.Tensor, counts: torch.Tensor, window: int
) -> None:
    save_static_vectors(StaticVectors(vectors, counts, window), tmp_path)
    with pytest.raises(CheckpointError, match="has no vectors that can be used"):
        read_static_vectors(tmp_path, vocab_size=10)


def test_damaged_vectors_are_refused(tmp_path: Path) -> None:
    (tmp_path / STATIC_VECTORS_FILE).write_bytes(b"\xff" * 40)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_static_vectors(tmp_path, vocab_size=10)
