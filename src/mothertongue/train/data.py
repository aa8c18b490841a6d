"""A stream of token ids (model/stream.py) read in windows whose order depends only on (seed, step)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mothertongue.model.stream import Ids


@dataclass(frozen=True)
class Windows:
    """Sequences of `length` + 1 tokens (inputs and, one further, labels), reshuffled and shifted in each epoch.

    >>> windows = Windows(np.arange(100, dtype=np.uint16), length=8, seed=0)
    >>> windows.per_epoch, windows.batch(3, 2).shape
    (12, torch.Size([2, 9]))
    """

    ids: Ids
    length: int
    seed: int

    @property
    def per_epoch(self) -> int:
        """Windows in one pass."""
        return max(1, (len(self.ids) - 1) // self.length)

    def batch(self, step: int, size: int, length: int = 0) -> Tensor:
        """The `size` windows of optimizer step `step`, as int64 of shape [size, length + 1].

        With another `length` than that of the windows: as many tokens in sequences of it, in an order of their own.
        """
        if length not in (0, self.length):
            return replace(self, length=length).batch(step, size * self.length // length)
        rows = [self._window(index) for index in range(step * size, (step + 1) * size)]
        return torch.from_numpy(np.stack(rows).astype(np.int64))

    def _window(self, index: int) -> Ids:
        epoch, place = divmod(index, self.per_epoch)
        shift, order = _order(self.seed, epoch, self.per_epoch, self.length)
        start = int(order[place]) * self.length + shift
        # the stream is a ring, so that a corpus shorter than one window works as well
        return self.ids.take(range(start, start + self.length + 1), mode="wrap")


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int, length: int) -> tuple[int, NDArray[np.int64]]:
    """Where an epoch begins, and the order of its windows."""
    random = np.random.default_rng([seed, epoch])
    return int(random.integers(length)), random.permutation(count)
