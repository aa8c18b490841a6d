from __future__ import annotations

import torch

from mothertongue.transfer.mean import mean, random
from mothertongue.transfer.methods import Material, VectorPair


def no_vectors() -> VectorPair:
    raise AssertionError("this method needs no static vectors")


def material(seed: int = 0) -> Material:
    rows = torch.randn(50, 4, generator=torch.Generator().manual_seed(1)) * torch.tensor([1.0, 2, 3, 4]) + 5
    return Material(rows, 20_000, {}, {}, {3: 7, 4: 0}, no_vectors, seed=seed)


def test_shared_token_keeps_its_row_exactly() -> None:
    rows = mean(material())
    assert torch.equal(rows[3], material().source_rows[7])
    assert torch.equal(rows[4], material().source_rows[0])


def test_other_tokens_get_the_mean_row() -> None:
    rows = mean(material())
    assert torch.equal(rows[0], material().source_rows.mean(dim=0))
    assert torch.equal(rows[0], rows[19_999])


def test_source_rows_are_not_changed() -> None:
    given = material()
    before = given.source_rows.clone()
    mean(given)
    assert torch.equal(given.source_rows, before)


def test_random_rows_have_the_sources_mean_and_deviation() -> None:
    rows, source = random(material()), material().source_rows
    torch.testing.assert_close(rows.mean(dim=0), source.mean(dim=0), rtol=0, atol=0.15)
    torch.testing.assert_close(rows.std(dim=0), source.std(dim=0), rtol=0.05, atol=0)


def test_random_rows_depend_on_the_seed_alone() -> None:
    assert torch.equal(random(material(1)), random(material(1)))
    assert not torch.equal(random(material(1)), random(material(2)))
