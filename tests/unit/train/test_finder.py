from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.model.anatomy import set_dropout
from mothertongue.train.config import TrainConfig
from mothertongue.train.data import Windows
from mothertongue.train.finder import Found, draw_finder, find_learning_rate, suggest_rate
from mothertongue.train.loop import fit
from mothertongue.train.schedule import phases
from mothertongue.train.stage import train

Maker = Callable[..., PreTrainedModel]


def test_the_found_rate_trains_better_than_a_much_lower_and_a_much_higher_one(
    make_gpt2: Maker, windows: Windows, tmp_path: Path
) -> None:
    found = find_learning_rate(make_gpt2(), windows, TrainConfig(batch_size=4)).learning_rate
    assert 1e-4 < found < 0.1
    losses = []
    for number, rate in enumerate((found / 30, found, min(1.0, found * 100))):
        out = tmp_path / str(number)
        out.mkdir()
        config = TrainConfig(batch_size=4, save_minutes=9)
        losses.append(fit(make_gpt2(), windows, phases(config, 40, rate), config, out).loss)
    assert losses[1] < losses[0] - 0.2
    assert losses[1] < losses[2]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_trained_models_rate_is_not_lost_in_the_noise_of_batches(
    make_gpt2: Maker, windows: Windows, out: Path, seed: int
) -> None:
    # it has little left to learn: one batch is harder than another by more than a step can change
    model = make_gpt2(width=32)
    config = TrainConfig(batch_size=8, save_minutes=9)
    fit(model, windows, phases(config, 150, 1e-2), config, out)
    found = find_learning_rate(model, Windows(windows.ids, windows.length, seed), TrainConfig(batch_size=2))
    assert 3e-5 < found.learning_rate < 1e-2


def test_the_search_changes_neither_the_model_nor_the_random_state(make_gpt2: Maker, windows: Windows) -> None:
    model = set_dropout(make_gpt2(), 0.2).eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(5)
    state = torch.get_rng_state()
    find_learning_rate(model, windows, TrainConfig(batch_size=2), steps=8)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.training
    assert torch.equal(torch.get_rng_state(), state)


def test_the_same_search_finds_the_same(make_gpt2: Maker, windows: Windows) -> None:
    model = set_dropout(make_gpt2(), 0.2)
    first = find_learning_rate(model, windows, TrainConfig(batch_size=2), steps=20)
    torch.manual_seed(77)
    assert find_learning_rate(model, windows, TrainConfig(batch_size=2), steps=20) == first


def test_the_suggestion_is_where_the_loss_falls_fastest_well_below_the_lowest_loss() -> None:
    rates = [10.0**-i for i in range(6, 0, -1)]
    assert suggest_rate(rates, [9.0, 8.9, 8.5, 6.0, 5.5, 7.0]) == 1e-3
    assert suggest_rate(rates, [9.0, 8.9, 8.8, 8.6, 5.0, 7.0]) == pytest.approx(1e-3)  # a tenth of 1e-2


def test_where_nothing_is_left_to_learn_the_rate_is_a_tenth_of_the_highest_harmless_one() -> None:
    rates = [10.0**-i for i in range(6, 0, -1)]
    assert suggest_rate(rates, [4.0, 3.999, 3.998, 4.001, 4.02, 5.0]) == pytest.approx(1e-3)


@pytest.mark.parametrize("losses", [[5.0], [5.0, 5.1], [5.0, 6.0, 7.0], [5.0, 4.0]])
def test_a_short_or_rising_search_gives_a_small_rate(losses: list[float]) -> None:
    rates = [1e-6, 1e-5, 1e-4][: len(losses)]
    assert 0 < suggest_rate(rates, losses) <= 1e-5


def test_noise_at_tiny_rates_is_not_taken_for_learning() -> None:
    rates = [1e-6 * 10 ** (i / 10) for i in range(55)]
    noisy = [8.0 + (0.3 if i == 0 else 0.0) - 2 / (1 + math.exp(-(i - 35) / 2)) for i in range(45)]
    noisy += [6.0 + 0.4 * i for i in range(10)]
    assert 1e-4 < suggest_rate(rates, noisy) < 1e-2


def test_a_model_that_is_broken_from_the_start_is_an_error(make_gpt2: Maker, windows: Windows) -> None:
    model = make_gpt2()
    with torch.no_grad():
        model.transformer.ln_f.weight.fill_(math.nan)
    with pytest.raises(CheckpointError, match="loss is nan"):
        find_learning_rate(model, windows, TrainConfig(batch_size=2))


def test_a_search_that_diverges_stops_early_and_its_figures_are_numbers(make_gpt2: Maker, windows: Windows) -> None:
    found = find_learning_rate(make_gpt2(), windows, TrainConfig(batch_size=2), lowest=1e-4, highest=1e4, steps=40)
    assert len(found.rates) == len(found.losses) < 40
    assert all(math.isfinite(loss) for loss in found.losses)


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    draw_finder(Found((1e-4, 1e-3, 1e-2), (5.0, 4.0, 6.0), 1e-4), tmp_path / "finder.png")
    assert (tmp_path / "finder.png").read_bytes().startswith(b"\x89PNG")


def test_the_stage_finds_a_rate_once_and_a_killed_run_uses_it_again(
    story_checkpoint: Path, story_corpus: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrainConfig(steps=4, batch_size=2, learning_rate=0.0, dev_kilobytes=0.0, dropout=0.1)
    first = train(config, out, checkpoint=story_checkpoint, corpus=story_corpus)
    assert json.loads((out / "finder.json").read_text())["learning_rate"] == first["learning_rate"]
    again = out.with_name("again.partial")
    again.mkdir()
    (again / "finder.json").write_bytes((out / "finder.json").read_bytes())
    monkeypatch.setattr("mothertongue.train.stage.find_learning_rate", None)
    assert (
        train(config, again, checkpoint=story_checkpoint, corpus=story_corpus)["learning_rate"]
        == first["learning_rate"]
    )
    assert (again / "model.safetensors").read_bytes() == (out / "model.safetensors").read_bytes()


def test_the_preset_with_rates_of_its_own_searches_for_none(
    story_checkpoint: Path, story_corpus: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mothertongue.train.stage.find_learning_rate", None)
    config = TrainConfig(preset="guillou", steps=5, batch_size=1, learning_rate=0.0, dev_kilobytes=0.0)
    assert train(config, out, checkpoint=story_checkpoint, corpus=story_corpus)["learning_rate"] == 2e-3
