from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy
from mothertongue.transfer.calibrate import (
    calibrate,
    divergence,
    final_hidden,
    logit_change,
    predict,
    steady_direction,
    unigram,
)
from mothertongue.transfer.rows import set_vocabulary, vocabulary_rows

Build = Callable[[str], PreTrainedModel]
ANATOMIES = ("gpt2", "gpt2-untied", "llama", "llama-tied", "biased")
SIZE = 320


def zipf_windows() -> Tensor:
    """16 windows of 48 tokens in which token i is about as frequent as 1 / (i + 3)."""
    chance = 1 / (torch.arange(SIZE) + 3.0)
    return torch.multinomial(chance, 16 * 48, replacement=True, generator=torch.Generator().manual_seed(0)).reshape(
        16, 48
    )


def started(kind: str, build: Build, tokenizer: Tokenizer, *, common: float = 1.0) -> PreTrainedModel:
    """A model of this anatomy (or a tied one with a bias) with random rows that have `common` parts in common."""
    model = build("gpt2" if kind == "biased" else kind)
    if kind == "biased":
        anatomy(model).head.bias = torch.nn.Parameter(torch.randn(300))
    torch.manual_seed(1)
    width = vocabulary_rows(model, 1).shape[1]
    rows = torch.randn(SIZE, width) * 0.3 + common * torch.linspace(-0.5, 0.5, 16).repeat(3)[:width]
    set_vocabulary(model, rows, tokenizer)
    return model


def shares(windows: Tensor) -> Tensor:
    return unigram(torch.bincount(windows.flatten(), minlength=SIZE))


@pytest.mark.parametrize("kind", ANATOMIES)
def test_average_prediction_becomes_the_unigram_distribution(
    kind: str, build_model: Build, target_tokenizer: Tokenizer
) -> None:
    model, windows = started(kind, build_model, target_tokenizer), zipf_windows()
    done = calibrate(model, windows, shares(windows))
    found = predict(final_hidden(model, windows), anatomy(model).head, windows)
    assert divergence(shares(windows), found.average) == pytest.approx(done.divergence_after, abs=1e-6)
    assert done.divergence_after < 1e-4 < 0.1 < done.divergence_before


@pytest.mark.parametrize("kind", ANATOMIES)
def test_starting_loss_is_not_above_the_unigram_line(
    kind: str, build_model: Build, target_tokenizer: Tokenizer
) -> None:
    model, windows = started(kind, build_model, target_tokenizer), zipf_windows()
    done = calibrate(model, windows, shares(windows))
    assert done.loss_before > done.loss_unigram + 0.5
    assert done.loss_after <= done.loss_unigram + (0.3 if kind.startswith("llama") else 0.02)
    assert done.loss_unigram == pytest.approx(-float(shares(windows)[windows[:, 1:]].log().mean()), abs=1e-6)
    assert model(windows, labels=windows).loss.item() == pytest.approx(done.loss_after, abs=1e-4)


@pytest.mark.parametrize("kind", ANATOMIES)
def test_states_with_nothing_in_common_are_not_made_worse(
    kind: str, build_model: Build, target_tokenizer: Tokenizer
) -> None:
    model, windows = started(kind, build_model, target_tokenizer, common=0.0), zipf_windows()
    done = calibrate(model, windows, shares(windows))
    assert done.loss_after <= done.loss_before


@pytest.mark.parametrize("kind", ["gpt2-untied", "llama", "biased"])
def test_embeddings_stay_as_they_are_where_the_head_can_be_moved_alone(
    kind: str, build_model: Build, target_tokenizer: Tokenizer
) -> None:
    model = started(kind, build_model, target_tokenizer)
    before = anatomy(model).embeddings.weight.clone()
    calibrate(model, zipf_windows(), shares(zipf_windows()))
    assert torch.equal(anatomy(model).embeddings.weight, before)


def test_head_rows_move_in_one_direction_only(build_model: Build, target_tokenizer: Tokenizer) -> None:
    model = started("llama", build_model, target_tokenizer)
    before = anatomy(model).head.weight.clone()
    calibrate(model, zipf_windows(), shares(zipf_windows()))
    values = torch.linalg.svdvals(anatomy(model).head.weight - before)
    assert values[1] < 1e-4 * values[0]


def test_body_and_positions_are_kept(build_model: Build, target_tokenizer: Tokenizer) -> None:
    model = started("gpt2", build_model, target_tokenizer)
    own = ("wte", "head", "ln_f")  # rows, and the norm in which the share of the context stands
    before = {name: value.clone() for name, value in model.state_dict().items() if not any(o in name for o in own)}
    calibrate(model, zipf_windows(), shares(zipf_windows()))
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())


def test_calibrated_model_is_left_alone(build_model: Build, target_tokenizer: Tokenizer) -> None:
    model, windows = started("biased", build_model, target_tokenizer), zipf_windows()
    calibrate(model, windows, shares(windows), rounds=30)
    again = calibrate(model, windows, shares(windows))
    assert again.rounds == 0 and again.divergence_before == again.divergence_after < 1e-4


def test_steady_direction_avoids_where_states_differ() -> None:
    spread = torch.tensor([3.0, 1, 1, 1, 1, 1, 1, 0.1])
    hidden = torch.randn(500, 8, generator=torch.Generator().manual_seed(0)) * spread + 2
    direction, plain = steady_direction(hidden), hidden.mean(dim=0) / hidden.mean(dim=0).square().sum()
    assert 0.8 < float((hidden @ direction).mean()) < 1
    assert (hidden @ direction).std() < 0.9 * (hidden @ plain).std()


def test_logit_change_moves_frequent_tokens_least() -> None:
    wanted = torch.tensor([0.9, 0.05, 0.05], dtype=torch.float64)
    change = logit_change(wanted, torch.full((3,), 1 / 3, dtype=torch.float64))
    assert abs(float(change[0])) < abs(float(change[1]))
    assert torch.allclose(torch.softmax(change, dim=0), wanted.float())


def test_no_token_is_impossible() -> None:
    assert (unigram(torch.tensor([0, 10])) > 0).all()
