from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

from mothertongue.compress.layers import check_layers, even_groups, leaders
from mothertongue.compress.schedule import draw
from mothertongue.compress.theseus import (
    Lottery,
    ReplaceableModule,
    check_masks,
    extract_successor,
    install_modules,
    make_successor,
    replace_modules,
)
from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy, set_dropout
from mothertongue.model.checkpoint import save_checkpoint
from mothertongue.model.loss import next_token_loss
from mothertongue.train.freeze import group_parameters

Make = Callable[..., PreTrainedModel]
IDS = torch.arange(4, 44).reshape(2, 20)
FAMILIES = [(family, tied) for family in ("gpt2", "llama", "qwen3") for tied in (True, False)]
every_family = pytest.mark.parametrize(("family", "tied"), FAMILIES)


def logits(model: PreTrainedModel) -> Tensor:
    with torch.no_grad():
        return model(IDS, use_cache=False).logits


def shake(model: PreTrainedModel) -> None:
    """Give the successor's blocks weights of their own, as training would."""
    with torch.no_grad():
        for parameter in anatomy(model).blocks.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))


@every_family
def test_nothing_replaced_computes_exactly_what_the_predecessor_computes(
    make_model: Make, family: str, tied: bool
) -> None:
    predecessor = make_model(family, tied=tied)
    model = make_successor(predecessor, [0, 3, 5])
    shake(model)
    modules = install_modules(model.train(), predecessor)
    replace_modules(modules, [False] * 3)
    assert torch.equal(logits(model), logits(predecessor))


@every_family
def test_all_replaced_computes_exactly_what_the_successor_computes(make_model: Make, family: str, tied: bool) -> None:
    predecessor = make_model(family, tied=tied)
    model = make_successor(predecessor, [0, 3, 5])
    shake(model)
    expected = logits(model)
    modules = install_modules(model.train(), predecessor)
    replace_modules(modules, [True] * 3)
    assert torch.equal(logits(model), expected)
    assert not torch.equal(expected, logits(predecessor))


def test_each_module_alone_stands_for_its_own_layers(make_model: Make) -> None:
    predecessor = make_model()
    model = make_successor(predecessor, [1, 3, 5])
    modules = install_modules(model.train(), predecessor)
    replace_modules(modules, [False, True, False])
    mixed = make_successor(predecessor, [0, 1, 3, 4, 5])
    assert torch.equal(logits(model), logits(mixed))


@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen3"])
def test_each_sequence_goes_its_own_way_as_if_it_were_alone(make_model: Make, family: str) -> None:
    predecessor = make_model(family)
    model = make_successor(predecessor, [0, 3, 5])
    shake(model)
    modules = install_modules(model.train(), predecessor)
    ways = torch.tensor([[True, False, True, False], [False, True, True, True], [True, True, False, False]])
    ids = torch.arange(4, 84).reshape(4, 20)
    alone = []
    for row in range(4):
        replace_modules(modules, ways[:, row])
        with torch.no_grad():
            alone.append(model(ids[row : row + 1], use_cache=False).logits)
    replace_modules(modules, ways)
    with torch.no_grad():
        together = model(ids, use_cache=False).logits
    torch.testing.assert_close(together, torch.cat(alone))


def test_the_parts_of_a_step_take_the_draws_of_their_own_sequences(make_model: Make) -> None:
    predecessor = make_model()
    modules = install_modules(make_successor(predecessor, [0, 3, 5]), predecessor)
    seen: list[list[list[bool]]] = []

    def loss(model: object, tokens_BT: Tensor) -> Tensor:
        ways = [m.replaced if isinstance(m.replaced, Tensor) else torch.tensor([m.replaced]) for m in modules]
        seen.append([way.expand(len(tokens_BT)).tolist() for way in ways])
        return torch.tensor(1.0)

    lottery = Lottery(modules, loss)
    drawn = draw(3, 0.5, seed=0, step=0, sequences=5)
    lottery.begin(drawn)
    for size in (2, 2, 1):
        value = lottery.loss(predecessor, torch.zeros(size, 4))
    assert np.concatenate(seen, axis=1).tolist() == drawn.tolist()
    modules[0].successor.requires_grad_(True)
    assert not value.requires_grad
    lottery.begin(drawn & False)
    assert lottery.loss(predecessor, torch.zeros(5, 4)).requires_grad  # nothing was replaced, yet the step can be made


