"""The ways to make a smaller model: a table from a method's name to "module:function".

A method is a function from a `Material` to a function from the number of steps to a `Lesson`: what the one training
loop is given. No phases mean no training. A new one is a file and a line in METHODS; another package adds one by an
entry point in the group `mothertongue.compress_methods`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mothertongue.run.table import Table

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from mothertongue.compress.config import CompressConfig
    from mothertongue.compress.spelling import Spelling
    from mothertongue.compress.theseus import ReplaceableModule
    from mothertongue.train.learner import Loss
    from mothertongue.train.schedule import Flop, Phase


@dataclass(frozen=True)
class Material:
    """What a method may use."""

    config: CompressConfig
    predecessor: PreTrainedModel  # frozen, in eval mode
    model: PreTrainedModel  # the successor as it begins; its blocks are `modules`
    modules: Sequence[ReplaceableModule]  # each holds a block of the successor and the blocks that it stands for
    tokens_BT: Tensor  # noqa: N815  a few thousand tokens of the training text, to look at
    length: int  # tokens of a training sequence
    longest: int  # of one at the end of the training; 0 = no other
    teacher: PreTrainedModel  # the predecessor; with a `spelling`, as it was before its vocabulary was trimmed
    spelling: Spelling | None = None  # how the teacher's tokens are spelled in those of the others


@dataclass(frozen=True)
class Lesson:
    """What a training of so many steps is."""

    phases: tuple[Phase, ...]
    loss: Loss
    flop: Flop
    before_step: Callable[[int], None] | None = None


Method = Callable[[Material], Callable[[int], Lesson]]

METHODS: Table[Method] = Table(
    "compress method",
    "mothertongue.compress_methods",
    {
        "theseus": "mothertongue.compress.theseus:theseus",
        "paper": "mothertongue.compress.theseus:theseus",  # with settings of its own: config.PAPER
        "distill": "mothertongue.compress.distill:distill",
        "truncate": "mothertongue.compress.truncate:truncate",
        "bridge": "mothertongue.compress.bridge:bridge",
    },
)
