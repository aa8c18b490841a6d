from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mothertongue.transfer import cooccurrence
from mothertongue.transfer.cooccurrence import CONTEXT_SMOOTHING, Pairs, SparseRows, count_pairs, positive_pmi

SIZE = 5


def counted_slowly(streams: list[list[int]], window: int) -> dict[int, float]:
    counts: Counter[int] = Counter()
    for ids in streams:
        for left in range(len(ids)):
            for right in range(left + 1, min(left + window, len(ids) - 1) + 1):
                counts[ids[left] * SIZE + ids[right]] += (window + 1 - (right - left)) / window  # type: ignore[assignment]
    return dict(counts)


def dense(matrix: SparseRows) -> torch.Tensor:
    return matrix @ torch.eye(matrix.width)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, SIZE - 1), max_size=12), max_size=6), st.integers(1, 4))
def test_counts_equal_those_of_a_plain_loop(streams: list[list[int]], window: int) -> None:
    pairs = count_pairs(streams, vocab_size=SIZE, window=window)
    expected = counted_slowly(streams, window)
    assert dict(zip(pairs.keys.tolist(), pairs.weights.tolist(), strict=True)) == pytest.approx(expected)
    assert pairs.tokens.sum() == sum(map(len, streams))


def test_small_chunks_change_nothing_between_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = np.random.default_rng(0).integers(0, SIZE, (20, 10))
    whole = count_pairs(streams, vocab_size=SIZE, window=3)
    monkeypatch.setattr(cooccurrence, "CHUNK_TOKENS", 30)
    parts = count_pairs(streams, vocab_size=SIZE, window=3)
    assert (whole.keys == parts.keys).all()
    np.testing.assert_allclose(whole.weights, parts.weights, rtol=1e-5)


def test_pmi_equals_its_formula_on_a_dense_matrix() -> None:
    pairs = count_pairs([[0, 1, 2, 1, 0, 3, 3, 2, 0, 1]], vocab_size=SIZE, window=2)
    right = np.zeros((SIZE, SIZE))
    right[pairs.keys // SIZE, pairs.keys % SIZE] = pairs.weights
    counts = np.concatenate([right.T, right], axis=1)  # contexts to the left, then to the right
    context = counts.sum(axis=0) ** CONTEXT_SMOOTHING
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.log(counts / counts.sum(axis=1, keepdims=True) / (context / context.sum()))
    expected = np.where(counts > 0, np.maximum(expected, 0), 0)
    np.testing.assert_allclose(dense(positive_pmi(pairs)).numpy(), expected, rtol=1e-4, atol=1e-6)


def test_transposed_is_the_transpose() -> None:
    matrix = positive_pmi(count_pairs([[0, 1, 2, 1, 0, 3, 3, 2]], vocab_size=SIZE, window=2))
    assert torch.equal(dense(matrix.transposed()), dense(matrix).T)


def test_no_text_gives_an_empty_matrix() -> None:
    pairs = count_pairs([], vocab_size=SIZE, window=2)
    assert isinstance(pairs, Pairs) and not dense(positive_pmi(pairs)).any()
