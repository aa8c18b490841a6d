"""What goes into blocks and comes out of them, while a model reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class Call:
    """How a block was called: with hidden states first."""

    hidden: Tensor  # BTD
    more: tuple[Any, ...]
    options: dict[str, Any]

    def of(self, block: nn.Module) -> Tensor:
        """What `block` makes of the same call."""
        found: Tensor = block(self.hidden, *self.more, **self.options)
        return found


@contextmanager
def outputs(blocks: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """A list that gets the output of each of `blocks` as they are computed."""
    found: list[Tensor] = []
    hooks = [block.register_forward_hook(lambda _, __, output: found.append(output)) for block in blocks]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def calls(blocks: Sequence[nn.Module]) -> Iterator[list[Call]]:
    """A list that gets how each of `blocks` is called."""
    found: list[Call] = []

    def note(_: nn.Module, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        found.append(Call(arguments[0], arguments[1:], dict(options)))

    hooks = [block.register_forward_pre_hook(note, with_kwargs=True) for block in blocks]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
