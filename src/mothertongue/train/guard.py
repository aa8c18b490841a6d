"""Harmful batches are told from hard ones, and left out."""

from __future__ import annotations

import math
from dataclasses import dataclass

MEMORY = 0.98  # of the running mean and deviation, per step
LEARNT_AFTER = 50  # steps before a loss can be called unusual
IN_A_ROW = 3


@dataclass
class Guard:
    """Judges each batch by its loss and gradient before the weights are touched.

    A loss or gradient that is no number, or a loss more than `limit` deviations above the recent mean (0: any loss
    will do), is left out. Three unusual losses in a row are no accident but a new level; three that are no number mean
    that the weights are broken.
    """

    limit: float
    mean: float = 0.0
    square: float = 0.0
    seen: int = 0
    refused: int = 0  # in a row

    def judge(self, loss: float, gradient_norm: float) -> str:
        """`good`, `skip`, or `broken`."""
        finite = math.isfinite(loss) and math.isfinite(gradient_norm)
        if finite and self.refused >= IN_A_ROW:
            self.seen = 0
        if finite and not self._unusual(loss):
            self._learn(loss)
            return "good"
        self.refused += 1
        return "skip" if finite or self.refused < IN_A_ROW else "broken"

    def forget(self) -> None:
        """A new phase has its own losses."""
        self.seen = 0

    def _unusual(self, loss: float) -> bool:
        if not self.limit or self.seen < LEARNT_AFTER:
            return False
        return loss > self.mean + self.limit * math.sqrt(max(self.square - self.mean**2, 1e-12))

    def _learn(self, loss: float) -> None:
        memory = min(MEMORY, self.seen / (self.seen + 1))
        self.mean = memory * self.mean + (1 - memory) * loss
        self.square = memory * self.square + (1 - memory) * loss**2
        self.seen, self.refused = self.seen + 1, 0
