"""The step `model`: a fresh GPT-2 with random weights for a tokenizer."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

from mothertongue.model.checkpoint import save_checkpoint
from mothertongue.model.config import ModelConfig
from mothertongue.run.artifact import Metrics
from mothertongue.tokenizer.bytelevel import PAD, end_of_text_id, open_tokenizer, start_of_text_id


def model(config: ModelConfig, out: Path, *, tokenizer: Path) -> Metrics:
    """Save a fresh model for `tokenizer` in `out`."""
    opened = open_tokenizer(tokenizer)
    fresh = fresh_gpt2(config, opened)
    save_checkpoint(fresh, opened, out)
    return {"parameters": fresh.num_parameters(), "vocab_size": opened.get_vocab_size()}


def fresh_gpt2(config: ModelConfig, tokenizer: Tokenizer) -> GPT2LMHeadModel:
    """A GPT-2 with GPT-2's own random initialisation, seeded, without dropout."""
    torch.manual_seed(config.seed)
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=tokenizer.get_vocab_size(),
            n_positions=config.context,
            n_embd=config.hidden_size,
            n_layer=config.num_hidden_layers,
            n_head=config.num_attention_heads,
            bos_token_id=start_of_text_id(tokenizer),
            eos_token_id=end_of_text_id(tokenizer),
            pad_token_id=tokenizer.token_to_id(PAD),
            tie_word_embeddings=config.tied,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
        )
    )
