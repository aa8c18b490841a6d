from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mothertongue.transfer import mixture
from mothertongue.transfer.mixture import GROUP, largest, mixed_rows, softmax_of_nearest, sparsemax


def unit_vectors(count: int, size: int, *, seed: int = 5) -> Tensor:
    vectors = torch.randn(count, size, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(vectors, dim=1)


def test_mixture_of_one_neighbour_is_its_row() -> None:
    source, rows = unit_vectors(20, 6), torch.randn(20, 3)
    mixed = mixed_rows(source[[4, 9]], source, rows, softmax_of_nearest(1, 0.1))
    torch.testing.assert_close(mixed, rows[[4, 9]])


@pytest.mark.parametrize("weigh", [softmax_of_nearest(8, 0.1), sparsemax])
def test_mixture_stays_within_its_neighbours_rows(weigh: mixture.Weigh) -> None:
    source, rows = unit_vectors(50, 6), torch.randn(50, 3)
    mixed = mixed_rows(unit_vectors(9, 6, seed=1), source, rows, weigh)
    assert (mixed <= rows.max(dim=0).values + 1e-5).all() and (mixed >= rows.min(dim=0).values - 1e-5).all()


def test_token_without_a_vector_gets_the_mean_row_and_is_no_neighbour() -> None:
    source, rows = unit_vectors(20, 6), torch.randn(20, 3)
    source[4] = 0
    mixed = mixed_rows(torch.stack([torch.zeros(6), unit_vectors(20, 6)[4]]), source, rows, softmax_of_nearest(1, 0.1))
    torch.testing.assert_close(mixed[0], rows.mean(dim=0))
    assert not torch.allclose(mixed[1], rows[4])


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    source, target, rows = unit_vectors(50, 6), unit_vectors(70, 6, seed=2), torch.randn(50, 3)
    whole = mixed_rows(target, source, rows, sparsemax)
    monkeypatch.setattr(mixture, "BLOCK_FLOATS", 300)
    torch.testing.assert_close(mixed_rows(target, source, rows, sparsemax), whole)


@pytest.mark.parametrize("width", [3, GROUP * 20, GROUP * 23 + 17])
def test_largest_values_are_those_of_topk(width: int) -> None:
    values = torch.randn(9, width, generator=torch.Generator().manual_seed(0))
    values[:, -1] = 9.0
    found, expected = largest(values, 7), values.topk(min(7, width), dim=1)
    assert torch.equal(found.weights, expected.values) and torch.equal(found.chosen, expected.indices)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=300))
def test_sparsemax_is_the_nearest_distribution(cosines: list[float]) -> None:
    mix = sparsemax(torch.tensor([cosines]))
    weights = torch.zeros(len(cosines)).scatter_(0, mix.chosen[0], mix.weights[0])
    assert float(weights.sum()) == pytest.approx(1, abs=1e-4) and (weights >= 0).all()
    # the Karush-Kuhn-Tucker conditions: one threshold lies below what is used and above what is not
    threshold = (torch.tensor(cosines) - weights)[weights > 0]
    assert float(threshold.max() - threshold.min()) < 1e-4
    assert (torch.tensor(cosines)[weights == 0] <= threshold.min() + 1e-4).all()


def test_sparsemax_of_more_equal_cosines_than_are_looked_at_first_uses_all() -> None:
    mix = sparsemax(torch.full((2, 700), 0.3))
    torch.testing.assert_close(mix.weights.sum(dim=1), torch.ones(2))
    assert (mix.weights > 0).all() and mix.weights.shape == (2, 700)
