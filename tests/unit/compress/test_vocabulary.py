from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mothertongue.compress import plan, stage
from mothertongue.compress.config import CompressConfig
from mothertongue.compress.vocabulary import check_vocabulary, most_used, trimmed
from mothertongue.errors import ConfigError
from mothertongue.model.checkpoint import Checkpoint, open_checkpoint
from mothertongue.tokenizer.bytelevel import encode_text

TEXT = "Mlynář viděl klíč v lese. Kovář potkal psa u řeky."


@pytest.fixture
def opened(predecessor: Path) -> Checkpoint:
    checkpoint = open_checkpoint(predecessor)
    checkpoint.model.requires_grad_(False)
    return checkpoint


def test_more_tokens_than_there_are_cannot_stay() -> None:
    check_vocabulary(0, 320)
    with pytest.raises(ConfigError, match="vocab_size = 320"):
        check_vocabulary(320, 320)


def test_the_most_used_tokens_stay_and_the_rest_is_read_in_pieces(opened: Checkpoint) -> None:
    ids = np.array(encode_text(opened.tokenizer, TEXT) * 3)
    smaller = trimmed(opened, ids, 300)
    assert 270 < smaller.tokenizer.get_vocab_size() <= 300
    kept = encode_text(smaller.tokenizer, TEXT)
    assert smaller.tokenizer.decode(kept) == opened.tokenizer.decode(encode_text(opened.tokenizer, TEXT))
    assert len(kept) == len(encode_text(opened.tokenizer, TEXT)) < len(TEXT.encode())
    assert opened.model.config.vocab_size > smaller.model.config.vocab_size  # a copy was trimmed
    old, new = opened.model.transformer.wte.weight, smaller.model.transformer.wte.weight
    for token in (" " + "v").split():
        assert torch.equal(new[smaller.tokenizer.token_to_id(token)], old[opened.tokenizer.token_to_id(token)])
    assert not any(weight.requires_grad for weight in smaller.model.parameters())


def test_what_must_stay_is_the_least_that_can(opened: Checkpoint) -> None:
    with pytest.raises(ConfigError, match=r"vocab_size = 20: bytes and special tokens alone are 2\d\d"):
        most_used(opened.tokenizer, np.array([5, 5, 6]), 20)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_layers_and_vocabulary_shrink_together_and_the_result_opens(
    save_predecessor: Callable[..., Path], corpus: Path, tmp_path: Path, family: str
) -> None:
    config = CompressConfig(
        vocab_size=290, layers=2, steps=3, batch_size=4, sequence_length=16, dev_kilobytes=0.5, dev_scores=1
    )
    metrics = stage.compress(config, tmp_path, checkpoint=save_predecessor(family, tied=False), corpus=corpus)
    found = open_checkpoint(tmp_path)
    assert found.tokenizer.get_vocab_size() == metrics["vocab_size"] <= 290
    assert found.model.config.num_hidden_layers == 2
    assert metrics["trimmed_bits_per_byte"] > 0 < metrics["untrimmed_bits_per_byte"]


def test_a_size_can_be_met_by_fewer_tokens(opened: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "LEAST_TOKENS", 10)
    found = plan.candidates(CompressConfig(speedup=1.9), opened.model)
    assert {choice.vocab_size for choice in found} > {0}
    assert max(choice.layers for choice in found if choice.vocab_size) > max(
        choice.layers for choice in found if not choice.vocab_size
    )
