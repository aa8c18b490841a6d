"""The probabilities of the next token after a prompt and any continuations of it; the prompt itself is read once."""

# Axes: N paths, V vocabulary

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mothertongue.use.engine import Engine, Floats


@dataclass(frozen=True, slots=True)
class NextToken:
    """A token that may come next. Its text may be half of a letter, then shown as U+FFFD."""

    id: int
    text: str
    probability: float


class Distribution:
    """Answers for one prompt. `banned` tokens have probability 0."""

    def __init__(self, engine: Engine, prompt: list[int], *, banned: Sequence[int] = ()) -> None:
        self._session, self._banned = engine.session(), list(banned)
        self._first_NV = self._probabilities(self._session.extend(prompt)[None])

    def __call__(self, paths: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
        """Probabilities (N, V) after the prompt and each of `paths`, which are all of one length."""
        if not paths[0]:
            return np.repeat(self._first_NV, len(paths), axis=0)
        return self._probabilities(self._session.branches(paths))

    def _probabilities(self, logs_NV: Floats) -> NDArray[np.float64]:
        weights_NV = np.exp(logs_NV.astype(np.float64))
        weights_NV[:, self._banned] = 0
        return np.asarray(weights_NV / weights_NV.sum(axis=-1, keepdims=True))
