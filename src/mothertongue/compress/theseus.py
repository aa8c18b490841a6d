"""Module replacing, BERT-of-Theseus (Xu et al. 2020, arXiv 2002.02925) for decoders.

Each layer of the successor stands for a group of consecutive layers of the predecessor. In training each such module is
either the successor's or the predecessor's, as drawn for that step (schedule.py), for a whole batch or for each of its
sequences. The predecessor is frozen, in eval mode and without gradients of its own.

    model = make_successor(predecessor, leaders(even_groups(12, 6), "ends"))
    modules = install_modules(model, predecessor)
    replace_modules(modules, [True, False, True, True, False, True])
    ...
    extract_successor(model)    # an ordinary model of 6 layers
"""
# Axes: B batch, T tokens, D hidden

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedModel

from mothertongue.compress.cost import phase_flop
from mothertongue.compress.distill import Turns, local_loss, teaching
from mothertongue.compress.layers import even_groups
from mothertongue.compress.methods import Lesson, Material
from mothertongue.compress.schedule import LossCurve, drawer, phases, replacing_schedule
from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy, set_layers
from mothertongue.model.loss import next_token_loss
from mothertongue.run.team import rank, world
from mothertongue.train.learner import Loss

CURVE_POINTS, CURVE_DRAWS = 6, 4


def theseus(material: Material) -> Callable[[int], Lesson]:
    """Replace modules more and more often, then train the successor alone."""
    config, modules, length = material.config, material.modules, material.length
    if config.replacing_share:
        check_masks(material.predecessor, length)
    curve = measure_curve(material) if config.scheduler == "loss" else None
    flop = phase_flop(material, curve)
    draws = drawer(config, len(modules))
    loss = teaching(material)

    def lesson(steps: int) -> Lesson:
        local = config.local_steps(steps)
        rate = replacing_schedule(config.scheduler, config.replacing_rate, config.replacing_steps(steps), curve)
        lottery = Lottery(modules, loss)
        turns = Turns(local, local_loss(material.predecessor, modules), lottery.loss)

        def before_step(step: int) -> None:
            inner = max(0, step - local)
            lottery.begin(draws(rate(inner), inner))
            turns.begin(step)

        return Lesson(phases(config, steps, material.longest), turns.loss, flop, before_step)

    return lesson


