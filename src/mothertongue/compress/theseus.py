"""Module replacing, BERT-of-Theseus (Xu et al. 2020, arXiv 2002.02925) for decoders.

A predecessor of n layers and a successor of k: successor module i stands for the n/k consecutive predecessor layers
i*n/k .. (i+1)*n/k - 1. In training each module is either the successor's or the predecessor's, as drawn for that step
(schedule.py). The predecessor is frozen, in eval mode and without gradients of its own.

    model = make_successor(predecessor, successor_layers(12, 6, "ends"))
    modules = install_modules(model, predecessor)
    replace_modules(modules, [True, False, True, True, False, True])
    ...
    extract_successor(model)    # an ordinary model of 6 layers
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any, cast

from torch import Tensor, nn
from transformers import PreTrainedModel

from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy, set_layers


class ReplaceableModule(nn.Module):
    """Stands in the list of blocks. In training it forwards through its successor or, if not `replaced`, through its
    predecessors; in eval mode always through its successor.
    """

    def __init__(self, successor: nn.Module, predecessors: Sequence[nn.Module]) -> None:
        super().__init__()
        self.successor = successor
        # in a tuple they are no submodules: not trained, not saved, not moved to training mode, no dropout set
        self.predecessors = tuple(block.eval().requires_grad_(False) for block in predecessors)
        self.replaced = True

    @property
    def attention_type(self) -> Any:
        """Some versions of transformers ask a block which mask it takes."""
        return self.successor.attention_type

    def forward(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        for block in (self.successor,) if self.replaced or not self.training else self.predecessors:
            hidden_states = block(hidden_states, *args, **kwargs)
        return hidden_states


def check_layers(count: int, layers: int) -> int:
    """`layers`, or half of `count` if it is 0; ConfigError, naming what is possible, unless it divides `count`."""
    divisors = [divisor for divisor in range(1, count) if count % divisor == 0]
    if not divisors:
        raise ConfigError(f"The model has {count} layer: none can go. Compress a model of two or more layers.")
    possible = f"Possible for {count} layers: {', '.join(map(str, divisors))}."
    if not layers and count % 2:
        raise ConfigError(f"Half of {count} layers is no whole number. Choose layers. {possible}")
    layers = layers or count // 2
    if layers not in divisors:
        why = f"must divide the model's {count} layers" if layers < count else f"has to be fewer than {count}"
        raise ConfigError(f"layers = {layers} {why}. {possible}")
    return layers


def check_masks(predecessor: PreTrainedModel, length: int) -> None:
    """ConfigError if layers differ in what they see of `length` tokens: a module gives all its layers one mask."""
    types = set(getattr(predecessor.config, "layer_types", None) or ())
    window = getattr(predecessor.config, "sliding_window", None) or 0
    if len(types) > 1 and length > window:
        raise ConfigError(
            f"Layers of this model differ in how far they see ({', '.join(sorted(types))}), which module replacing can "
            f"not follow beyond {window} tokens. Set method = truncate, or sequence_length to at most {window}."
        )


def successor_layers(count: int, layers: int, initial: str) -> list[int]:
    """Which of `count` predecessor layers the `layers` successor modules begin as.

    >>> successor_layers(12, 6, "ends"), successor_layers(12, 6, "every-other"), successor_layers(12, 6, "first")
    ([0, 2, 4, 7, 9, 11], [0, 2, 4, 6, 8, 10], [0, 1, 2, 3, 4, 5])
    """
    if initial == "first":
        return list(range(layers))
    if initial == "every-other" or layers == 1:
        return [i * count // layers for i in range(layers)]
    return [round(i * (count - 1) / (layers - 1)) for i in range(layers)]


def make_successor(predecessor: PreTrainedModel, kept: Sequence[int]) -> PreTrainedModel:
    """A copy of `predecessor` with only the layers `kept`."""
    model = copy.deepcopy(predecessor)
    blocks = anatomy(model).blocks
    set_layers(model, [blocks[index] for index in kept])
    return model


def install_modules(model: PreTrainedModel, predecessor: PreTrainedModel) -> list[ReplaceableModule]:
    """Make each block of `model` replaceable with its share of `predecessor`'s blocks, which are used, not copied."""
    old, new = list(anatomy(predecessor).blocks), list(anatomy(model).blocks)
    each = len(old) // len(new)
    modules = [ReplaceableModule(block, old[i * each : (i + 1) * each]) for i, block in enumerate(new)]
    set_layers(model, list(modules))
    return modules


def replace_modules(modules: Sequence[ReplaceableModule], drawn: Iterable[bool]) -> None:
    """Let `modules` be the successor's where `drawn` is true."""
    for module, replaced in zip(modules, drawn, strict=True):
        module.replaced = bool(replaced)


def extract_successor(model: PreTrainedModel) -> PreTrainedModel:
    """Make `model` a plain model of the successor's blocks alone."""
    modules = [cast(ReplaceableModule, module) for module in anatomy(model).blocks]
    set_layers(model, [module.successor for module in modules])
    return model
