"""What every engine can do, whatever it computes with: the next token's distribution, scores, sessions, rows, texts.

Engines: `torch_engine.py` (the reference: any device, every decoder) and `llama_engine.py` (GGUF, near the speed of
memory). All give numbers and draw none: tokens are drawn by the one sampler, `sampler.py`, so the same seed and the
same logits give the same text. What an engine cannot do exactly it does not honour, and then it is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.use.config import GenerateConfig
from mothertongue.use.steps import one_text

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
        """Give the memory back; the text is empty again."""


class Rows(Protocol):
    """Several texts of one length that grow side by side, a token each at a time."""

    @property
    def logits(self) -> Floats:
        """The model's raw answer [B, V] after the last token of each row, valid until the next `step`."""

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

    def rows(self, prompts: Sequence[Sequence[int]], *, room: int | None = None) -> Rows:
        """Rows that begin with `prompts`, all of one length; where they are all the same, they are read once.

        Each row grows by `room` tokens at most; none given: to the end of the context.
        """

    def generate(
        self,
        ids: Sequence[int],
        options: GenerateConfig,
        *,
        on_token: Callable[[int], None] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> Iterator[int]:
        """The tokens of one continuation of `ids`, as `options` say; `cancel` is asked between tokens."""
        return one_text(self, ids, options, on_token=on_token, cancel=cancel)


def check_numbers(logits: Floats) -> None:
    """CheckpointError if there is a logit that is no number."""
    if not np.isfinite(logits).all():
        raise CheckpointError(
            "The model gives logits that are no numbers (NaN or infinite): its weights are damaged. "
            "Open an earlier checkpoint."
        )


def check_texts(texts: Sequence[Sequence[int]], *, behind: int, context: int, vocab_size: int) -> None:
    """ConfigError unless all of `texts` can be read at once behind so many tokens."""
    for ids in texts:
        if not (ids and behind + len(ids) <= context):
            raise ConfigError(
                f"A text of {behind + len(ids) if ids else 0} tokens was asked for; the model reads 1 to {context} "
                "at once. Cut it."
            )
        if not (min(ids) >= 0 and max(ids) < vocab_size):
            raise ConfigError(
                f"There is no token {min(ids) if min(ids) < 0 else max(ids)}: the model has 0 to {vocab_size - 1}."
            )


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities along the last axis.

    >>> log_softmax(np.zeros(4, np.float32)).round(4).tolist()
    [-1.386299967765808, -1.386299967765808, -1.386299967765808, -1.386299967765808]
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    total = np.exp(shifted).sum(axis=-1, keepdims=True, dtype=np.float64)
    return np.asarray(shifted - np.log(total).astype(np.float32), dtype=np.float32)
