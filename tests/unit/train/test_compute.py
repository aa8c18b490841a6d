from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode
from transformers import GPT2LMHeadModel, PreTrainedModel, Qwen3Config, Qwen3ForCausalLM

from mothertongue.model import orthogonal
from mothertongue.model.anatomy import GROUPS
from mothertongue.model.compute import block_flop, flop_per_token, muon_flop
from mothertongue.train.freeze import group_parameters, unfreeze

Maker = Callable[..., PreTrainedModel]
LEARNING = [
    (),
    ("embeddings",),
    ("top", "embeddings"),
    ("middle", "top", "embeddings"),
    GROUPS,
    ("bottom", "middle", "top"),
]


def counted_by_torch(model: PreTrainedModel, learning: tuple[str, ...], batch: int, length: int) -> float:
    """Operations per token of one step, attention at half its price: torch counts the masked half as well."""
    unfreeze(group_parameters(model), learning)
    tokens = torch.arange(batch * length).reshape(batch, length) % 300 + 4
    with FlopCounterMode(display=False) as counter:
        # not our own loss: its products may go through a library that torch does not count
        loss = model(tokens, labels=tokens, use_cache=False).loss
        if learning:
            loss.backward()
    total = 0.0
    for operation, flop in counter.get_flop_counts()["Global"].items():
        total += flop / 2 if operation in ATTENTION else flop
    return total / (batch * length)


ATTENTION = {torch.ops.aten.bmm, torch.ops.aten.baddbmm}


def test_a_block_counted_by_hand(make_gpt2: Maker) -> None:
    model = make_gpt2(width=16)
    weights = 16 * 48 + 16 * 16 + 16 * 64 + 64 * 16  # query, key, value; output; two of the feed-forward net
    assert block_flop(model, 32) == 2 * weights + 2 * 32 * 16


def test_everything_learning_costs_three_forward_passes(make_gpt2: Maker) -> None:
    model = make_gpt2()
    forward = 3 * block_flop(model, 32) + 2 * 320 * 16
    assert flop_per_token(model, (), 32) == forward
    assert flop_per_token(model, GROUPS, 32) == 3 * forward


def test_frozen_parts_counted_by_hand(make_gpt2: Maker) -> None:
    model = make_gpt2()
    head, weights, attention = 2 * 320 * 16, 2 * 12 * 16 * 16, 2 * 32 * 16
    forward = head + 3 * (weights + attention)
    # the gradient is carried to the bottom through all blocks; attention has no weights, its backward pass is whole
    carried = head + 3 * (weights + 2 * attention)
    assert flop_per_token(model, ("embeddings",), 32) == forward + carried + head
    # only the top third learns: nothing is carried below it
    assert flop_per_token(model, ("top",), 32) == forward + head + (weights + 2 * attention) + weights


@pytest.mark.parametrize("learning", LEARNING, ids="+".join)
@pytest.mark.parametrize("family", ["gpt2", "gpt2-untied", "llama"])
def test_the_count_agrees_with_torchs_own(
    make_gpt2: Maker, make_llama: Maker, family: str, learning: tuple[str, ...]
) -> None:
    makers = {"gpt2": make_gpt2, "gpt2-untied": lambda: make_gpt2(tied=False), "llama": make_llama}
    model = makers[family]()
    model.set_attn_implementation("eager")  # made of products that torch can count
    counted = counted_by_torch(model, learning, 2, 32)
    assert flop_per_token(model, learning, 32) == pytest.approx(counted, rel=0.02)


def test_heads_wider_than_their_share_are_counted_as_they_are() -> None:
    config = Qwen3Config(
        vocab_size=320, hidden_size=16, intermediate_size=24, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, max_position_embeddings=64, tie_word_embeddings=True,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    model = Qwen3ForCausalLM(config)
    model.set_attn_implementation("eager")
    counted = counted_by_torch(model, GROUPS, 2, 64)
    assert flop_per_token(model, GROUPS, 64) == pytest.approx(counted, rel=0.02)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_muons_count_agrees_with_torchs_own(
    make_gpt2: Maker, make_llama: Maker, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orthogonal, "product", functional.linear)  # which torch can count
    model = {"gpt2": make_gpt2, "llama": make_llama}[family]()
    groups = group_parameters(model)
    for learning in (GROUPS, ("top", "embeddings")):
        turned = [weight for name in learning if name != "embeddings" for weight in groups[name] if weight.ndim == 2]
        with FlopCounterMode(display=False) as counter:
            for weight in turned:
                orthogonal.orthogonal(weight.detach())
        assert muon_flop(model, learning) == counter.get_total_flops()


def test_freezing_is_never_dearer(make_gpt2: Maker) -> None:
    model: GPT2LMHeadModel = make_gpt2(layers=12)
    costs = [flop_per_token(model, learning, 32) for learning in LEARNING[:5]]
    assert costs == sorted(costs)
