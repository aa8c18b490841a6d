from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Model, OPTConfig, OPTForCausalLM, PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.model.anatomy import anatomy, set_layers
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint

Maker = Callable[..., PreTrainedModel]
FAMILIES = ("gpt2", "llama", "qwen3", "smollm3")
IDS = torch.arange(4, 44).reshape(2, 20)


def logits(model: PreTrainedModel) -> torch.Tensor:
    with torch.no_grad():
        return model(IDS).logits


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_parts_are_the_models_own(make_model: Maker, family: str, tied: bool) -> None:
    model = make_model(family, tied=tied)
    parts = anatomy(model)
    assert parts.family == ("gpt2" if family == "gpt2" else "llama")
    assert parts.tied is tied
    assert (parts.head.weight is parts.embeddings.weight) is tied
    assert parts.embeddings.weight.shape == parts.head.weight.shape == (320, 16)
    assert (parts.hidden_size, parts.context, len(parts.blocks)) == (16, 64, 4)
    assert (parts.positions is None) is (family != "gpt2")
    everything = {id(parameter) for parameter in model.parameters()}
    modules = [parts.embeddings, parts.blocks, parts.norm, parts.head] + ([parts.positions] if parts.positions else [])
    assert {id(parameter) for module in modules for parameter in module.parameters()} == everything


@pytest.mark.parametrize("family", FAMILIES)
def test_the_parts_together_compute_what_the_model_computes(make_model: Maker, family: str) -> None:
    model = make_model(family, tied=False)
    seen: dict[str, torch.Tensor] = {}
    parts = anatomy(model)
    parts.blocks[-1].register_forward_hook(lambda module, inputs, output: seen.update(hidden=output))
    expected = logits(model)
    with torch.no_grad():
        assert torch.equal(parts.head(parts.norm(seen["hidden"])), expected)


def test_an_unknown_family_is_an_error_that_names_the_known_ones() -> None:
    config = OPTConfig(vocab_size=99, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, ffn_dim=8)
    config.word_embed_proj_dim = 8
    with pytest.raises(CheckpointError, match=r'"opt" is not known here\. Known: gpt2, llama'):
        anatomy(OPTForCausalLM(config))


def test_a_model_without_a_head_is_an_error() -> None:
    config = GPT2Config(vocab_size=99, n_positions=8, n_embd=8, n_layer=1, n_head=1, bos_token_id=0, eos_token_id=0)
    with pytest.raises(CheckpointError, match="GPT2Model is no causal language model"):
        anatomy(GPT2Model(config))


@pytest.mark.parametrize("family", FAMILIES)
def test_all_layers_put_back_change_nothing(make_model: Maker, family: str) -> None:
    model = make_model(family)
    expected = logits(model)
    set_layers(model, list(anatomy(model).blocks))
    assert torch.equal(logits(model), expected)


@pytest.mark.parametrize("kept", [[0, 2], [1, 3], [3], [0, 1, 3]])
@pytest.mark.parametrize("family", FAMILIES)
def test_chosen_layers_generate_with_a_cache_as_without(make_model: Maker, family: str, kept: list[int]) -> None:
    model = make_model(family)
    blocks = anatomy(model).blocks
    set_layers(model, [blocks[i] for i in kept])
    assert len(anatomy(model).blocks) == model.config.num_hidden_layers == len(kept)
    indices = {module.layer_idx for module in model.modules() if hasattr(module, "layer_idx")}
    assert indices == set(range(len(kept)))
    options = {"max_new_tokens": 12, "do_sample": False, "pad_token_id": 2, "eos_token_id": None}
    ids = model.generate(IDS, attention_mask=torch.ones_like(IDS), use_cache=True, **options)
    assert torch.equal(ids, model.generate(IDS, attention_mask=torch.ones_like(IDS), use_cache=False, **options))


@pytest.mark.parametrize("kept", [[0, 2], [1, 3], [0, 1, 3]])
@pytest.mark.parametrize("family", FAMILIES)
def test_chosen_layers_keep_what_makes_each_of_them_special(
    make_model: Maker, tiny_tokenizer: Tokenizer, tmp_path: Path, family: str, kept: list[int]
) -> None:
    # which layers slide and which have rotary positions is a list in the configuration: it must follow the layers
    model = make_model(family)
    blocks = list(anatomy(model).blocks)
    types = list(getattr(model.config, "layer_types", None) or [])
    set_layers(model, [blocks[i] for i in kept])
    if types:
        assert model.config.layer_types == [types[i] for i in kept]
    expected = logits(model)
    save_checkpoint(model, tiny_tokenizer, tmp_path)
    assert torch.equal(logits(open_checkpoint(tmp_path).model), expected)


def test_layers_that_stand_in_for_others_can_be_put_in_and_taken_out(make_model: Maker) -> None:
    class Pair(nn.Module):
        def __init__(self, first: nn.Module, second: nn.Module) -> None:
            super().__init__()
            self.first, self.second = first, second

        def forward(self, hidden: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
            return self.second(self.first(hidden, *args, **kwargs), *args, **kwargs)

    for family in ("gpt2", "llama"):
        model = make_model(family)
        expected = logits(model)
        blocks = list(anatomy(model).blocks)
        set_layers(model, [Pair(*blocks[:2]), Pair(*blocks[2:])])
        with torch.no_grad():
            assert torch.equal(model(IDS, use_cache=False).logits, expected)
        set_layers(model, [blocks[1], blocks[3]])
        assert model.config.num_hidden_layers == 2


def test_scaling_by_layer_number_forbids_to_move_layers() -> None:
    config = GPT2Config(vocab_size=99, n_positions=8, n_embd=8, n_layer=2, n_head=1, bos_token_id=0, eos_token_id=0)
    config.scale_attn_by_inverse_layer_idx = True
    model = GPT2LMHeadModel(config)
    with pytest.raises(CheckpointError, match="scale_attn_by_inverse_layer_idx"):
        set_layers(model, [anatomy(model).blocks[1]])
    set_layers(model, [anatomy(model).blocks[0]])
    assert model.config.num_hidden_layers == 1
