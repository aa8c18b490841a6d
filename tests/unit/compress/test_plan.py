from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel

from mothertongue.compress import stage
from mothertongue.compress.config import CompressConfig
from mothertongue.compress.control import Control, check_control, control_score
from mothertongue.compress.plan import Choice, candidates, choose
from mothertongue.compress.sizes import block_bytes, file_bytes, speed_factor, token_bytes
from mothertongue.errors import ConfigError
from mothertongue.export.gguf import write_model
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.model.stream import tokenize_corpus
from mothertongue.run.manifest import PROGRESS
from mothertongue.run.settings import parse_settings
from mothertongue.tokenizer.bytelevel import train_bytelevel
from mothertongue.train.data import Windows

Make = Callable[..., PreTrainedModel]
SHORT = {"batch_size": 4, "sequence_length": 16, "dev_kilobytes": 0.5, "dev_scores": 1, "learning_rate": 5e-3}
TOKENS = torch.arange(200).reshape(10, 20)


@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen3"])
@pytest.mark.parametrize("tied", [True, False])
def test_a_file_in_float32_has_four_bytes_for_each_weight_and_something_for_the_tokens(
    make_model: Make, family: str, tied: bool
) -> None:
    model = make_model(family, tied=tied)
    rest = 34 * 320 + 5000
    assert file_bytes(model, "float32", layers=6) == 4 * model.num_parameters() + rest
    fewer = file_bytes(model, "float32", layers=4, vocab_size=100)
    assert fewer == pytest.approx(
        4 * model.num_parameters() + 34 * 100 + 5000 - 2 * block_bytes(model, "float32") - 4 * 220 * 16 * (2 - tied)
    )


