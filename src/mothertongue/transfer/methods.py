"""The ways to make rows for a new vocabulary: a table from a method's name to "module:function".

A method is a function from a `Material` to the rows [V, W] of the target vocabulary. A new one is a file and a line in
METHODS; another package adds one by an entry point in the group `mothertongue.transfer_methods`.
"""

# Axes: S source vocabulary, V target vocabulary, W row

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Never

from mothertongue.run.table import Table

if TYPE_CHECKING:
    from torch import Tensor

    from mothertongue.transfer.overlap import Key
    from mothertongue.transfer.static import StaticVectors


def _nothing(*_: object) -> Never:
    raise LookupError("This material was gathered for methods that need nothing of the kind.")


@dataclass(frozen=True)
class Translations:
    """Tokens that a dictionary says mean the same: pairs (target id, source id), and how many entries gave none."""

    pairs: Sequence[tuple[int, int]]
    entries: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)  # reason -> entries


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
    target_vectors: Callable[[], StaticVectors] = _nothing
    pieces: Callable[[bytes], Sequence[int]] = _nothing  # source ids of the pieces that the source writes bytes with
    donor_rows: Callable[[], Tensor] = _nothing  # [V, E]: rows of a model with the target vocabulary; zero: not in it
    translations: Callable[[], Translations] | None = None  # of the dictionary; None: there is none


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
        "clp": "mothertongue.transfer.donor:clp",
        "donor": "mothertongue.transfer.donor:donor",
        "focus": "mothertongue.transfer.focus:focus",
        "hull": "mothertongue.transfer.normal:hull",
        "mean": "mothertongue.transfer.mean:mean",
        "normal": "mothertongue.transfer.normal:normal",
        "random": "mothertongue.transfer.mean:random",
        "subword": "mothertongue.transfer.subword:subword",
        "trim": "mothertongue.transfer.trim:trim",
        "wechsel": "mothertongue.transfer.wechsel:wechsel",
    },
)
