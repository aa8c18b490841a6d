from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.model.anatomy import anatomy
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint
from mothertongue.tokenizer.bytelevel import train_bytelevel
from mothertongue.transfer.rows import set_vocabulary, vocabulary_rows

Build = Callable[[str], PreTrainedModel]
ANATOMIES = ("gpt2", "gpt2-untied", "llama", "llama-tied")


@pytest.mark.parametrize("kind", ANATOMIES)
def test_same_rows_and_vocabulary_change_no_prediction(
    kind: str, build_model: Build, source_tokenizer: Tokenizer
) -> None:
    model, ids = build_model(kind), torch.arange(4, 40)[None]
    before = model(ids).logits
    set_vocabulary(model, vocabulary_rows(model, source_tokenizer.get_vocab_size()), source_tokenizer)
    assert torch.equal(model(ids).logits, before)


@pytest.mark.parametrize("kind", ANATOMIES)
@pytest.mark.parametrize("size", [270, 320])
def test_rows_of_another_size_survive_saving(
    kind: str, size: int, build_model: Build, tmp_path: Path, target_tokenizer: Tokenizer
) -> None:
    model = build_model(kind)
    tokenizer = target_tokenizer if size == 320 else train_bytelevel(["abeceda abeceda bec"] * 9, vocab_size=265)
    rows = torch.randn(tokenizer.get_vocab_size(), vocabulary_rows(model, 1).shape[1])
    set_vocabulary(model, rows, tokenizer)
    save_checkpoint(model, tokenizer, tmp_path)
    opened = open_checkpoint(tmp_path)
    assert torch.equal(vocabulary_rows(opened.model, len(rows)), rows)
    assert anatomy(opened.model).tied == (kind in ("gpt2", "llama-tied"))
    assert opened.model.config.vocab_size == len(rows)


def test_untied_model_has_head_rows_of_its_own(build_model: Build) -> None:
    model = build_model("llama")
    rows = vocabulary_rows(model, 9)
    assert torch.equal(rows[:, :16], anatomy(model).embeddings.weight[:9])
    assert torch.equal(rows[:, 16:], anatomy(model).head.weight[:9])


def test_bias_of_the_head_is_the_last_column(build_model: Build, target_tokenizer: Tokenizer) -> None:
    model = build_model("gpt2")
    anatomy(model).head.bias = torch.nn.Parameter(torch.arange(300).float())
    assert vocabulary_rows(model, 9)[:, -1].tolist() == list(range(9))
    rows = torch.randn(target_tokenizer.get_vocab_size(), 17)
    set_vocabulary(model, rows, target_tokenizer)
    assert torch.equal(vocabulary_rows(model, len(rows)), rows)


def test_special_ids_are_those_of_the_new_vocabulary(build_model: Build, target_tokenizer: Tokenizer) -> None:
    model = build_model("llama")
    model.config.eos_token_id = 299
    model.generation_config.suppress_tokens = [299]
    set_vocabulary(model, torch.randn(target_tokenizer.get_vocab_size(), 32), target_tokenizer)
    for settings in (model.config, model.generation_config):
        assert (settings.bos_token_id, settings.eos_token_id, settings.pad_token_id) == (0, 0, 2)
    assert model.generation_config.suppress_tokens is None


@pytest.mark.parametrize("shape", [(319, 16), (320, 15)])
def test_rows_of_a_wrong_shape_are_refused(
    shape: tuple[int, int], build_model: Build, target_tokenizer: Tokenizer
) -> None:
    with pytest.raises(CheckpointError, match="needs 320 rows of 16"):
        set_vocabulary(build_model("gpt2"), torch.zeros(shape), target_tokenizer)


def test_rows_that_are_not_finite_are_refused(build_model: Build, target_tokenizer: Tokenizer) -> None:
    with pytest.raises(CheckpointError, match="not finite"):
        set_vocabulary(build_model("gpt2"), torch.full((320, 16), torch.nan), target_tokenizer)
