"""Our dropout drops the share it was asked for, independently, reproducibly, and only while training."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mothertongue.model.dropout import dropout, keep_mask


@pytest.mark.parametrize("drop", [0.01, 0.1, 0.5, 0.9])
def test_the_share_that_is_dropped_is_the_one_asked_for(drop: float) -> None:
    torch.manual_seed(0)
    keep = keep_mask(torch.empty(4, 250_001), drop)
    for lane in (keep, *(keep.flatten()[start::4] for start in range(4))):  # a random number makes four elements
        spread = (drop * (1 - drop) / lane.numel()) ** 0.5
        assert abs(lane.float().mean().item() - (1 - drop)) < 5 * spread
    neighbours = keep[:, 1:].float() * keep[:, :-1].float()
    assert abs(neighbours.mean().item() - (1 - drop) ** 2) < 5 * spread


def test_what_is_kept_is_scaled_and_passes_its_gradient() -> None:
    layer = nn.Dropout(0.25)
    hidden = torch.full((50, 41), 3.0, requires_grad=True)
    result = dropout(layer, hidden)
    result.sum().backward()
    assert set(result.unique().tolist()) == {0.0, 4.0}
    torch.testing.assert_close(hidden.grad, result.detach() / 3)


def test_gradients_pass_torchs_own_check() -> None:
    def same_mask(hidden: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)
        return dropout(nn.Dropout(0.4), hidden)

    assert torch.autograd.gradcheck(same_mask, torch.randn(3, 5, dtype=torch.double, requires_grad=True))


def test_the_same_seed_drops_the_same() -> None:
    masks = []
    for _ in range(2):
        torch.manual_seed(7)
        masks.append(keep_mask(torch.empty(1001), 0.3))
    assert masks[0].equal(masks[1])
    assert not masks[0].equal(keep_mask(torch.empty(1001), 0.3))


@pytest.mark.parametrize(("drop", "training"), [(0.5, False), (0.0, True)])
def test_nothing_is_dropped_in_evaluation_or_at_zero(drop: float, training: bool) -> None:
    hidden, state = torch.randn(5), torch.get_rng_state()
    assert dropout(nn.Dropout(drop).train(training), hidden).equal(hidden)
    assert state.equal(torch.get_rng_state())


def test_everything_can_be_dropped() -> None:
    assert dropout(nn.Dropout(1.0), torch.randn(5)).equal(torch.zeros(5))
