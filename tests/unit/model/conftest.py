"""One tiny model of every family's layout, tied and untied."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen3Config,
    Qwen3ForCausalLM,
    SmolLM3Config,
    SmolLM3ForCausalLM,
)

LAYERS = 4
_LLAMA = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": 2,
    "bos_token_id": 0,
    "eos_token_id": 0,
}


def gpt2(size: int, tied: bool) -> PreTrainedModel:
    ids = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 2}
    config = GPT2Config(vocab_size=size, n_positions=64, n_embd=16, n_layer=LAYERS, n_head=2, **ids)
    config.tie_word_embeddings = tied
    return GPT2LMHeadModel(config)


def llama(size: int, tied: bool) -> PreTrainedModel:
    return LlamaForCausalLM(LlamaConfig(vocab_size=size, tie_word_embeddings=tied, **_LLAMA))


def qwen3(size: int, tied: bool) -> PreTrainedModel:
    """Every other layer sees only the last eight tokens, and a head is wider than its share of the hidden size."""
    windows = {"use_sliding_window": True, "sliding_window": 8, "layer_types": _every_other(LAYERS)}
    return Qwen3ForCausalLM(Qwen3Config(vocab_size=size, tie_word_embeddings=tied, head_dim=8, **_LLAMA, **windows))


def smollm3(size: int, tied: bool) -> PreTrainedModel:
    """Every other layer has no rotary positions."""
    return SmolLM3ForCausalLM(
        SmolLM3Config(vocab_size=size, tie_word_embeddings=tied, no_rope_layers=[0, 1] * 2, **_LLAMA)
    )


def _every_other(count: int) -> list[str]:
    return ["full_attention", "sliding_attention"] * (count // 2)


MAKERS: dict[str, Callable[[int, bool], PreTrainedModel]] = {
    "gpt2": gpt2,
    "llama": llama,
    "qwen3": qwen3,
    "smollm3": smollm3,
}


@pytest.fixture
def make_model() -> Callable[..., PreTrainedModel]:
    """`make_model("llama", tied=False)`: a model of four layers, 16 wide, with seeded weights, in eval mode."""

    def make(family: str, *, tied: bool = True, size: int = 320) -> PreTrainedModel:
        torch.manual_seed(0)
        return MAKERS[family](size, tied).eval()

    return make
