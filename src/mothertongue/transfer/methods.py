"""The ways to make rows for a new vocabulary: a table from a method's name to "module:function".

A method is a function from a `Material` to the rows [V, W] of the target vocabulary. A new one is a file and a line in
METHODS; another package adds one by an entry point in the group `mothertongue.transfer_methods`.
"""

# Axes: S source vocabulary, V target vocabulary, W row

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, cast

from mothertongue.errors import ConfigError
from mothertongue.run.settings import suggest

if TYPE_CHECKING:
    from torch import Tensor

    from mothertongue.transfer.overlap import Key
    from mothertongue.transfer.static import StaticVectors

METHODS: dict[str, str] = {
    "align": "mothertongue.transfer.align:align",
    "mean": "mothertongue.transfer.mean:mean",
    "random": "mothertongue.transfer.mean:random",
}
GROUP = "mothertongue.transfer_methods"


@dataclass(frozen=True)
class Material:
    """What a method may use. Methods need not know whether head and embedding are tied: a row is all a token owns."""

    source_rows: Tensor  # [S, W]: the embedding, then the head's row and bias where the head has them
    target_size: int
    source_keys: Mapping[int, Key]  # id -> the bytes or the role that a token stands for
    target_keys: Mapping[int, Key]
    matches: Mapping[int, int]  # target id -> source id of tokens that stand for the same
    vectors: Callable[[], VectorPair]  # computed when asked for: not every method needs text
    neighbours: int = 10
    temperature: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class VectorPair:
    """Static vectors of both vocabularies, each counted in its own language: their axes do not agree yet."""

    source: StaticVectors
    target: StaticVectors


Method = Callable[[Material], "Tensor"]


def load_method(name: str) -> Method:
    """The function behind a method's name, from METHODS or from another package's entry point."""
    if name in METHODS:
        module, _, function = METHODS[name].partition(":")
        return cast(Method, getattr(importlib.import_module(module), function))
    for found in entry_points(group=GROUP, name=name):
        return cast(Method, found.load())
    raise ConfigError(unknown_method(name) or "")


def unknown_method(name: str) -> str | None:
    """What to tell a user whose method does not exist, or None if it does. Imports no method."""
    if name in METHODS:
        return None
    others = sorted(entry_points(group=GROUP).names)
    if name in others:
        return None
    return f'There is no transfer method "{name}". {suggest(name, [*METHODS, *others])}'
