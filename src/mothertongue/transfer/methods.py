"""The ways to make rows for a new vocabulary: a table from a method's name to "module:function".

A method is a function from a `Material` to the rows [V, W] of the target vocabulary. A new one is a file and a line in
METHODS; another package adds one by an entry point in the group `mothertongue.transfer_methods`.
"""

# Axes: S source vocabulary, V target vocabulary, W row

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mothertongue.run.table import Table

if TYPE_CHECKING:
    from torch import Tensor

    from mothertongue.transfer.overlap import Key
    from mothertongue.transfer.static import StaticVectors


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

METHODS: Table[Method] = Table(
    "transfer method",
    "mothertongue.transfer_methods",
    {
        "align": "mothertongue.transfer.align:align",
        "mean": "mothertongue.transfer.mean:mean",
        "random": "mothertongue.transfer.mean:random",
        "trim": "mothertongue.transfer.trim:trim",
    },
)
