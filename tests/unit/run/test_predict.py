"""A training's speed and memory are predicted by a few terms, whose costs short trainings on this machine tell."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from mothertongue.errors import ArtifactError
from mothertongue.run.derive import GPT2_SMALL, Shape
from mothertongue.run.machine import Machine
from mothertongue.run.predict import BYTES, SECONDS, fit, predict, total

COSTS = {
    **{"products": 4e-12, "elements": 5e-9, "elements_llama": 3e-9, "attention": 1e-10, "scores": 3e-9},
    **{"logits": 5e-9, "parameters": 4e-9, "gradients": 1e-9, "dropout": 1e-9, "attention_dropout": 1e-8, "step": 1e-3},
}
MACHINE = Machine(
    COSTS, {"elements": 9.3, "attention_dropout": 12.0, "hidden": 9.0, "head": 4.0}, 350, heap_megabytes=50
)
SHAPE = Shape(layers=6, hidden_size=256, context=512, heads=4, vocab_size=8192)


def test_the_fit_finds_the_costs_that_made_the_times() -> None:
    from mothertongue.model.probe import LOADS

    sizes = [
        (Shape(layers, width, length, heads, words, llama=family == "llama", dropout=dropout), n * length, length)
        for family, layers, width, heads, words, n, length, dropout in LOADS
    ]
    found = fit(sizes, [total(SECONDS, COSTS, *size) for size in sizes], SECONDS)
    assert found == pytest.approx(COSTS, rel=1e-6)


def test_no_cost_is_below_zero_however_noisy_the_times() -> None:
    sizes = [(replace(SHAPE, layers=layers, hidden_size=64 * layers), 512, 128) for layers in range(1, 9)]
    times = [total(SECONDS, COSTS, *size) * (1.3 if size[0].layers % 2 else 0.7) for size in sizes]
    assert min(fit(sizes, times, SECONDS).values()) >= 0


def test_times_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ArtifactError, match="Try again"):
        fit([(SHAPE, 512, 128)], [-1.0], {"step": SECONDS["step"]})


@pytest.mark.parametrize(
    "larger",
    [{"layers": 7}, {"hidden_size": 320}, {"vocab_size": 9000}, {"block_weights": 10**6}, {"dropout": 0.1}],
    ids=lambda change: next(iter(change)),
)
def test_a_larger_model_is_slower_and_needs_no_less_memory(larger: dict[str, int]) -> None:
    change = {"block_weights": 0, **larger}
    small, large = predict(SHAPE, 8, 256, MACHINE), predict(replace(SHAPE, **change), 8, 256, MACHINE)  # type: ignore[arg-type]
    assert large.tokens_per_second < small.tokens_per_second
    assert large.megabytes > small.megabytes


def test_longer_sequences_cost_attention_and_larger_batches_memory_up_to_what_is_computed_at_a_time() -> None:
    few, short, long, wide = (predict(SHAPE, *size, MACHINE) for size in ((2, 256), (8, 256), (4, 512), (16, 256)))
    assert long.tokens_per_second < short.tokens_per_second < wide.tokens_per_second
    assert few.megabytes < short.megabytes == wide.megabytes


def test_a_teacher_costs_its_forward_pass_and_its_weights() -> None:
    alone, taught = predict(SHAPE, 8, 256, MACHINE), predict(SHAPE, 8, 256, MACHINE, teacher=SHAPE)
    assert taught.tokens_per_second == pytest.approx(alone.tokens_per_second / 1.4, rel=0.03)
    assert taught.megabytes - alone.megabytes > 4e-6 * SHAPE.parameters


def test_gpt2_small_has_its_known_size() -> None:
    assert GPT2_SMALL.parameters == pytest.approx(124.4e6, rel=0.01)
    assert set(BYTES) - set(SECONDS) == {"hidden", "head"}


def test_predicting_imports_no_torch() -> None:
    code = "import sys, mothertongue.run.predict, mothertongue.run.plan; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