def test_in_eval_mode_it_is_the_successor_whatever_was_drawn(make_model: Make) -> None:
    predecessor = make_model()
    model = make_successor(predecessor, [0, 5])
    shake(model)
    expected = logits(model)
    modules = install_modules(model, predecessor)
    for drawn in ([False, True], [[False, True], [True, False]]):
        replace_modules(modules, drawn)
        assert torch.equal(logits(model.eval()), expected)


@pytest.mark.parametrize("layers", [1, 2, 3])
@every_family
def test_the_extracted_successor_is_an_ordinary_model_that_opens_and_generates(
    make_model: Make, tiny_tokenizer: Tokenizer, tmp_path: Path, family: str, tied: bool, layers: int
) -> None:
    predecessor = make_model(family, tied=tied, size=tiny_tokenizer.get_vocab_size())
    model = make_successor(predecessor, leaders(even_groups(6, layers), "ends"))
    shake(model)
    modules = install_modules(model, predecessor)
    replace_modules(modules, [True] * layers)
    expected = logits(model.train())
    plain = extract_successor(model).eval()
    assert torch.equal(logits(plain), expected)
    assert not any(isinstance(module, ReplaceableModule) for module in plain.modules())
    assert [m.layer_idx for m in plain.modules() if hasattr(m, "layer_idx")] == list(range(layers))
    assert plain.config.num_hidden_layers == layers
    assert len(getattr(plain.config, "layer_types", None) or range(layers)) == layers
    assert predecessor.config.num_hidden_layers == 6
    assert all(m.config is plain.config for m in plain.modules() if type(m).__name__.endswith("Attention"))

    save_checkpoint(plain, tiny_tokenizer, tmp_path)
    opened = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert type(opened) is type(predecessor)
    assert opened.state_dict().keys() == plain.state_dict().keys()
    assert torch.equal(logits(opened), expected)
    assert (opened.get_output_embeddings().weight is opened.get_input_embeddings().weight) is tied
    options = {"max_new_tokens": 8, "do_sample": False, "eos_token_id": None, "attention_mask": torch.ones_like(IDS)}
    with_cache = opened.generate(IDS, use_cache=True, **options)
    assert torch.equal(with_cache, opened.generate(IDS, use_cache=False, **options))


@pytest.mark.parametrize(("count", "layers", "expected"), [(6, 0, 3), (6, 1, 1), (6, 2, 2), (12, 4, 4), (9, 3, 3)])
def test_any_divisor_of_the_layers_is_accepted_and_zero_means_half(count: int, layers: int, expected: int) -> None:
    assert check_layers(count, layers) == expected


