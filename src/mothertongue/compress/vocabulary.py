"""A smaller vocabulary: the tokens that pay stay, with whatever BPE needs to make them; the others are read in pieces.

A token pays by how often a text uses it: without it each use costs further tokens. Rows that stay are kept as they are,
so nothing is lost on a text of kept tokens. Trimming itself is transfer/trim.py's.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
from tokenizers import Tokenizer

from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy
from mothertongue.model.checkpoint import Checkpoint
from mothertongue.model.stream import Ids
from mothertongue.transfer.trim import trim_model, trim_tokenizer


def check_vocabulary(size: int, tokens: int) -> None:
    """ConfigError unless `size` tokens (0 = all) of `tokens` can stay."""
    if size >= tokens:
        raise ConfigError(f"vocab_size = {size}: the model has {tokens} tokens. Give fewer, or 0 to keep all.")


def trimmed(opened: Checkpoint, ids: Ids, size: int) -> Checkpoint:
    """A copy of `opened` with at most `size` tokens: those that stand in `ids` most often. Its blocks are the same."""
    used = most_used(opened.tokenizer, ids, size)
    model = copy.deepcopy(opened.model, {id(block): block for block in anatomy(opened.model).blocks})
    tokenizer, _ = trim_model(model, opened.tokenizer, used)
    return replace(opened, model=model.requires_grad_(False).train(False), tokenizer=tokenizer)


def most_used(tokenizer: Tokenizer, ids: Ids, size: int) -> list[int]:
    """As many of the most frequent ids as leave a vocabulary of at most `size`, what must stay beside them included."""
    order = np.argsort(-np.bincount(np.asarray(ids)), kind="stable").tolist()

    def left(count: int) -> int:
        return len(trim_tokenizer(tokenizer, order[:count]).kept)

    if left(0) > size:
        raise ConfigError(
            f"vocab_size = {size}: bytes and special tokens alone are {left(0)}. Give at least {left(0)}."
        )
    low, high = 0, min(size, len(order))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if left(middle) <= size else (low, middle - 1)
    return [int(index) for index in order[:low]]
