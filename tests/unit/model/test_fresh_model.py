from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.model.config import ModelConfig
from mothertongue.model.stage import fresh_gpt2, model
from mothertongue.tokenizer.bytelevel import save_tokenizer

SMALL = ModelConfig(num_hidden_layers=2, hidden_size=16, num_attention_heads=2, context=32)


def test_the_seed_decides_the_weights(tiny_tokenizer: Tokenizer) -> None:
    torch.manual_seed(99)
    first = fresh_gpt2(SMALL, tiny_tokenizer).state_dict()
    torch.manual_seed(7)
    again = fresh_gpt2(SMALL, tiny_tokenizer).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    other = fresh_gpt2(ModelConfig(2, 16, 2, 32, seed=1), tiny_tokenizer).state_dict()
    assert not torch.equal(first["transformer.wte.weight"], other["transformer.wte.weight"])


@pytest.mark.parametrize("tied", [True, False])
def test_a_fresh_model_has_the_asked_shape_and_fits_its_tokenizer(tiny_tokenizer: Tokenizer, tied: bool) -> None:
    fresh = fresh_gpt2(ModelConfig(2, 16, 2, 32, tied=tied), tiny_tokenizer)
    parts = anatomy(fresh)
    assert (len(parts.blocks), parts.hidden_size, parts.context, parts.tied) == (2, 16, 32, tied)
    assert parts.embeddings.num_embeddings == tiny_tokenizer.get_vocab_size()
    assert (fresh.config.eos_token_id, fresh.config.pad_token_id) == (0, 2)
    assert {module.p for module in fresh.modules() if isinstance(module, torch.nn.Dropout)} == {0.0}


def test_the_stage_saves_a_checkpoint_that_opens(tiny_tokenizer: Tokenizer, tmp_path: Path) -> None:
    folder, out = tmp_path / "tokenizer", tmp_path / "model"
    folder.mkdir()
    out.mkdir()
    save_tokenizer(tiny_tokenizer, folder)
    metrics = model(SMALL, out, tokenizer=folder)
    opened = open_checkpoint(out)
    assert metrics == {"parameters": opened.model.num_parameters(), "vocab_size": tiny_tokenizer.get_vocab_size()}


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ConfigError, match="hidden_size = 16 is not a multiple of num_attention_heads = 3"):
        ModelConfig(hidden_size=16, num_attention_heads=3)
