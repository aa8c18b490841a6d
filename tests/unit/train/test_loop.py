from __future__ import annotations

import itertools
import json
import math
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.model.anatomy import GROUPS, set_dropout
from mothertongue.model.compute import flop_per_token
from mothertongue.model.loss import next_token_loss
from mothertongue.run import memory
from mothertongue.train.config import TrainConfig
from mothertongue.train.data import Windows
from mothertongue.train.learner import Loss
from mothertongue.train.loop import fit
from mothertongue.train.schedule import Phase, phases

Maker = Callable[..., PreTrainedModel]
CONFIG = TrainConfig(batch_size=4, learning_rate=5e-3, save_minutes=9)


def log_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text("utf-8").splitlines()]


def test_training_lowers_the_loss(make_gpt2: Maker, windows: Windows, out: Path) -> None:
    model = make_gpt2(tied=False)
    fitted = fit(model, windows, phases(CONFIG, 60, 5e-3), CONFIG, out)
    losses = [line["loss"] for line in log_of(out)]
    assert losses[0] > math.log(320) - 0.5
    assert fitted.loss < losses[0] - 1.5
    assert (fitted.steps, fitted.tokens) == (60, 60 * 4 * 32)
    assert fitted.tokens_per_second == pytest.approx(fitted.tokens / fitted.seconds)
    assert not model.training


def test_long_sequences_cost_what_they_cost(make_gpt2: Maker, stream: np.ndarray, out: Path) -> None:
    model, config = make_gpt2(), replace(CONFIG, sequence_length=8, long_share=0.25)
    fitted = fit(model, Windows(stream, 8, seed=3), phases(config, 8, 5e-3, 32), config, out)
    cost = 6 * flop_per_token(model, GROUPS, 8) + 2 * flop_per_token(model, GROUPS, 32)
    assert fitted.tflop == pytest.approx(cost * 4 * 8 / 1e12)


def test_the_log_has_phases_losses_costs_and_scores(make_gpt2: Maker, windows: Windows, out: Path) -> None:
    model = make_gpt2()
    config = replace(CONFIG, embeddings_first=0.5, dev_scores=2)
    scores = iter([2.0, 1.5])
    fitted = fit(model, windows, phases(config, 4, 5e-3), config, out, score=lambda: next(scores))
    lines = log_of(out)
    assert [line["step"] for line in lines] == [1, 2, 2, 3, 4, 4]
    assert [line["phase"] for line in lines if "phase" in line] == ["embeddings"] * 2 + ["everything"] * 2
    assert [line["dev_bits_per_byte"] for line in lines if "dev_bits_per_byte" in line] == [2.0, 1.5]
    cost = 2 * (flop_per_token(model, ("embeddings",), 32) + flop_per_token(model, GROUPS, 32)) * 4 * 32 / 1e12
    assert lines[-2]["tflop"] == pytest.approx(cost, abs=1e-6)
    assert fitted.tflop == pytest.approx(cost)


