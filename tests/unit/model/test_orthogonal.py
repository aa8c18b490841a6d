from __future__ import annotations

import pytest
import torch

from mothertongue.model.orthogonal import _newton_schulz, orthogonal


@pytest.mark.parametrize("shape", [(24, 24), (40, 16), (16, 40)])
def test_orthogonal_brings_every_singular_value_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.min() > 0.3
    assert values.max() < 1.3


def test_orthogonal_agrees_with_torchs_in_lower_precision() -> None:
    from torch.optim._muon import _zeropower_via_newtonschulz

    matrix = torch.randn(16, 24, generator=torch.Generator().manual_seed(2))
    theirs = _zeropower_via_newtonschulz(matrix, (3.4445, -4.7750, 2.0315), 5, 1e-7)
    assert (orthogonal(matrix) - theirs.float()).abs().max() < 0.05


@pytest.mark.parametrize("shape", [(16, 64), (64, 16)])
def test_wide_matrices_are_turned_by_their_small_square_with_the_same_result(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    wide = matrix.double() if shape[0] < shape[1] else matrix.double().T
    iterated = _newton_schulz(wide / wide.norm(), 5)  # on the whole matrix, in float64
    torch.testing.assert_close(
        orthogonal(matrix).double(), iterated if shape[0] < shape[1] else iterated.T, rtol=0, atol=1e-4
    )