class ReplaceableModule(nn.Module):
    """Stands in the list of blocks. In training it forwards through its successor or, if not `replaced`, through its
    predecessors, or each sequence its own way; in eval mode always through its successor.
    """

    def __init__(self, successor: nn.Module, predecessors: Sequence[nn.Module]) -> None:
        super().__init__()
        self.successor = successor
        # in a tuple they are no submodules: not trained, not saved, not moved to training mode, no dropout set
        self.predecessors = tuple(block.eval().requires_grad_(False) for block in predecessors)
        self.replaced: bool | Tensor = True  # a tensor [B] says it for each sequence

    @property
    def attention_type(self) -> Any:
        """Some versions of transformers ask a block which mask it takes."""
        return self.successor.attention_type

    def forward(self, hidden_BTD: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if not self.training or isinstance(self.replaced, bool):
            return self._one_way(not self.training or bool(self.replaced), hidden_BTD, *args, **kwargs)
        rows_B = self.replaced.to(hidden_BTD.device)
        both = []
        for way in (True, False):
            chosen = (rows_B == way).nonzero()[:, 0]
            more = _rows((args, kwargs), chosen, len(rows_B))
            both.append(self._one_way(way, hidden_BTD[chosen], *more[0], **more[1]))
        back_B = torch.argsort((~rows_B).to(torch.uint8), stable=True).argsort()
        return torch.cat(both)[back_B]

    def _one_way(self, replaced: bool, hidden_BTD: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        for block in (self.successor,) if replaced else self.predecessors:
            hidden_BTD = block(hidden_BTD, *args, **kwargs)
        return hidden_BTD


def _rows(value: Any, chosen: Tensor, batch: int) -> Any:
    """`value` for some of the sequences: whatever in it has one entry for each (masks, positions)."""
    if isinstance(value, (tuple, list)):
        return type(value)(_rows(item, chosen, batch) for item in value)
    if isinstance(value, dict):
        return {key: _rows(item, chosen, batch) for key, item in value.items()}
    # what has one axis only counts tokens, never sequences
    return value[chosen] if isinstance(value, Tensor) and value.ndim > 1 and len(value) == batch else value


class Lottery:
    """Which modules are replaced for which sequences of the step that runs; a step may come in several parts."""

    def __init__(self, modules: Sequence[ReplaceableModule], inner: Loss) -> None:
        self.modules, self.inner = modules, inner

    def begin(self, drawn: NDArray[np.bool_]) -> None:
        """Take the draw [modules, sequences, or 1 for the whole batch] of a step."""
        self.alike = drawn.shape[1] == 1
        self.drawn, self.row = drawn if self.alike else drawn[:, rank() :: world()], 0
        replace_modules(self.modules, drawn[:, 0])

    def loss(self, model: PreTrainedModel, tokens_BT: Tensor) -> Tensor:
        """The loss of the next sequences of the step."""
        if not self.alike:
            part = self.drawn[:, self.row : self.row + len(tokens_BT)]
            self.row += len(tokens_BT)
            replace_modules(self.modules, part)
        value = self.inner(model, tokens_BT)
        if not value.requires_grad:  # nothing was replaced: nobody learns, and the step counts
            value = value + 0.0 * sum(weight.sum() for weight in self.modules[0].successor.parameters())
        return value


def measure_curve(material: Material) -> LossCurve:
    """The loss of the mixed model at several replacing rates before training, each the mean of a few draws."""
    config, modules = material.config, material.modules
    rates = np.linspace(config.replacing_rate, 1.0, CURVE_POINTS)
    draws, losses = drawer(config, len(modules)), []
    material.model.train(False)
    with torch.no_grad():
        for rate in rates:
            values = []
            for number in range(CURVE_DRAWS):
                replace_modules(modules, draws(float(rate), number)[:, 0])
                for module in modules:
                    module.training = True  # itself, for the choice; what is in it stays without dropout
                values.append(float(next_token_loss(material.model, material.tokens_BT)))
            losses.append(float(np.mean(values)))
    material.model.train(False)
    return LossCurve(rates.tolist(), losses)


def check_masks(predecessor: PreTrainedModel, length: int) -> None:
    """ConfigError if layers differ in what they see of `length` tokens: a module gives all its layers one mask."""
    types = set(getattr(predecessor.config, "layer_types", None) or ())
    window = getattr(predecessor.config, "sliding_window", None) or 0
    if len(types) > 1 and length > window:
        raise ConfigError(
            f"Layers of this model differ in how far they see ({', '.join(sorted(types))}), which module replacing can "
            f"not follow beyond {window} tokens. Set method = distill or truncate, or sequence_length to at most "
            f"{window}."
        )


def make_successor(predecessor: PreTrainedModel, kept: Sequence[int]) -> PreTrainedModel:
    """A copy of `predecessor` with only the layers `kept`."""
    model = copy.deepcopy(predecessor)
    blocks = anatomy(model).blocks
    set_layers(model, [blocks[index] for index in kept])
    return model


def install_modules(
    model: PreTrainedModel, predecessor: PreTrainedModel, groups: Sequence[range] = ()
) -> list[ReplaceableModule]:
    """Make each block of `model` replaceable with its group of `predecessor`'s blocks, which are used, not copied."""
    old, new = list(anatomy(predecessor).blocks), list(anatomy(model).blocks)
    groups = groups or even_groups(len(old), len(new))
    modules = [
        ReplaceableModule(block, [old[index] for index in group]) for block, group in zip(new, groups, strict=True)
    ]
    set_layers(model, list(modules))
    return modules


def replace_modules(modules: Sequence[ReplaceableModule], drawn: Iterable[Any]) -> None:
    """Let `modules` be the successor's where `drawn` is true: a truth for each module, or one for each sequence."""
    for module, replaced in zip(modules, drawn, strict=True):
        flags = np.atleast_1d(np.asarray(replaced, dtype=bool))
        module.replaced = bool(flags[0]) if (flags == flags[0]).all() else torch.from_numpy(flags.copy())


def extract_successor(model: PreTrainedModel) -> PreTrainedModel:
    """Make `model` a plain model of the successor's blocks alone."""
    modules = [cast(ReplaceableModule, module) for module in anatomy(model).blocks]
    set_layers(model, [module.successor for module in modules])
    return model