def test_a_long_training_logs_no_more_than_it_needs(
    make_gpt2: Maker, windows: Windows, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mothertongue.train.loop.LOG_POINTS", 4)
    fit(make_gpt2(layers=1), windows, phases(CONFIG, 14, 1e-3), CONFIG, out)
    assert [line["step"] for line in log_of(out)] == [3, 6, 9, 12, 14]


def test_scoring_leaves_no_trace_in_the_training(make_gpt2: Maker, windows: Windows, tmp_path: Path) -> None:
    models = []
    for name, scores in (("without", 0), ("with", 3)):
        out = tmp_path / name
        out.mkdir()
        model = make_gpt2()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.2

        def score(model: PreTrainedModel = model) -> float:
            model.train(False)
            return 1.0

        config = replace(CONFIG, dev_scores=max(1, scores))
        fit(model, windows, phases(config, 6, 5e-3), config, out, score=score if scores else None)
        models.append(model.state_dict())
    assert all(torch.equal(tensor, models[1][name]) for name, tensor in models[0].items())


def test_gradients_are_clipped(make_gpt2: Maker, windows: Windows, out: Path) -> None:
    norms: list[float] = []
    model = make_gpt2()
    original = torch.optim.AdamW.step

    def watch(self: torch.optim.AdamW, *args: Any, **kwargs: Any) -> Any:
        grads = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        norms.append(float(torch.linalg.vector_norm(torch.stack([grad.norm() for grad in grads]))))
        return original(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", watch)
        config = replace(CONFIG, gradient_clip=0.01)
        fit(model, windows, phases(config, 3, 1e-3), config, out, loss=lambda m, t: 100 * next_token_loss(m, t))
    assert norms == pytest.approx([0.01] * 3, rel=1e-3)


def test_rates_and_momenta_follow_the_phase(make_gpt2: Maker, windows: Windows, out: Path) -> None:
    seen: list[tuple[float, float, float]] = []
    original = torch.optim.AdamW.step

    def watch(self: torch.optim.AdamW, *args: Any, **kwargs: Any) -> Any:
        rates = {group["name"]: group["lr"] for group in self.param_groups}
        seen.append((rates["top"], rates["embeddings"], self.param_groups[0]["betas"][0]))
        return original(self, *args, **kwargs)

    plan = (
        Phase("a", 2, {"embeddings": 1e-3}, lambda step, steps: (step + 1) / steps),
        Phase("b", 2, {"top": 1e-4, "embeddings": 1e-2}, lambda step, steps: 1.0, lambda step, steps: 0.8 + step / 100),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", watch)
        fit(make_gpt2(), windows, plan, CONFIG, out)
    expected = [(0.0, 5e-4, 0.9), (0.0, 1e-3, 0.9), (1e-4, 1e-2, 0.8), (1e-4, 1e-2, 0.81)]
    assert [pytest.approx(values) for values in expected] == seen


def breaking(bad: float, *calls: int) -> Loss:
    """A loss that is `bad` at these calls, counted from 0."""
    numbers = itertools.count()
    return lambda model, tokens: next_token_loss(model, tokens) * (bad if next(numbers) in calls else 1.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_batch_that_gives_no_number_is_left_out(make_gpt2: Maker, windows: Windows, out: Path, bad: float) -> None:
    fitted = fit(make_gpt2(), windows, phases(CONFIG, 6, 1e-3), CONFIG, out, loss=breaking(bad, 2))
    assert (fitted.steps, fitted.skipped) == (6, 1)
    lines = log_of(out)
    assert [line["skipped_batch"] for line in lines if "skipped_batch" in line] == [2]
    assert [line["step"] for line in lines if "loss" in line] == [1, 2, 3, 4, 5, 6]


def test_what_is_left_out_is_as_if_it_had_not_been_there(make_gpt2: Maker, windows: Windows, tmp_path: Path) -> None:
    with_it, without = make_gpt2(), make_gpt2()
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    fit(with_it, windows, phases(CONFIG, 4, 1e-3), CONFIG, tmp_path / "with", loss=breaking(math.nan, 0))

    class Later(Windows):
        def batch(self, step: int, size: int, length: int = 0) -> Tensor:
            return super().batch(step + 1, size, length)

    later = Later(windows.ids, windows.length, windows.seed)
    fit(without, later, phases(CONFIG, 4, 1e-3), CONFIG, tmp_path / "without")
    assert all(torch.equal(one, two) for one, two in zip(with_it.parameters(), without.parameters(), strict=True))


def test_a_broken_model_goes_back_to_the_last_state_and_on_behind_the_text_that_broke_it(
    make_gpt2: Maker, windows: Windows, out: Path
) -> None:
    config = replace(CONFIG, save_minutes=0.0)
    fitted = fit(make_gpt2(), windows, phases(config, 6, 1e-3), config, out, loss=breaking(math.nan, 3, 4, 5))
    assert (fitted.steps, fitted.skipped) == (6, 3)
    assert all(math.isfinite(line["loss"]) for line in log_of(out) if "loss" in line)


@pytest.mark.parametrize(("save_minutes", "first"), [(0.0, 2), (9.0, 2), (0.0, 0)])
def test_a_training_that_breaks_for_good_is_a_clear_error_and_keeps_its_sound_state(
    make_gpt2: Maker, windows: Windows, out: Path, save_minutes: float, first: int
) -> None:
    config = replace(CONFIG, save_minutes=save_minutes)
    with pytest.raises(CheckpointError, match=r"The loss is no number at batch \d+.*Lower learning_rate"):
        fit(make_gpt2(), windows, phases(config, 20, 1e-3), config, out, loss=breaking(math.nan, *range(first, 99)))
    states = [file.name for file in (out / "progress").glob("*")]
    assert sorted(states) == (
        [] if save_minutes or not first else ["step-00000001.safetensors", "step-00000002.safetensors"]
    )


def test_micro_batches_learn_the_same_to_rounding(make_gpt2: Maker, windows: Windows, tmp_path: Path) -> None:
    whole, parts = make_gpt2(), make_gpt2()
    for model, micro_batch in ((whole, 0), (parts, 3)):
        out = tmp_path / str(micro_batch)
        out.mkdir()
        config = replace(CONFIG, micro_batch=micro_batch)
        fit(model, windows, phases(config, 5, 1e-3), config, out)
    for one, two in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)


def test_a_processor_takes_few_tokens_at_a_time_and_learns_the_same(
    make_gpt2: Maker, windows: Windows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, losses = list[int](), list[float]()

    def loss(model: PreTrainedModel, tokens_BT: Tensor) -> Tensor:
        taken.append(len(tokens_BT))
        return next_token_loss(model, tokens_BT)

    for tokens in (10**6, 2 * windows.length + 1):
        monkeypatch.setattr(memory, "MICRO_TOKENS", tokens)
        out = tmp_path / str(tokens)
        out.mkdir()
        losses.append(fit(make_gpt2(), windows, phases(CONFIG, 1, 1e-3), CONFIG, out, loss=loss).loss)
    size = CONFIG.batch_size
    assert taken == [size, *[2] * (size // 2), *[1] * (size % 2)]
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_activations_computed_a_second_time_change_nothing(
    make_gpt2: Maker, make_llama: Maker, windows: Windows, tmp_path: Path, family: str
) -> None:
    weights = []
    for recompute in (False, True):
        model = set_dropout((make_gpt2 if family == "gpt2" else make_llama)(), 0.1)
        out = tmp_path / str(recompute)
        out.mkdir()
        config = replace(CONFIG, recompute=recompute)
        fit(model, windows, phases(config, 4, 1e-3), config, out)
        weights.append([parameter.detach() for parameter in model.parameters()])
    assert all(torch.equal(one, two) for one, two in zip(*weights, strict=True))


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C as in a terminal, also where the tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_ctrl_c_finishes_the_step_and_saves_it(make_gpt2: Maker, windows: Windows, tmp_path: Path) -> None:
    def press(step: int) -> None:
        if step == 3:
            signal.raise_signal(signal.SIGINT)

    whole, stopped = make_gpt2(), make_gpt2()
    for name in ("whole", "stopped"):
        (tmp_path / name).mkdir()
    fit(whole, windows, phases(CONFIG, 6, 1e-3), CONFIG, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(make_gpt2(), windows, phases(CONFIG, 6, 1e-3), CONFIG, tmp_path / "stopped", before_step=press)
    assert [file.name for file in (tmp_path / "stopped" / "progress").iterdir()] == ["step-00000004.safetensors"]
    fit(stopped, windows, phases(CONFIG, 6, 1e-3), CONFIG, tmp_path / "stopped")
    assert all(torch.equal(one, two) for one, two in zip(whole.parameters(), stopped.parameters(), strict=True))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("optimizer", ["adamw", "muon", "schedule-free"])
def test_every_optimizer_lowers_the_loss(make_gpt2: Maker, windows: Windows, out: Path, optimizer: str) -> None:
    if optimizer == "schedule-free":
        pytest.importorskip("schedulefree")
    config = replace(CONFIG, optimizer=optimizer)
    fitted = fit(make_gpt2(), windows, phases(config, 60, 5e-3), config, out)
    assert fitted.loss < log_of(out)[0]["loss"] - 1.0


def test_averaged_weights_are_what_is_scored_and_given(make_gpt2: Maker, windows: Windows, out: Path) -> None:
    model, start = make_gpt2(), make_gpt2()
    config = replace(CONFIG, average=0.5, dev_scores=1)
    weight = model.transformer.h[0].mlp.c_fc.weight
    seen: list[Tensor] = []
    trained: list[Tensor] = [start.transformer.h[0].mlp.c_fc.weight.detach().clone()]
    mean = trained[0].clone()

    def score() -> float:
        assert not model.training
        seen.append(weight.detach().clone())
        return 1.0

    fit(
        model, windows, phases(config, 3, 5e-3), config, out,
        before_step=lambda step: trained.append(weight.detach().clone()), score=score,
    )  # fmt: skip
    assert torch.equal(seen[0], weight)
    for step, after in enumerate(trained[2:], start=1):  # the weights after steps 1 and 2
        mean.lerp_(after, 1 - min(0.5, step / (step + 9)))
    assert not torch.allclose(weight, trained[-1])
    assert (weight - mean).abs().max() < (weight - trained[0]).abs().max()


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_trains_like_full_precision(
    make_gpt2: Maker, windows: Windows, tmp_path: Path, precision: str
) -> None:
    losses = []
    for name in ("float32", precision):
        out = tmp_path / name
        out.mkdir()
        config = replace(CONFIG, precision=name)
        model = make_gpt2()
        losses.append(fit(model, windows, phases(config, 25, 5e-3), config, out).loss)
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert losses[1] == pytest.approx(losses[0], abs=0.1)


def test_gradients_too_small_for_float16_are_not_lost(make_gpt2: Maker, windows: Windows, out: Path) -> None:
    config = replace(CONFIG, precision="float16", gradient_clip=0.0, weight_decay=0.0)
    model = make_gpt2()
    before = model.transformer.h[0].mlp.c_fc.weight.detach().clone()
    fit(model, windows, phases(config, 2, 1e-3), config, out, loss=lambda m, t: next_token_loss(m, t) * 1e-5)
    moved = (model.transformer.h[0].mlp.c_fc.weight - before).abs()
    assert (moved > 1e-4).float().mean() > 0.9  # AdamW moves every weight by about the rate, if it has a gradient
