"""When: how often modules are replaced, which ones at a step, and who learns in which phase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mothertongue.compress.config import CompressConfig
from mothertongue.model.anatomy import GROUPS
from mothertongue.train.schedule import Phase, shape_of


def replacing_schedule(scheduler: str, start: float, steps: int) -> Callable[[int], float]:
    """Replacing rate at a step: constant, or a line from `start` to 1 at the last of `steps`; 1 afterwards.

    >>> [replacing_schedule("linear", 0.4, 4)(step) for step in range(6)]
    [0.4, 0.6, 0.8, 1.0, 1.0, 1.0]
    """

    def rate(step: int) -> float:
        if step >= steps:
            return 1.0
        return start if scheduler == "constant" else min(1.0, start + (1 - start) * step / max(1, steps - 1))

    return rate


def draw(count: int, rate: float, *, seed: int, step: int) -> NDArray[np.bool_]:
    """Which of `count` modules are replaced at `step`: each with probability `rate`, but always at least one.

    A step without any would teach nothing. The draw is a function of (seed, step): a resumed run draws the same.
    """
    random = np.random.default_rng([seed, step, 0x7E5E])
    drawn: NDArray[np.bool_] = random.random(count) < rate
    if not drawn.any():
        drawn[random.integers(count)] = True
    return drawn


def phases(config: CompressConfig, steps: int) -> tuple[Phase, ...]:
    """Replacing (only successor blocks learn, at a steady rate), then the successor alone (all of its parts learn)."""
    first = config.replacing_steps(steps)
    everything = dict.fromkeys(GROUPS, config.learning_rate)
    everything["embeddings"] *= config.embedding_rate
    blocks = {group: rate for group, rate in everything.items() if group != "embeddings"}
    steady = shape_of(replace(config, schedule="plateau", decay=0.0))
    both = (Phase("replacing", first, blocks, steady), Phase("successor", steps - first, everything, shape_of(config)))
    return tuple(phase for phase in both if phase.steps)
