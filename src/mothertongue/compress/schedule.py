"""When: how often modules are replaced, which ones at a step, and who learns in which phase."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mothertongue.compress.config import CompressConfig
from mothertongue.model.anatomy import GROUPS
from mothertongue.train.schedule import Phase, part_of, plateau, shape_of, with_long_end

Rate = Callable[[int], float]  # step -> probability that a module is replaced
WAYS: dict[str, Callable[[float], float]] = {  # share of the steps -> share of the way from the first rate to 1
    "constant": lambda share: 0.0,
    "linear": lambda share: share,
    "cosine": lambda share: (1 - math.cos(math.pi * share)) / 2,
}


@dataclass(frozen=True)
class LossCurve:
    """Loss of the mixed model before training, at replacing rates from the first one to 1."""

    rates: Sequence[float]
    losses: Sequence[float]

    def way(self, share: float) -> float:
        """The rate at which `share` (0-1) of the loss's rise is behind: where it rises fast, the rate moves slowly.

        >>> LossCurve([0.5, 0.75, 1.0], [3.0, 3.5, 5.0]).way(0.25)
        0.75
        """
        risen = np.maximum.accumulate(np.asarray(self.losses, dtype=np.float64))
        return float(np.interp(risen[0] + share * (risen[-1] - risen[0]), risen, self.rates))


def replacing_schedule(scheduler: str, start: float, steps: int, curve: LossCurve | None = None) -> Rate:
    """Replacing rate at a step: from `start` to 1 at the last of `steps` along the scheduler's way; 1 afterwards.

    With a `curve`, along a straight line of its loss.

    >>> [replacing_schedule("linear", 0.4, 4)(step) for step in range(6)]
    [0.4, 0.6, 0.8, 1.0, 1.0, 1.0]
    """

    def rate(step: int) -> float:
        if step >= steps:
            return 1.0
        share = step / max(1, steps - 1)
        if curve:
            return min(1.0, max(start, curve.way(share)))
        return min(1.0, start + (1 - start) * WAYS[scheduler](share))

    return rate


def draw(
    count: int, rate: float, *, seed: int, step: int, sequences: int = 1, redraw: bool = True
) -> NDArray[np.bool_]:
    """Which of `count` modules are replaced at `step`, of shape [count, sequences]: each with probability `rate`.

    With `redraw` at least one is, for each sequence: a step without any would teach nothing. The draw is a function of
    (seed, step): a resumed run draws the same.
    """
    random = np.random.default_rng([seed, step, 0x7E5E])
    drawn: NDArray[np.bool_] = random.random((count, sequences)) < rate
    idle = np.flatnonzero(~drawn.any(axis=0))
    if redraw and len(idle):
        drawn[random.integers(count, size=len(idle)), idle] = True
    return drawn


def drawer(config: CompressConfig, count: int) -> Callable[[float, int], NDArray[np.bool_]]:
    """A function of rate and step that draws among `count` modules as `config` says."""
    sequences = config.batch_size if config.draw == "sequence" else 1
    return lambda rate, step: draw(count, rate, seed=config.seed, step=step, sequences=sequences, redraw=config.redraw)


def phases(config: CompressConfig, steps: int, longest: int = 0) -> tuple[Phase, ...]:
    """Each layer for itself, then replacing (both at a steady rate), then the successor alone.

    Blocks always learn; embeddings, final norm and head from where `unfreeze` says. Phases without steps are left out.
    The successor alone ends in sequences of `longest` tokens, if given.
    """
    local, replacing = config.local_steps(steps), config.replacing_steps(steps)
    lengths = {"local": local, "replacing": replacing, "successor": steps - local - replacing}
    everything = dict.fromkeys(GROUPS, config.learning_rate)
    everything["embeddings"] *= config.embedding_rate
    blocks = {group: rate for group, rate in everything.items() if group != "embeddings"}
    late = {"start": "replacing", "successor": "successor", "never": ""}[config.unfreeze]
    steady = partial(plateau, warmup=config.warmup, decay=0.0)
    result: list[Phase] = []
    for name, length in lengths.items():
        learning = everything if name == late or (late and name == "successor") else blocks
        shape = shape_of(config) if name == "successor" else steady
        if config.one_schedule:
            shape = part_of(shape_of(config), sum(phase.steps for phase in result), steps)
        if length:
            result.append(Phase(name, length, learning, shape))
    return with_long_end(result, config.long_share if result[-1].name == "successor" else 0.0, longest)
