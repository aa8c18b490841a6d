"""The model's answers after any tokens, each read once: one session that is cropped and extended as the cursor moves.

Somebody who types changes the end of a text; the model reads only the tokens that are new, and what it has said after
the same tokens before is remembered, so that most keystrokes inside a word need no reading at all.
"""

# Axes: V vocabulary

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mothertongue.errors import CheckpointError
from mothertongue.use.engine import Engine

Probabilities = NDArray[np.float32]
REMEMBERED_BYTES = 64 << 20
LEAST_LOG = -80.0  # no token is impossible: whatever is typed can be completed


class TakenBackError(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class NextToken:
    """A token that may come next. Its text may be half of a letter, then shown as U+FFFD."""

    id: int
    text: str
    probability: float


def never() -> bool:
    """The question whether to stop, for those who never do."""
    return False


class Reader:
    """Probabilities [V] of the next token; tokens in `banned` have none. `reads` counts what the model was asked."""

    def __init__(self, engine: Engine, *, banned: Sequence[int] = ()) -> None:
        self.reads = 0
        self.cancel: Callable[[], bool] = never  # asked before the model is
        self._session, self._context = engine.session(), engine.context
        self._banned = np.array(banned, dtype=np.int64)
        self._known: OrderedDict[tuple[int, ...], Probabilities] = OrderedDict()
        self._remembered = max(8, REMEMBERED_BYTES // (4 * engine.vocab_size))

    def __call__(self, ids: tuple[int, ...]) -> Probabilities:
        """What may follow `ids` (at least one token)."""
        if ids in self._known:
            self._known.move_to_end(ids)
            return self._known[ids]
        if self.cancel():
            raise TakenBackError("The question was taken back.")
        answer_V = self._answer(ids)
        self._known[ids] = answer_V
        if len(self._known) > self._remembered:
            self._known.popitem(last=False)
        return answer_V

    def _answer(self, ids: tuple[int, ...]) -> Probabilities:
        self.reads += 1
        ids = ids[-self._context :]  # of what does not fit the beginning is left out
        read = self._session.ids
        same = next((n for n, (a, b) in enumerate(zip(read, ids, strict=False)) if a != b), min(len(read), len(ids)))
        same = min(same, len(ids) - 1)  # an answer comes only with a token that is read
        if same < len(read):
            self._session.crop(same)
        logs_V = self._session.extend(ids[same:]).astype(np.float32, copy=True)
        if np.isnan(logs_V).any():
            raise CheckpointError(
                "The model gives probabilities that are no numbers: its weights are damaged. "
                "Open an earlier checkpoint."
            )
        answer_V = np.exp(np.maximum(logs_V, LEAST_LOG))
        answer_V[self._banned] = 0
        total = float(answer_V.sum(dtype=np.float64))
        return np.asarray(answer_V / total, dtype=np.float32) if total > 0 else answer_V

    def close(self) -> None:
        """Give the engine's memory back."""
        self._session.close()
        self._known.clear()
