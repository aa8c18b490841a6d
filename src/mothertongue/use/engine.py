"""What every engine can do, whatever it computes with: the next token's distribution, scores, sessions, rows, texts.

Engines: `torch_engine.py` (the reference: any device, every decoder) and `llama_engine.py` (GGUF, near the speed of
memory). All give numbers and draw none: tokens are drawn by the one sampler, `sampler.py`, so the same seed and the
same logits give the same text. What an engine cannot do exactly it does not honour, and then it is not asked.
"""

# Axes: B rows, V vocabulary

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from mothertongue.use.config import GenerateConfig

Floats = NDArray[np.float32]


class Session(Protocol):
    """One growing text whose tokens are read once. It holds memory until `close`."""

    @property
    def ids(self) -> list[int]:
        """The tokens read so far."""

    def extend(self, ids: Sequence[int]) -> Floats:
        """Read `ids` (at least one) after what was read; log-probabilities [V] of the token after the last."""

    def crop(self, length: int) -> None:
        """Forget all but the first `length` tokens."""

    def close(self) -> None:
        """Give the memory back; nothing may be asked afterwards."""


class Rows(Protocol):
    """Several texts of one length that grow side by side, a token each at a time."""

    @property
    def logits_BV(self) -> Floats:
        """The model's raw answer after the last token of each row."""

    def step(self, tokens: Sequence[int]) -> None:
        """Read one more token in each row."""

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only, in this order; the next thing asked is `step`."""

    def close(self) -> None:
        """Give the memory back; nothing may be asked afterwards."""


class Engine(Protocol):
    """A model with its tokenizer, ready to compute. `context` is the longest text in tokens that it reads at once.

    Texts that are longer than the context raise ConfigError; who asks cuts or slides (`steps.py` does). Logits that
    are no numbers raise CheckpointError.
    """

    tokenizer: Tokenizer
    end_id: int
    vocab_size: int
    context: int

    def honours(self, options: GenerateConfig) -> bool:
        """Whether all of `options` can be kept exactly."""

    def next_tokens(self, ids: Sequence[int]) -> Floats:
        """Log-probabilities [V] of the token after `ids` (at least one)."""

    def score(self, prefix: Sequence[int], candidates: Sequence[Sequence[int]]) -> list[Floats]:
        """Log-probabilities of each candidate's tokens after `prefix` (at least one token), which is read once."""

    def session(self) -> Session:
        """An empty session."""

    def rows(self, prompts: Sequence[Sequence[int]]) -> Rows:
        """Rows that begin with `prompts`, all of one length; prompts that are the same are read once."""

    def generate(
        self,
        ids: Sequence[int],
        options: GenerateConfig,
        *,
        on_token: Callable[[int], None] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> Iterator[int]:
        """The tokens of one continuation of `ids`, as `options` say; `cancel` is asked between tokens."""


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities along the last axis.

    >>> log_softmax(np.zeros(4, np.float32)).round(4).tolist()
    [-1.386299967765808, -1.386299967765808, -1.386299967765808, -1.386299967765808]
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    total = np.exp(shifted).sum(axis=-1, keepdims=True, dtype=np.float64)
    return np.asarray(shifted - np.log(total).astype(np.float32), dtype=np.float32)
