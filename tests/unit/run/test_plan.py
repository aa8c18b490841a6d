"""A plan is a recipe that runs as it stands, with numbers that follow from hours, text, base and machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mothertongue.errors import ArtifactError, ConfigError, SourceError
from mothertongue.run import plan as plan_room
from mothertongue.run.derive import (
    GPT2_SMALL,
    Prediction,
    Shape,
    derive,
    fitting_batch,
    heldout_share,
    learning_rate,
    read_shape,
    shape_from,
    vocabulary_for,
)
from mothertongue.run.machine import Machine, memory_megabytes
from mothertongue.run.plan import write_plan
from mothertongue.run.predict import predict
from mothertongue.run.recipe import parse_recipe

SMALL = Shape(layers=6, hidden_size=256, context=512)
LAPTOP = Machine(
    seconds={"products": 5e-12, "elements": 5e-9, "attention": 2e-10, "logits": 5e-9, "parameters": 4e-9, "step": 1e-3},
    bytes={"elements": 9.3, "hidden": 9.0, "head": 4.0},
    base_megabytes=350,
    heap_megabytes=50,
)


def predicted(shape: Shape, batch_size: int, teacher: Shape | None) -> Prediction:
    return predict(shape, batch_size, shape.context, LAPTOP, teacher=teacher)


@pytest.fixture(autouse=True)
def _known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_room, "measure_machine", lambda seconds: LAPTOP)


@pytest.fixture
def base(tmp_path: Path) -> str:
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"n_layer": 6, "n_embd": 256, "n_positions": 512}))
    return str(folder)


@pytest.fixture
def text(tmp_path: Path) -> str:
    (tmp_path / "a.txt").write_bytes(b"x" * 3_000_000)
    return str(tmp_path / "*.txt")


def configs(recipe: str) -> dict[str, Any]:
    return {step.name: step.config for step in parse_recipe(recipe).steps}


def test_a_plan_is_a_whole_recipe_with_reasons(base: str, text: str) -> None:
    recipe = write_plan("cs", hours=1, sources=(text,), base=base)
    steps = configs(recipe)
    assert list(steps) == [
        *("corpus", "tokenizer", "transfer", "train", "evaluate", "compress", "evaluate-small", "export")
    ]
    assert steps["train"].budget_teraflop > steps["compress"].budget_teraflop > 0
    assert steps["train"].learning_rate > steps["compress"].learning_rate > 0
    assert steps["compress"].layers == 3
    assert steps["tokenizer"].vocab_size == 4096
    assert steps["corpus"].sources[0].path == text
    for key in ("vocab_size", "budget_teraflop", "batch_size", "learning_rate", "layers", "heldout_share"):
        lines = [line for line in recipe.splitlines() if line.startswith(key)]
        assert lines and all("#" in line for line in lines), key
    for words in ("200 GFLOP/s", "tokens/s", "0.65 hours of it", "MB of memory"):
        assert words in recipe


@pytest.mark.parametrize(("hours", "initial"), [(8, "bridge"), (0.01, "ends")])
def test_a_brief_compression_pays_for_no_bridge(base: str, hours: float, initial: str) -> None:
    assert configs(write_plan("any", hours=hours, sources=(), base=base))["compress"].initial == initial


def test_the_exported_report_is_that_of_the_compressed_model(base: str, text: str) -> None:
    steps = parse_recipe(write_plan("cs", hours=1, sources=(text,), base=base)).steps
    assert steps[-1].inputs == {"checkpoint": "compress", "report": "evaluate-small"}


def test_without_sources_it_says_what_to_change(base: str) -> None:
    recipe = write_plan("any", hours=8, sources=(), base=base)
    assert "CHANGE THIS" in recipe
    assert "no --source yet" in recipe


def test_a_base_on_the_hub_is_not_downloaded_for_a_plan() -> None:
    recipe = write_plan("bg", hours=0.5, sources=(), base="hub:openai-community/gpt2")
    assert "taken to be GPT-2 small's" in recipe
    assert "TOO LITTLE TIME" in recipe


@pytest.mark.parametrize(
    ("language", "hours", "error"), [("cs", 0, ConfigError), ("cs", float("nan"), ConfigError), ("c/s", 1, ConfigError)]
)
def test_a_wrong_dial_is_refused(language: str, hours: float, error: type[Exception], base: str) -> None:
    with pytest.raises(error):
        write_plan(language, hours=hours, sources=(), base=base)


def test_measuring_for_ever_is_refused(base: str) -> None:
    for seconds in (-1, 601, float("nan")):
        with pytest.raises(ConfigError, match="--seconds"):
            write_plan("cs", hours=1, sources=(), base=base, seconds=seconds)


def test_other_programs_and_a_gpu_are_told(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = replace(LAPTOP, idle=0.5, has_gpu=True)
    monkeypatch.setattr(plan_room, "measure_machine", lambda seconds: busy)
    recipe = write_plan("cs", hours=1, sources=(), base=base)
    assert "they left 50% of a core" in recipe
    assert "There is a GPU that was not measured" in recipe


def test_a_missing_text_or_base_is_one_clear_error(base: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no such file"):
        write_plan("cs", hours=1, sources=("nowhere/*.txt",), base=base)
    with pytest.raises(ArtifactError, match="neither a folder nor a shipped base"):
        write_plan("cs", hours=1, sources=(), base="nowhere")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "config.json").write_text('{"n_layer": null}')
    with pytest.raises(ArtifactError, match="does not tell the shape"):
        read_shape(str(tmp_path / "odd"))


def test_more_hours_are_more_compute_until_the_text_is_used_up() -> None:
    short, long, longer, endless = (derive(hours, 10, SMALL, LAPTOP, predicted) for hours in (0.2, 0.4, 0.6, 1000))
    # scoring takes the same time in each, and larger batches go a little faster
    assert longer.train.tokens - long.train.tokens == pytest.approx(long.train.tokens - short.train.tokens, rel=0.1)
    assert short.hours == pytest.approx(0.2)
    assert endless.epochs == pytest.approx(10)
    assert endless.hours < 10


def test_compute_matches_the_training_loops_own_count() -> None:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from mothertongue.model.anatomy import GROUPS
    from mothertongue.model.compute import flop_per_token

    with torch.device("meta"):
        model = GPT2LMHeadModel(GPT2Config(n_layer=6, n_embd=256, n_head=8, n_positions=512, vocab_size=4096))
    shape = replace(SMALL, vocab_size=4096)
    assert shape.flop_per_token == pytest.approx(flop_per_token(model, GROUPS, 512), rel=0.01)
    assert shape.parameters == pytest.approx(model.num_parameters(), rel=0.01)


def test_hours_become_the_compute_that_the_predicted_speed_does_in_them() -> None:
    plan = derive(1, 10, SMALL, LAPTOP, predicted)
    seconds = plan.train.tokens / plan.tokens_per_second
    assert 0.95 * 0.65 * 3600 < seconds <= 0.65 * 3600
    flop = replace(SMALL, vocab_size=plan.vocab_size).flop_per_token
    assert plan.train.teraflop == pytest.approx(plan.train.tokens * flop / 1e12, rel=0.01)


def test_a_model_beyond_the_memory_is_refused_with_both_numbers() -> None:
    small = replace(LAPTOP, memory_megabytes=2000)
    with pytest.raises(ConfigError, match=r"needs about [\d,]+ MB .* 2,000 MB .* smaller --base"):
        derive(1, 10, GPT2_SMALL, small, predicted)
    assert fitting_batch(16, lambda size: 100.0 * size, small) == 16
    assert fitting_batch(16, lambda size: 500.0 * size, small) == 3


def test_the_shape_of_a_llama_is_read_from_its_config() -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from mothertongue.model.probe import shape_of

    config = LlamaConfig(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=100
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    found = shape_from(config.to_dict())
    assert found == shape_of(model)
    assert found.block_weights == sum(
        weight.numel() for weight in model.model.layers[0].parameters() if weight.ndim > 1
    )
    assert (found.llama, found.tied, found.heads) == (True, False, 4)


def test_the_memory_of_a_container_counts(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("50000000\n")
    assert memory_megabytes(limit) == 50
    limit.write_text("max\n")
    assert memory_megabytes(limit) == memory_megabytes(tmp_path / "none") > 50


def test_the_vocabulary_follows_the_text_but_not_beyond_the_model() -> None:
    assert [vocabulary_for(size, GPT2_SMALL) for size in (0.1, 1, 10, 100)] == [2048, 4096, 8192, 16384]
    assert vocabulary_for(10_000, Shape(2, 64, 128)) == 1024


@pytest.mark.parametrize(("layers", "half"), [(12, 6), (9, 3), (7, 1), (1, 0)])
def test_compression_halves_or_takes_the_next_divisor(layers: int, half: int) -> None:
    assert derive(1, 10, Shape(layers, 256, 512), LAPTOP, predicted).layers == half


def test_shares_and_rates_stay_in_their_ranges() -> None:
    assert [heldout_share(size) for size in (0.06, 40, 1e6)] == [0.05, 0.025, 0.005]
    assert learning_rate(SMALL) == 0.002
    assert learning_rate(GPT2_SMALL) == 0.0007
