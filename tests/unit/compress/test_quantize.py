from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel

from mothertongue.compress import quantize, stage
from mothertongue.compress.config import CompressConfig
from mothertongue.compress.methods import Lesson
from mothertongue.compress.quantize import round_weights, with_rounding
from mothertongue.compress.sizes import BYTES
from mothertongue.errors import ConfigError
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.model.loss import next_token_loss
from mothertongue.train.schedule import Phase


@pytest.fixture
def wide() -> PreTrainedModel:
    """Rows of 32 and more, which divide into blocks."""
    torch.manual_seed(0)
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    return GPT2LMHeadModel(GPT2Config(vocab_size=50, n_positions=16, n_embd=32, n_layer=1, n_head=2, **ends)).eval()


@pytest.mark.parametrize("dtype", ["float16", "q8_0", "q4_0", "q4_0_pure"])
def test_rounded_weights_are_near_and_rounding_them_again_changes_nothing(wide: PreTrainedModel, dtype: str) -> None:
    if dtype != "float16":
        pytest.importorskip("gguf")
    before = {name: weight.clone() for name, weight in wide.named_parameters()}
    round_weights(wide, dtype)
    once = {name: weight.clone() for name, weight in wide.named_parameters()}
    round_weights(wide, dtype)
    near = {"float16": 1e-4, "q8_0": 1e-3, "q4_0": 0.02, "q4_0_pure": 0.02}[dtype]
    for name, weight in wide.named_parameters():
        assert torch.equal(weight, once[name]), name
        if weight.ndim < 2:
            assert torch.equal(weight, before[name]), name
        else:
            assert 0 < (weight - before[name]).abs().max() < near, name
    assert wide.lm_head.weight is wide.transformer.wte.weight


def test_four_bits_leave_sixteen_values_for_each_block_of_a_row(wide: PreTrainedModel) -> None:
    pytest.importorskip("gguf")
    round_weights(wide, "q4_0")
    row = wide.transformer.h[0].mlp.c_fc.weight.T[0]  # Conv1D lies the other way round
    assert len(row.unique()) <= 16
    assert len(wide.transformer.wte.weight[0].unique()) > 16  # embeddings keep 8 bits
    round_weights(wide, "q4_0_pure")
    assert len(wide.transformer.wte.weight[0].unique()) <= 16


def test_the_arithmetic_of_sizes_is_that_of_the_package() -> None:
    gguf = pytest.importorskip("gguf")
    for dtype in ("q8_0", "q4_0"):
        block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[dtype.upper()]]
        assert BYTES[dtype] == size / block


def test_a_missing_package_is_named_before_anything_is_trained(
    predecessor: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    for settings in ({"dtype": "q4_0"}, {"target_mb": 0.1}):
        with pytest.raises(ConfigError, match=r'needs: pip install "mothertongue\[gguf\]"'):
            stage.compress(CompressConfig(**settings), tmp_path, checkpoint=predecessor, corpus=corpus)
    assert not list(tmp_path.iterdir())
    assert quantize.check_rounding("float16") is None


def test_a_checkpoint_of_fewer_bits_says_what_they_cost(
    predecessor: Callable[..., Path], corpus: Path, tmp_path: Path
) -> None:
    config = CompressConfig(steps=2, batch_size=4, sequence_length=16, dtype="float16", dev_kilobytes=0.5, dev_scores=1)
    metrics = stage.compress(config, tmp_path, checkpoint=predecessor, corpus=corpus)
    assert metrics["dtype"] == "float16"
    assert metrics["rounded_bits_per_byte"] == pytest.approx(metrics["dev_bits_per_byte"], abs=0.01)
    weights = open_checkpoint(tmp_path).model.transformer.h[0].mlp.c_fc.weight
    assert torch.equal(weights, weights.half().float())


@pytest.mark.parametrize("dtype", ["q8_0", "q4_0_pure"])
@pytest.mark.parametrize("tied", [True, False])
def test_steps_that_feel_the_rounding_learn_at_the_rounded_weights_and_keep_their_own(tied: bool, dtype: str) -> None:
    pytest.importorskip("gguf")
    torch.manual_seed(0)
    ends = {"bos_token_id": 0, "eos_token_id": 0, "tie_word_embeddings": tied}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_positions=16, n_embd=32, n_layer=1, n_head=2, **ends)).eval()
    tokens_BT = torch.randint(0, 50, (2, 9))
    rounded = copy.deepcopy(model)
    round_weights(rounded, dtype)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}

    lesson = Lesson((Phase("successor", 10, {"layers": 1.0}, lambda _, __: 1.0),), next_token_loss, lambda _: 1.0)
    felt = with_rounding(lesson, dtype, 0.3)
    assert felt.before_step is not None
    for step, other in ((6, model), (7, rounded)):
        felt.before_step(step)
        model.zero_grad()
        other.zero_grad()
        found, expected = felt.loss(model, tokens_BT), next_token_loss(other, tokens_BT)
        torch.testing.assert_close(found, expected)
        found.backward()
        ours = {name: weight.grad.clone() for name, weight in model.named_parameters()}
        model.zero_grad()
        next_token_loss(other, tokens_BT).backward()
        for name, weight in other.named_parameters():
            torch.testing.assert_close(ours[name], weight.grad)
    assert not torch.equal(next_token_loss(model, tokens_BT), next_token_loss(rounded, tokens_BT))
    for name, weight in model.named_parameters():
        assert torch.equal(weight, before[name])
