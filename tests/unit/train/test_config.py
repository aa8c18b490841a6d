from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import GPT2LMHeadModel

from mothertongue.errors import ConfigError
from mothertongue.model.compute import flop_per_token, muon_flop
from mothertongue.run.settings import parse_settings
from mothertongue.train.config import OWN, TrainConfig
from mothertongue.train.data import Windows
from mothertongue.train.loop import phase_flop
from mothertongue.train.schedule import phases
from mothertongue.train.stage import TRIAL_STEPS, derive_steps, open_windows

Maker = Callable[..., GPT2LMHeadModel]


def steps_of(config: TrainConfig, model: GPT2LMHeadModel, windows: Windows) -> int:
    trial = phases(config, TRIAL_STEPS, 1e-3)
    return derive_steps(config, windows, trial, phase_flop(config, model, windows.length))


def test_steps_and_a_budget_together_are_refused() -> None:
    with pytest.raises(ConfigError, match="steps and budget_teraflop are both given"):
        TrainConfig(steps=5, budget_teraflop=1.0)


def test_a_plateau_without_room_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"warmup \+ decay = 1\.\d* is more than the whole training"):
        TrainConfig(warmup=0.7, decay=0.6)
    TrainConfig(warmup=0.7, decay=0.6, schedule="cosine")  # has no decay
    TrainConfig(warmup=0.7, decay=0.3)
    TrainConfig(warmup=0.9, decay=0.1)


@pytest.mark.parametrize(
    "values",
    [
        {"learning_rate": 2.0},
        {"learning_rate": -1e-3},
        {"batch_size": 0},
        {"preset": "modem"},
        {"schedule": "linear"},
        {"precision": "int8"},
        {"dropout": 1.0},
        {"beta1": 1.0},
        {"epochs": 0.0},
        {"learning_rate": float("nan")},
    ],
)
def test_impossible_settings_are_refused_by_name(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        parse_settings(TrainConfig, values)


@pytest.mark.parametrize("key", OWN)
def test_what_a_preset_decides_itself_cannot_be_given_with_it(key: str) -> None:
    value: Any = {"schedule": "cosine", "discriminative": 2.0}.get(key, 0.5)
    TrainConfig(**{key: value})
    with pytest.raises(ConfigError, match=f'preset = "guillou" has its own schedule, so {key} = {value!r} would do'):
        TrainConfig(preset="guillou", **{key: value})


def test_steps_win_over_epochs(make_gpt2: Maker, windows: Windows) -> None:
    assert steps_of(TrainConfig(steps=7, epochs=3.0), make_gpt2(), windows) == 7


def test_epochs_count_the_training_tokens(make_gpt2: Maker, windows: Windows) -> None:
    tokens = len(windows.ids)
    assert steps_of(TrainConfig(epochs=2.0, batch_size=4), make_gpt2(), windows) == round(2 * tokens / (4 * 32))
    assert steps_of(TrainConfig(epochs=0.001, batch_size=64), make_gpt2(), windows) == 1


@pytest.mark.parametrize("more", [{}, {"preset": "guillou"}, {"embeddings_first": 0.3}], ids=str)
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_budget_is_spent_to_within_two_percent(
    make_gpt2: Maker, windows: Windows, optimizer: str, more: dict[str, Any]
) -> None:
    model = make_gpt2()
    config = TrainConfig(budget_teraflop=0.05, batch_size=4, optimizer=optimizer, **more)
    steps = steps_of(config, model, windows)
    plan = phases(config, steps, 1e-3)
    spent = sum(flop_per_token(model, phase.rates, 32) * phase.steps * 4 * 32 for phase in plan)
    if optimizer == "muon":
        spent += sum(muon_flop(model, phase.rates) * phase.steps for phase in plan)
    assert spent == pytest.approx(0.05e12, rel=0.02)


def test_a_sequence_longer_than_the_context_is_refused(make_gpt2: Maker, tmp_path: Path) -> None:
    config = TrainConfig(sequence_length=33)
    with pytest.raises(ConfigError, match=r"sequence_length = 33 .* context of 32"):
        open_windows(config, make_gpt2(), None, tmp_path, tmp_path)  # type: ignore[arg-type]
