from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from mothertongue.compress.begin import begin, merge_layers
from mothertongue.compress.bridge import fit_bridge
from mothertongue.compress.config import CompressConfig
from mothertongue.compress.hooks import outputs
from mothertongue.compress.influence import block_influence
from mothertongue.compress.layers import check_layers, even_groups, influence_groups, leaders
from mothertongue.compress.theseus import make_successor
from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy

Make = Callable[..., PreTrainedModel]
TOKENS = torch.arange(300).reshape(10, 30)


def last_hidden(model: PreTrainedModel, tokens_BT: Tensor = TOKENS) -> Tensor:
    """What the last block puts out."""
    with torch.no_grad(), outputs([anatomy(model).blocks[-1]]) as found:
        model.base_model(input_ids=tokens_BT, use_cache=False)
    return found[0]


@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen3"])
def test_a_layer_that_does_nothing_has_no_influence_and_is_the_first_to_go(make_model: Make, family: str) -> None:
    model = make_model(family)
    for name, weight in anatomy(model).blocks[3].named_parameters():
        if "proj" in name:
            weight.zero_()
    influence = block_influence(model, TOKENS)
    assert influence[3] == pytest.approx(0, abs=1e-6)
    assert min(influence[:3] + influence[4:]) > 1e-4
    assert influence_groups(influence, 5) == [range(0, 1), range(1, 2), range(2, 4), range(4, 5), range(5, 6)]
    begun = begin(CompressConfig(layers=5, groups="influence", initial="influence"), model, TOKENS)
    assert begun.kept == [0, 1, 2, 4, 5]
    torch.testing.assert_close(last_hidden(begun.model), last_hidden(model))


@pytest.mark.parametrize("layers", [1, 2, 3, 4, 5])
def test_groups_by_influence_hold_every_layer_once_in_order_and_keep_both_ends_alone(layers: int) -> None:
    groups = influence_groups([0.9, 0.8, 0.1, 0.3, 0.2, 0.05], layers)
    assert [index for group in groups for index in group] == list(range(6))
    assert len(groups) == layers
    assert layers < 2 or groups[-1] == range(5, 6)
    assert layers < 4 or groups[:1] == [range(0, 1)]
    for initial in ("every-other", "ends", "influence", "bridge", "merged"):
        kept = leaders(groups, initial, [0.9, 0.8, 0.1, 0.3, 0.2, 0.05])
        assert all(layer in group for layer, group in zip(kept, groups, strict=True))


def test_with_groups_by_influence_any_smaller_number_of_layers_is_possible() -> None:
    assert [check_layers(7, layers, "influence") for layers in (0, 1, 5, 6)] == [3, 1, 5, 6]
    with pytest.raises(ConfigError, match="layers = 7 has to be fewer than 7"):
        check_layers(7, 7, "influence")
    with pytest.raises(ConfigError, match="With groups = influence any smaller number is"):
        check_layers(7, 3)
    assert check_layers(7, 3, "auto") == 3
    with pytest.raises(ConfigError, match=r"Half of 7 layers is no whole number\. Choose layers\. Possible"):
        check_layers(7, 0, "auto")


def idle(model: PreTrainedModel, *layers: int) -> PreTrainedModel:
    """`model`, in which only `layers` do nothing; without training a layer hardly does anything."""
    for index, block in enumerate(anatomy(model).blocks):
        for name, weight in block.named_parameters():
            if weight.ndim > 1:
                weight.mul_(8)
            if "proj" in name and index in layers:
                weight.zero_()
    return model


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize(("layers", "expected"), [((1, 3, 4), "even"), ((1, 2, 4), "influence")])
def test_of_both_kinds_of_groups_those_that_lose_less_without_training_are_taken(
    make_model: Make, family: str, layers: tuple[int, ...], expected: str
) -> None:
    model = idle(make_model(family), *layers)
    torch.manual_seed(1)
    first = torch.arange(3, 35)[:, None]
    own = model.generate(first, attention_mask=torch.ones_like(first), do_sample=True, max_length=33, eos_token_id=None)
    taken, asked = (begin(CompressConfig(groups=groups), model, own) for groups in ("auto", expected))
    assert taken.groups == asked.groups
    torch.testing.assert_close(last_hidden(taken.model), last_hidden(asked.model), rtol=0, atol=0)


def test_a_number_of_layers_that_does_not_divide_is_made_of_groups_by_influence(make_model: Make) -> None:
    model = make_model()
    begun = [begin(CompressConfig(layers=4, groups=groups), model, TOKENS).groups for groups in ("auto", "influence")]
    assert begun[0] == begun[1]


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_bridge_comes_nearer_to_the_predecessor_on_text_that_it_has_not_seen(make_model: Make, family: str) -> None:
    predecessor = make_model(family)
    for weight in predecessor.parameters():
        if weight.ndim > 1:
            weight.mul_(5)  # as it is made, the toy's layers hardly do anything
    groups = even_groups(6, 3)
    model = make_successor(predecessor, leaders(groups, "ends"))
    unseen = torch.randint(0, 300, (20, 30), generator=torch.Generator().manual_seed(1))
    wanted = last_hidden(predecessor, unseen)

    def distance() -> float:
        return float((last_hidden(model, unseen) - wanted).square().mean())

    before = distance()
    seen = torch.randint(0, 300, (40, 30), generator=torch.Generator().manual_seed(2))
    fit_bridge(model, predecessor, groups, seen)
    assert distance() < 0.9 * before


def test_a_bridge_over_nothing_changes_nothing(make_model: Make) -> None:
    predecessor = make_model()
    model = make_successor(predecessor, range(6))
    fit_bridge(model, predecessor, even_groups(6, 6), TOKENS)
    torch.testing.assert_close(last_hidden(model), last_hidden(predecessor))


def test_a_merged_layer_has_the_mean_weights_of_its_group(make_model: Make) -> None:
    predecessor = make_model()
    model = make_successor(predecessor, [0, 5])
    merge_layers(model, predecessor, [range(2), range(2, 6)])
    found = anatomy(model).blocks[1].mlp.c_fc.weight
    blocks = anatomy(predecessor).blocks
    torch.testing.assert_close(found, sum(blocks[index].mlp.c_fc.weight for index in range(2, 6)) / 4)