def test_the_vocabulary_of_a_file_is_counted_in_the_bytes_of_its_letters(save_predecessor: Any, tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    opened = open_checkpoint(save_predecessor("gpt2"))
    write_model(opened.model, opened.tokenizer, tmp_path / "model.gguf", dtype="float32")
    expected = file_bytes(opened.model, "float32", layers=6, token_bytes=token_bytes(opened.tokenizer))
    assert (tmp_path / "model.gguf").stat().st_size == pytest.approx(expected, rel=0.03)
    longer = train_bytelevel(["строител " * 40, "предприятие " * 40] * 5, vocab_size=280)
    shorter = train_bytelevel(["aa bb " * 40] * 5, vocab_size=280)
    assert token_bytes(longer) > token_bytes(shorter) > 12


def test_bits_shrink_matrices_whose_rows_divide_and_leave_vectors_alone(make_model: Make) -> None:
    block = make_model("gpt2")  # rows of 16 (too short for blocks of 32) and, behind the activation, of 64
    weights = {name: weight for name, weight in block.transformer.h[0].named_parameters() if weight.ndim == 2}
    wide = weights.pop("mlp.c_proj.weight").numel()
    short = sum(weight.numel() for weight in weights.values())
    vectors = sum(weight.numel() for weight in block.transformer.h[0].parameters() if weight.ndim == 1)
    assert block_bytes(block, "q4_0") == wide * 18 / 32 + 2 * short + 4 * vectors
    assert block_bytes(block, "float16") == 2 * (wide + short) + 4 * vectors


def test_half_the_layers_are_less_than_twice_as_fast_because_of_the_head(make_model: Make) -> None:
    model = make_model()
    assert speed_factor(model, layers=6) == 1
    assert 1 < speed_factor(model, layers=3) < 2
    assert speed_factor(model, layers=3) < speed_factor(model, layers=3, vocab_size=100)


def test_every_combination_that_is_considered_meets_what_was_asked(make_model: Make) -> None:
    model = make_model()
    size = file_bytes(model, "q4_0", layers=4) / 1e6
    found = candidates(CompressConfig(target_mb=size), model)
    assert all(choice.megabytes <= size for choice in found)
    assert {(choice.layers, choice.dtype) for choice in found} >= {(4, "q4_0"), (3, "q4_0"), (1, "float16")}
    assert (4, "q8_0") not in {(choice.layers, choice.dtype) for choice in found}
    assert {choice.groups for choice in found if choice.layers in (4, 5)} == {"influence"}
    fast = candidates(CompressConfig(speedup=1.5), model)
    assert {choice.dtype for choice in fast} == {"float32"}
    assert all(choice.speedup >= 1.5 for choice in fast)
    assert {choice.layers for choice in candidates(CompressConfig(speedup=1.5, method="paper"), model)} <= {1, 2, 3}
    assert {choice.layers for choice in candidates(CompressConfig(speedup=1.1, layers=4), model)} == {4}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target_mb": 0.001}, r"target_mb = 0\.001 cannot be met: the nearest is 1 of 6 layers in q4_0, 0\.0"),
        ({"speedup": 50.0}, r"speedup = 50 cannot be met: the nearest is 1 of 6 layers in float32"),
        ({"target_mb": 5.0}, r"small enough as it is: all 6 layers in float32 have 0\.1.*Export it with --format gguf"),
        ({"target_mb": 0.01, "layers": 2, "dtype": "float16"}, r"the nearest is 2 of 6 layers in float16"),
        ({"target_mb": 0.05, "speedup": 50.0}, r"^speedup = 50 cannot be met: the nearest is 1 of 6 layers in q4_0"),
        ({"target_mb": 0.001, "speedup": 50.0}, r"^target_mb = 0\.001 and speedup = 50 cannot be met"),
        ({"speedup": 1.0}, r"speedup = 1: the model is that fast as it is\. Ask for more than 1\."),
        ({"speedup": 1.5, "layers": 12}, r"layers = 12 has to be fewer than 6"),
        ({"speedup": 1.5, "layers": 4, "method": "paper"}, r"layers = 4 must divide the model's 6 layers"),
    ],
)
def test_what_cannot_be_met_or_is_met_already_is_said_with_numbers(
    make_model: Make, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        candidates(CompressConfig(**settings), make_model())


def test_what_is_chosen_is_what_is_expected_to_cost_least(make_model: Make) -> None:
    model = make_model()
    config = CompressConfig(speedup=1.2)
    best, considered = choose(
        config, model, TOKENS, lambda one: 3.0 - 0.1 * one.config.num_hidden_layers, lambda size: 2.5
    )
    assert best is considered[0]
    assert best.layers == max(choice.layers for choice in candidates(config, model))
    assert best.predecessor_bits_per_byte == pytest.approx(2.4)
    assert best.predecessor_bits_per_byte < best.expected_bits_per_byte < best.bridge_bits_per_byte


def test_where_nothing_is_trained_nothing_is_won_back(make_model: Make) -> None:
    def chosen(**settings: Any) -> Choice:
        config = CompressConfig(target_mb=0.05, layers=3, dtype="q4_0", **settings)
        score = iter([2.0, *[2.5] * 9])  # the predecessor, then what is probed
        return choose(config, make_model(), TOKENS, lambda one: next(score), lambda size: 2.5)[0]

    assert chosen(method="bridge").expected_bits_per_byte == pytest.approx(3.0)
    assert chosen(rounded_share=0.0).expected_bits_per_byte == pytest.approx(2.6)
    assert chosen().expected_bits_per_byte == pytest.approx(2.4)


def test_a_predecessor_that_is_no_better_than_a_fresh_small_model_is_refused() -> None:
    check_control(2.0, 2.1)
    for own, control in ((2.1, 2.1), (2.2, 2.1), (float("nan"), 2.0)):
        with pytest.raises(ConfigError, match="there is nothing to learn from it"):
            check_control(own, control)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_the_control_costs_what_it_was_given(predecessor: Path, corpus: Path, tmp_path: Path, optimizer: str) -> None:
    config = CompressConfig(batch_size=4, optimizer=optimizer)
    opened = open_checkpoint(predecessor)
    (tmp_path / PROGRESS).mkdir()
    windows = Windows(tokenize_corpus(corpus, opened.tokenizer, tmp_path / "tokens.bin"), 16, 0)

    def run() -> Control:
        return control_score(config, opened.model, windows, opened.tokenizer, ["Mlynář."], tmp_path, teraflop=1e-3)

    assert run().tflop == pytest.approx(1e-3, rel=0.02)
    assert run() == run()  # found, and not trained again


def test_a_speed_that_was_asked_for_is_planned_checked_run_and_reported(
    predecessor: Path, corpus: Path, tmp_path: Path
) -> None:
    settings = {**SHORT, "speedup": 1.5, "steps": 4, "probe_tokens": 200, "control": True, "groups": "even"}
    out = tmp_path / "out"
    out.mkdir()
    config = parse_settings(CompressConfig, settings)
    metrics = stage.compress(config, out, checkpoint=predecessor, corpus=corpus)
    json.dumps(metrics)
    assert metrics["layers"] == metrics["predicted"]["layers"] < 6
    assert metrics["predicted"]["speedup"] >= 1.5
    assert metrics["measured"]["speedup"] > 1
    assert metrics["measured"]["bits_per_byte"] > 0
    assert metrics["predecessor_bits_per_byte"] < metrics["control_bits_per_byte"]
    assert metrics["control_tflop"] == pytest.approx(metrics["tflop"], rel=0.5)
    assert json.loads((out / "config.json").read_text("utf-8"))["n_layer"] == metrics["layers"]


def test_a_predecessor_without_training_is_refused_by_the_control(
    save_predecessor: Callable[..., Path], corpus: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    config = parse_settings(CompressConfig, {**SHORT, "steps": 12, "control": True})
    with pytest.raises(ConfigError, match="after the same compute: there is nothing to learn from it"):
        stage.compress(config, tmp_path / "out", checkpoint=save_predecessor(), corpus=corpus)