@pytest.mark.parametrize(
    ("count", "layers", "message"),
    [
        (12, 5, r"layers = 5 must divide the model's 12 layers\. Possible for 12 layers: 1, 2, 3, 4, 6\."),
        (6, 6, r"layers = 6 has to be fewer than 6\. Possible for 6 layers: 1, 2, 3\."),
        (6, 12, r"layers = 12 has to be fewer than 6\. Possible for 6 layers: 1, 2, 3\."),
        (9, 0, r"Half of 9 layers is no whole number\. Choose layers\. Possible for 9 layers: 1, 3\."),
        (1, 0, r"The model has 1 layer: none can go\."),
        (1, 1, r"The model has 1 layer: none can go\."),
    ],
)
def test_an_impossible_number_of_layers_is_refused_with_the_possible_ones(
    count: int, layers: int, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_layers(count, layers)


@pytest.mark.parametrize(
    ("initial", "expected"),
    [("ends", [0, 2, 4, 7, 9, 11]), ("every-other", [0, 2, 4, 6, 8, 10]), ("first", [0, 1, 2, 3, 4, 5])],
)
def test_the_successor_begins_as_the_layers_that_were_chosen(
    make_model: Make, initial: str, expected: list[int]
) -> None:
    assert leaders(even_groups(12, 6), initial) == expected
    assert leaders(even_groups(12, 1), initial) == [0]
    predecessor = make_model()
    kept = leaders(even_groups(6, 3), initial)
    model = make_successor(predecessor, kept)
    for block, index in zip(anatomy(model).blocks, kept, strict=True):
        origin = anatomy(predecessor).blocks[index].state_dict()
        assert all(torch.equal(tensor, origin[name]) for name, tensor in block.state_dict().items())
        assert not {p.data_ptr() for p in block.parameters()} & {p.data_ptr() for p in predecessor.parameters()}


@pytest.mark.parametrize("seen", [(True, False, False), (False, True, False), (True, True, True)])
def test_only_replaced_successors_get_gradients(make_model: Make, seen: tuple[bool, ...]) -> None:
    predecessor = make_model()
    model = make_successor(predecessor, [0, 3, 5])
    modules = install_modules(model, predecessor)
    for parameter in anatomy(model).blocks.parameters():
        parameter.requires_grad_(True)
    replace_modules(modules, seen)
    next_token_loss(model.train(), IDS).backward()
    for module, replaced in zip(modules, seen, strict=True):
        assert all((parameter.grad is not None) is replaced for parameter in module.parameters())
    assert all(parameter.grad is None for parameter in predecessor.parameters())


def test_the_predecessor_is_in_no_list_of_the_model(make_model: Make) -> None:
    predecessor = make_model()
    model = make_successor(predecessor, [0, 3, 5])
    names = model.state_dict().keys()
    modules = install_modules(model, predecessor)
    model.train().requires_grad_(True)
    old = {id(parameter) for parameter in predecessor.parameters()}
    learning = {id(parameter) for group in group_parameters(model).values() for parameter in group}
    assert not old & learning
    assert {name.replace(".successor.", ".") for name in model.state_dict()} == set(names)
    for module in modules:
        for block in module.predecessors:
            assert not any(part.training for part in block.modules())
            assert not any(parameter.requires_grad for parameter in block.parameters())


@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen3"])
def test_dropout_never_touches_the_predecessor(make_model: Make, family: str) -> None:
    predecessor = make_model(family, dropout=0.5)
    model = make_successor(predecessor, [0, 3, 5])
    modules = install_modules(model, predecessor)
    set_dropout(model.train(), 0.25)
    rates = {
        part.p if isinstance(part, torch.nn.Dropout) else part.attention_dropout
        for block in anatomy(predecessor).blocks
        for part in block.modules()
        if isinstance(part, torch.nn.Dropout) or isinstance(getattr(part, "attention_dropout", None), float)
    }
    assert rates == {0.5}
    if family == "gpt2":
        model.transformer.drop.p = 0.0  # it stands before the blocks
    replace_modules(modules, [False] * 3)
    assert torch.equal(logits(model), logits(predecessor))
    replace_modules(modules, [False, True, False])
    assert not torch.equal(logits(model), logits(model))


def test_layers_with_different_windows_are_refused_where_the_windows_matter(make_model: Make) -> None:
    model = make_model("qwen3")
    check_masks(model, 64)
    model.config.layer_types = ["full_attention", "sliding_attention"] * 3
    model.config.sliding_window = 16
    check_masks(model, 16)
    with pytest.raises(ConfigError, match=r"beyond 16 tokens.*method = distill or truncate, or .* to at most 16"):
        check_masks(model, 17)


def test_a_draw_can_be_put_into_modules(make_model: Make) -> None:
    predecessor = make_model()
    modules = install_modules(make_successor(predecessor, [0, 3, 5]), predecessor)
    for step in range(5):
        drawn = draw(3, 0.5, seed=1, step=step)
        replace_modules(modules, drawn)
        assert [module.replaced for module in modules] == drawn[:, 0].tolist()
